#include "storage/posix_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

namespace vitalake::storage {

PosixCalls PosixCalls::Real() {
  return {
      .open = [](const char* path, int flags, mode_t mode) { return ::open(path, flags, mode); },
      .write = [](int fd, const void* bytes, size_t size) { return ::write(fd, bytes, size); },
      .fsync = [](int fd) { return ::fsync(fd); },
      .mkdir = [](const char* path, mode_t mode) { return ::mkdir(path, mode); },
      .link = [](const char* from, const char* to) { return ::link(from, to); },
      .rename = [](const char* from, const char* to) { return ::rename(from, to); },
      .rename_no_replace =
          [](const char* from, const char* to) {
            return ::renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
          },
      .unlink = [](const char* path) { return ::unlink(path); },
  };
}

ErrorKind KindOfErrno(int number) {
  switch (number) {
    case ENOENT:
      return ErrorKind::kNotFound;
    case EEXIST:
      return ErrorKind::kAlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorKind::kPermission;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return ErrorKind::kNoSpace;
    case ENAMETOOLONG:
    case ENOTDIR:
    case EISDIR:
    case EINVAL:
      return ErrorKind::kInvalidArgument;
    case EMFILE:
    case ENFILE:
      return ErrorKind::kLimit;
    default:
      return ErrorKind::kIo;
  }
}

std::unexpected<Error> FailErrno(int number, std::string_view doing,
                                 const std::filesystem::path& path) {
  return Fail(KindOfErrno(number), fmt::format("cannot {} {}: {}", doing, path.string(),
                                               std::generic_category().message(number)));
}

Fd::Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

Fd& Fd::operator=(Fd&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

Fd::~Fd() {
  if (number_ >= 0) ::close(number_);
}

Status Fd::Close(const std::filesystem::path& path) {
  if (::close(std::exchange(number_, -1)) != 0) return FailErrno(errno, "close", path);
  return {};
}

Result<Fd> OpenForReading(const std::filesystem::path& path) {
  // Non-blocking, so that a pipe of that name cannot hold us.
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.number() < 0) {
    if (errno == ENOTDIR) errno = ENOENT;
    return FailErrno(errno, "open", path);
  }
  struct stat info{};
  if (::fstat(fd.number(), &info) != 0) return FailErrno(errno, "look at", path);
  if (!S_ISREG(info.st_mode)) {
    return Fail(ErrorKind::kNotFound, fmt::format("{} is not a regular file", path.string()));
  }
  return fd;
}

Result<size_t> ReadFully(int fd, char* buffer, size_t size, const std::filesystem::path& path) {
  size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(fd, buffer + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FailErrno(errno, "read", path);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

Status WriteFully(const PosixCalls& calls, int fd, std::string_view bytes,
                  const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t put = calls.write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return FailErrno(errno, "write", path);
    if (put == 0) return FailErrno(EIO, "write", path);
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return {};
}

Status SyncFolder(const PosixCalls& calls, const std::filesystem::path& folder) {
  const Fd fd(calls.open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
  if (fd.number() < 0) return FailErrno(errno, "open folder", folder);
  if (calls.fsync(fd.number()) != 0 && errno != EINVAL && errno != ENOTSUP) {
    return FailErrno(errno, "make durable the folder", folder);
  }
  return {};
}

}  // namespace vitalake::storage
