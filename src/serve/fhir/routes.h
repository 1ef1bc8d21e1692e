// The FHIR R4 read API below /fhir, and /raw: capabilities, read, vread, history, search,
// operations.
#pragma once

#include "serve/http/routes.h"
#include "serve/query_desk.h"

namespace vitalake::serve {

// The desk must outlive the server's requests.
void AddFhirRoutes(Routes& routes, QueryDesk& desk);

}  // namespace vitalake::serve
