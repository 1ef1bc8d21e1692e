// Files compiled into the binary (views, models, outbound messages), each of which a file of the
// user's may replace.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vitalake::lake {

enum class BuiltIn { kView, kModel, kOutbound };

// The text of `name`: from `folder` when that is not empty and has it, else built in. kNotFound.
Result<std::string> ReadBuiltIn(BuiltIn kind, const std::filesystem::path& folder,
                                std::string_view name);

// All names, built-in and in `folder`, sorted, once each.
Result<std::vector<std::string>> ListBuiltIn(BuiltIn kind, const std::filesystem::path& folder);

}  // namespace vitalake::lake
