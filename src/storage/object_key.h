// Which strings are keys of objects, and which are prefixes of keys. The same for every store.
#pragma once

#include <string_view>

#include "base/result.h"

namespace vitalake::storage {

// Where a store keeps files that are not objects yet. No key lies below it, no listing shows it.
inline constexpr std::string_view kStagingPrefix = "_vitalake/staging/";

// ok when `key` is relative, '/'-separated, without empty, "." or ".." parts, without NUL bytes and
// not below kStagingPrefix; kInvalidArgument naming the key and the fault otherwise.
Status CheckKey(std::string_view key);

// ok when `prefix` can begin a key: its parts up to the last '/' are as CheckKey wants them.
Status CheckPrefix(std::string_view prefix);

// CheckPrefix, and `prefix` is "" or ends in '/'.
Status CheckFolder(std::string_view prefix);

}  // namespace vitalake::storage
