// Which files a user's path means.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vitalake::engine {

// Paths of the files `pattern` means, sorted: itself when it names a file; when it names a folder,
// every file below that is called *.json or *.ndjson (also with .gz or .zst behind); else it is a
// glob: *, ? and [..] within a part, ** for any number of parts; names that begin with a dot only
// when the pattern's part does. kNotFound when there is none.
Result<std::vector<std::string>> ExpandPaths(std::string_view pattern);

// Whether a file of that name is taken out of a folder: *.json, *.ndjson, each also .gz or .zst, in
// capitals or not.
bool IsFhirName(std::string_view name);

}  // namespace vitalake::engine
