// GET /ledger, /quarantine, /quarantine/{id}; POST /quarantine/replay: what came in, and what could
// not be used.
#pragma once

#include "serve/http/routes.h"
#include "serve/query_desk.h"

namespace vitalake::serve {

// The desk must outlive the server's requests.
void AddLedgerRoutes(Routes& routes, QueryDesk& desk);

}  // namespace vitalake::serve
