// GET /livez, /readyz, /metrics: answered by the event loop, whatever else is going on.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/metrics.h"
#include "serve/health.h"
#include "serve/http/login.h"
#include "serve/http/routes.h"

namespace vitalake::serve {

// `health`, `metrics` and `clock` must outlive the server's requests. Which checks of /readyz fail
// is told anybody, why only whom `login` admits: a fault may name folders and brokers.
void AddStatusRoutes(Routes& routes, const Health& health, const Metrics& metrics,
                     std::shared_ptr<const HttpLogin> login, Clock& clock);

}  // namespace vitalake::serve
