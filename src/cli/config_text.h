// The settings written out for people and programs; secrets masked.
#pragma once

#include <string>

#include "cli/config.h"

namespace vitalake::cli {

// YAML that Config::Parse takes back (but for masked secrets), each line with its origin as a
// comment. Settings that are empty are left out.
std::string ConfigYaml(const Config& config);

// One JSON object: path -> {"value": text, "from": origin}.
std::string ConfigJson(const Config& config);

}  // namespace vitalake::cli
