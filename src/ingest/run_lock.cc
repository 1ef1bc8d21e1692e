#include "ingest/run_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace vitalake::ingest {
namespace {

constexpr int kMostSlots = 1000;

}  // namespace

Result<Slot> TakeSlot(const std::filesystem::path& folder, const std::string& name) {
  for (int number = 0; number < kMostSlots; ++number) {
    VL_TRY(auto lock, RunLock::TryTake(folder, RunId{fmt::format("{}-{}", name, number)}));
    if (lock) return Slot{number, std::move(*lock)};
  }
  return Fail(ErrorKind::kLimit,
              fmt::format("{} processes work as {} on this host already", kMostSlots, name));
}

Result<std::optional<RunLock>> RunLock::TryTake(const std::filesystem::path& folder,
                                                const RunId& run) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const std::filesystem::path path = folder / (run.value + ".lock");
  for (;;) {
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
      return Fail(errno == EACCES ? ErrorKind::kPermission : ErrorKind::kIo,
                  fmt::format("cannot open {}: {}", path.string(), std::strerror(errno)));
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
      close(fd);
      return std::nullopt;
    }
    // The holder before us may have removed the file between our open and our lock.
    struct stat ours = {}, there = {};
    if (fstat(fd, &ours) == 0 && stat(path.c_str(), &there) == 0 && ours.st_ino == there.st_ino) {
      return RunLock(fd, path);
    }
    close(fd);
  }
}

RunLock::~RunLock() {
  if (fd_ < 0) return;
  unlink(path_.c_str());
  close(fd_);
}

}  // namespace vitalake::ingest
