// OwnedFolder: a scratch folder that goes with the process that made it, and can be told from one
// whose process was killed.
//
// Its owner holds a lock (flock) on the folder itself, which the system lets go of when the process
// ends, however it ends. So whoever gets the lock of a folder found lying about may remove it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "storage/posix_file.h"

namespace vitalake::storage {

// Move-only. Not thread-safe.
class OwnedFolder {
 public:
  // Makes the folder inside one that is there, and locks it. kAlreadyExists when there is something
  // of that name; kNotFound, kPermission, kNoSpace, kIo. Where the file system knows no locks it is
  // made all the same.
  static Result<OwnedFolder> Make(std::filesystem::path path);

  OwnedFolder(OwnedFolder&& other) noexcept
      : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}
  OwnedFolder& operator=(OwnedFolder&&) = delete;
  // Removes the folder and what is in it; a failure is logged.
  ~OwnedFolder();

  const std::filesystem::path& path() const { return path_; }

 private:
  OwnedFolder(std::filesystem::path path, Fd lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::filesystem::path path_;
  Fd lock_;
};

// Removes the folders directly in `parent` whose name `wanted` takes and whose owner is gone.
// Returns how many. No parent: 0. What cannot be looked into or removed stays and is logged.
int64_t RemoveOrphans(const std::filesystem::path& parent,
                      const std::function<bool(std::string_view name)>& wanted);

}  // namespace vitalake::storage
