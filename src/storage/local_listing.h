// Listing a folder tree as objects.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "storage/object_store.h"

namespace vitalake::storage {

Micros ModifiedMicros(const struct stat& info);

// As ObjectStore::List and ListFolder, over the files below `root`. Prefixes are checked already.
Result<std::vector<ObjectInfo>> ListObjects(const std::filesystem::path& root,
                                            std::string_view prefix, std::string_view start_after);
Result<std::vector<std::string>> ListNames(const std::filesystem::path& root,
                                           std::string_view prefix);

}  // namespace vitalake::storage
