// Writing a parsed JSON value out again.
#pragma once

#include <string>

#include "base/json_tree.h"
#include "base/json_writer.h"

namespace vitalake::delta {

// Appends `value` without white space; numbers keep their text, members their order.
void CopyJson(JsonWriter& out, JsonValue value);
std::string CopyJson(JsonValue value);

}  // namespace vitalake::delta
