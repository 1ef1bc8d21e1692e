#include "fhir/element_path.h"

#include <fmt/format.h>

namespace vitalake::fhir {

std::string ElementPath(JsonValue resource, JsonValue element) {
  std::string path(resource.String("resourceType", "Resource"));
  const JsonNode* wanted = element.node();
  const auto holds = [&](JsonValue value) {
    return value.node() <= wanted && wanted < value.node() + value.node()->skip;
  };
  for (JsonValue at = resource; at != element;) {
    JsonValue next;
    size_t index = 0;
    for (const JsonValue child : at.children()) {
      if (holds(child)) {
        next = child;
        break;
      }
      ++index;
    }
    if (!next) break;  // not of this tree
    path += at.is_array() ? fmt::format("[{}]", index) : fmt::format(".{}", next.key());
    at = next;
  }
  return path;
}

}  // namespace vitalake::fhir
