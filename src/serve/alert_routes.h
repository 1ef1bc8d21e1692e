// GET /alerts, /alerts/stream and /events, POST /alerts/{id}/acknowledge and /snooze.
#pragma once

#include "ingest/alerts/action_desk.h"
#include "ingest/alerts/board.h"
#include "lake/lake.h"
#include "serve/alert_stream.h"
#include "serve/http/routes.h"
#include "serve/live_events.h"

namespace vitalake::serve {

struct AlertParts {
  lake::Lake& lake;
  ingest::AlertBoard& board;
  ingest::ActionDesk& desk;
  AlertStream& stream;
  LiveEvents& events;
};

// All parts must outlive the server's requests.
void AddAlertRoutes(Routes& routes, const AlertParts& parts);

}  // namespace vitalake::serve
