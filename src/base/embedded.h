// Files compiled into the binary (views, models, rules, web); see vl_embed in cmake/module.cmake.
#pragma once

#include <span>
#include <string_view>

namespace vitalake {

struct EmbeddedFile {
  std::string_view name;  // "patient.json"
  std::string_view text;
};

}  // namespace vitalake
