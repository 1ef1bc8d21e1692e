// GET /tables, /tables/{name}: what there is to ask for.
#pragma once

#include "serve/http/routes.h"
#include "serve/query_desk.h"

namespace vitalake::serve {

// The desk must outlive the server's requests.
void AddTableRoutes(Routes& routes, QueryDesk& desk);

}  // namespace vitalake::serve
