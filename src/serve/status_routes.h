// GET /livez, /readyz, /metrics: answered by the event loop, whatever else is going on.
#pragma once

#include "base/metrics.h"
#include "serve/health.h"
#include "serve/http_routes.h"

namespace vitalake::serve {

// Both must outlive the server's requests.
void AddStatusRoutes(Routes& routes, const Health& health, const Metrics& metrics);

}  // namespace vitalake::serve
