// Taking a file from outside into a store, byte for byte.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "storage/object_store.h"

namespace vitalake::storage {

struct CopiedFile {
  int64_t size_bytes = 0;
  std::string sha256;  // 64 lower-case hex digits
};

// Copies the local file `source` to the new object `key` and hashes it on the way, in one reading
// of 1 MB pieces. Durable when it returns ok. On an error there is no object and nothing staged.
// kNotFound, kPermission: the source; kAlreadyExists: the key is taken; kIo: also when the source
// changed size or modification time during the copy; kNoSpace; kUnknownOutcome as PutFile.
Result<CopiedFile> CopyIn(ObjectStore& store, const std::filesystem::path& source,
                          std::string_view key);

}  // namespace vitalake::storage
