// Element paths as FHIR writes them: "Observation.component[1].valueQuantity.value".
#pragma once

#include <string>

#include "base/json_tree.h"

namespace vitalake::fhir {

// The path of `element`, a node of the tree under `resource`. Members of arrays get their index.
// "Resource" stands for an unknown resourceType. O(size of the resource): for issues only.
std::string ElementPath(JsonValue resource, JsonValue element);

}  // namespace vitalake::fhir
