// Files through the system calls, with every failure named. The calls that change the disk can be
// replaced, so that a test can fail any of them or record their order.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vitalake::storage {

// Each as the call of its name: -1 and errno on failure. Must be callable from several threads.
struct PosixCalls {
  std::function<int(const char* path, int flags, mode_t mode)> open;
  std::function<ssize_t(int fd, const void* bytes, size_t size)> write;
  std::function<int(int fd)> fsync;
  std::function<int(const char* path, mode_t mode)> mkdir;
  std::function<int(const char* from, const char* to)> link;
  std::function<int(const char* from, const char* to)> rename;
  // renameat2 with RENAME_NOREPLACE.
  std::function<int(const char* from, const char* to)> rename_no_replace;
  std::function<int(const char* path)> unlink;

  static PosixCalls Real();
};

// Out of space or quota: kNoSpace; refused: kPermission; missing: kNotFound; ...; else kIo.
ErrorKind KindOfErrno(int number);
// "cannot <doing> <path>: <the system's text>".
std::unexpected<Error> FailErrno(int number, std::string_view doing,
                                 const std::filesystem::path& path);

// Owns a file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int number) : number_(number) {}
  Fd(Fd&& other) noexcept;
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();
  int number() const { return number_; }
  // Closes now. kIo (or what errno says) where the system reports a late write error.
  Status Close(const std::filesystem::path& path);

 private:
  int number_ = -1;
};

// Opens a regular file for reading. kNotFound when it is missing or something else than a file.
Result<Fd> OpenForReading(const std::filesystem::path& path);
// Fills `buffer` from the file's position; less than `size` only at the end of the file.
Result<size_t> ReadFully(int fd, char* buffer, size_t size, const std::filesystem::path& path);
Status WriteFully(const PosixCalls& calls, int fd, std::string_view bytes,
                  const std::filesystem::path& path);
// Makes the folder's entries durable. File systems that cannot are taken at their word.
Status SyncFolder(const PosixCalls& calls, const std::filesystem::path& folder);

}  // namespace vitalake::storage
