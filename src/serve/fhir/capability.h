// The CapabilityStatement: what the FHIR API can do, from the tables it is served by.
// Source: FHIR R4, capabilitystatement.html.
#pragma once

#include <string>
#include <string_view>

#include "serve/http/routes.h"

namespace vitalake::serve {

// Interactions and operations are those that `routes` has under /fhir, search parameters those of
// fhir/parameters.h. `base` is this server's address.
std::string CapabilityJson(const Routes& routes, std::string_view base);

}  // namespace vitalake::serve
