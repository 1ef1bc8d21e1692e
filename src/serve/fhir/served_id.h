// The ids under which the FHIR API serves resources: those of two sources never meet.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vitalake::serve {

// "x", or "space.x" where the id_space is not empty.
std::string ServedId(std::string_view id_space, std::string_view id);

// The ids within an id_space that may be served under this one: "a.b.c" may be "c" of "a.b".
std::vector<std::string> IdsServedAs(std::string_view served_id);

}  // namespace vitalake::serve
