// Taking a file from outside into a store, byte for byte.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "storage/object_store.h"

namespace vitalake::storage {

// A copy in a store's staging folder, not yet an object. The file goes with it.
class StagedCopy {
 public:
  StagedCopy(std::filesystem::path path, int64_t size_bytes, std::string sha256)
      : path_(std::move(path)), size_bytes_(size_bytes), sha256_(std::move(sha256)) {}
  StagedCopy(StagedCopy&& other) noexcept
      : path_(std::exchange(other.path_, {})),
        size_bytes_(other.size_bytes_),
        sha256_(std::move(other.sha256_)) {}
  StagedCopy& operator=(StagedCopy&&) = delete;
  ~StagedCopy();

  const std::filesystem::path& path() const { return path_; }  // may be read at once
  int64_t size_bytes() const { return size_bytes_; }
  const std::string& sha256() const { return sha256_; }  // 64 lower-case hex digits

  // Makes the bytes the new object `key` of the store they are staged in; durable when it returns
  // ok. The copy stays. Errors as ObjectStore::PutFile.
  Status Publish(ObjectStore& store, std::string_view key) const;

 private:
  std::filesystem::path path_;
  int64_t size_bytes_;
  std::string sha256_;
};

// Copies the local file `source` into the staging folder of `store` and hashes it on the way, in
// one reading of 1 MB pieces; the disk begins to write meanwhile. On an error nothing is staged.
// kNotFound, kPermission: the source; kIo: also when the source changed size or modification time
// during the copy; kNoSpace. The copy's name begins with `prefix`: by it the copies of a process
// that was killed are found again.
Result<StagedCopy> StageCopy(ObjectStore& store, const std::filesystem::path& source,
                             std::string_view prefix = "copy-");

}  // namespace vitalake::storage
