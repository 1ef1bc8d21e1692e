// GET /alerts, /alerts/stream and /events, POST /alerts/{id}/acknowledge and /snooze.
#pragma once

#include "ingest/action_desk.h"
#include "ingest/alert_board.h"
#include "lake/lake.h"
#include "serve/alert_stream.h"
#include "serve/http_routes.h"
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
