// POST /login and /logout: a browser's cookie for its user's token (http/login.h).
#pragma once

#include <memory>

#include "base/clock.h"
#include "serve/http/login.h"
#include "serve/http/routes.h"

namespace vitalake::serve {

// The clock must outlive the server's requests.
void AddLoginRoutes(Routes& routes, std::shared_ptr<const HttpLogin> login, Clock& clock);

}  // namespace vitalake::serve
