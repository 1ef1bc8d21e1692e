#include "storage/owned_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/log.h"

namespace vitalake::storage {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kMode = 0777;

Fd OpenFolder(const fs::path& path) {
  return Fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
}

// Whether the open folder is still what `path` names.
bool IsThere(const Fd& folder, const fs::path& path) {
  struct stat ours{};
  struct stat there{};
  return ::fstat(folder.number(), &ours) == 0 && ::stat(path.c_str(), &there) == 0 &&
         ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

void RemoveAll(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) log::Warn("cannot remove {}: {}", path.string(), error.message());
}

}  // namespace

Result<OwnedFolder> OwnedFolder::Make(fs::path path) {
  for (;;) {
    if (::mkdir(path.c_str(), kMode) != 0) return FailErrno(errno, "make folder", path);
    Fd folder = OpenFolder(path);
    if (folder.number() < 0 && errno != ENOENT) return FailErrno(errno, "open folder", path);
    if (folder.number() < 0) continue;
    // Waits where somebody is just removing it, taking it for an orphan.
    const int locked = ::flock(folder.number(), LOCK_EX);
    if (locked != 0 && errno == EINTR) continue;
    if (locked != 0 || IsThere(folder, path))
      return OwnedFolder(std::move(path), std::move(folder));
  }
}

OwnedFolder::~OwnedFolder() {
  if (!path_.empty()) RemoveAll(path_);
}

int64_t RemoveOrphans(const fs::path& parent,
                      const std::function<bool(std::string_view name)>& wanted) {
  int64_t removed = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(parent, error)) {
    std::error_code ignored;
    if (!entry.is_directory(ignored) || entry.is_symlink(ignored)) continue;
    if (!wanted(entry.path().filename().string())) continue;
    const Fd folder = OpenFolder(entry.path());
    if (folder.number() < 0 || ::flock(folder.number(), LOCK_EX | LOCK_NB) != 0) continue;
    RemoveAll(entry.path());
    ++removed;
  }
  return removed;
}

}  // namespace vitalake::storage
