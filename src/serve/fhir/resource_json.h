// A resource as it is served: as received, but for
//   id             its key, with the id_space in front where there is one
//   meta           versionId and lastUpdated are always there
//   references     to Patients and Observations of the same id_space name served ids
//   numbers        of a Quantity that were sent as text are numbers
// and what _summary and _elements leave out.
#pragma once

#include <string>
#include <vector>

#include "base/json_tree.h"
#include "serve/fhir/resources.h"
#include "serve/fhir/search.h"

namespace vitalake::serve {

struct ServedParts {
  Summary summary = Summary::kNo;
  std::vector<std::string> elements = {};  // empty: all
};

std::string ServedResource(JsonValue resource, const ResourceRow& row,
                           const ServedParts& parts = {});

}  // namespace vitalake::serve
