// RunLock: tells a live batch run from a crashed one. Held by the process that works on the run;
// the system lets go of it when the process ends, however it ends.
//
// Slot: a number no other process of this host has under the same name, the lowest that is free: so
// the successor of a killed process takes over what the name belongs to.
#pragma once

#include <filesystem>
#include <optional>
#include <utility>

#include "base/ids.h"
#include "base/result.h"

namespace vitalake::ingest {

class RunLock {
 public:
  // nullopt when another process (or this one) holds it. kIo, kPermission.
  static Result<std::optional<RunLock>> TryTake(const std::filesystem::path& folder,
                                                const RunId& run);
  RunLock(RunLock&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}
  RunLock& operator=(RunLock&&) = delete;
  // Lets go and removes the file.
  ~RunLock();

 private:
  RunLock(int fd, std::filesystem::path path) : fd_(fd), path_(std::move(path)) {}

  int fd_;
  std::filesystem::path path_;
};

struct Slot {
  int number = 0;
  RunLock lock;
};

// "<name>-<number>.lock" in `folder`. kLimit when a thousand are taken; kIo, kPermission.
Result<Slot> TakeSlot(const std::filesystem::path& folder, const std::string& name);

}  // namespace vitalake::ingest
