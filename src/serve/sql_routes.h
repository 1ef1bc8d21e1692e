// POST /sql: a SELECT over the lake.
#pragma once

#include "serve/http_routes.h"
#include "serve/query_desk.h"

namespace vitalake::serve {

// The desk must outlive the server's requests.
void AddSqlRoutes(Routes& routes, QueryDesk& desk);

}  // namespace vitalake::serve
