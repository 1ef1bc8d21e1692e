#include "serve/fhir/served_id.h"

#include <fmt/format.h>

namespace vitalake::serve {

std::string ServedId(std::string_view id_space, std::string_view id) {
  return id_space.empty() ? std::string(id) : fmt::format("{}.{}", id_space, id);
}

std::vector<std::string> IdsServedAs(std::string_view served_id) {
  std::vector<std::string> ids = {std::string(served_id)};
  for (size_t dot = served_id.find('.'); dot != served_id.npos;
       dot = served_id.find('.', dot + 1)) {
    ids.emplace_back(served_id.substr(dot + 1));
  }
  return ids;
}

}  // namespace vitalake::serve
