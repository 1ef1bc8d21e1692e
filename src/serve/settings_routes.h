// GET and PUT /patients/{id}/settings: limits and circumstances of one patient.
#pragma once

#include <string>
#include <vector>

#include "ingest/alerts/action_desk.h"
#include "lake/lake.h"
#include "serve/http/routes.h"

namespace vitalake::serve {

// `id_spaces`: those of the streams; the only one is meant where none is named. Lake and desk must
// outlive the server's requests.
void AddSettingsRoutes(Routes& routes, lake::Lake& lake, ingest::ActionDesk& desk,
                       std::vector<std::string> id_spaces);

}  // namespace vitalake::serve
