#include "storage/local_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/random.h"
#include "storage/local_listing.h"
#include "storage/object_key.h"

namespace vitalake::storage {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFileMode = 0666;
constexpr mode_t kFolderMode = 0777;

std::unexpected<Error> NoObject(std::string_view key) {
  return Fail(ErrorKind::kNotFound, fmt::format("there is no object '{}'", key));
}

// The object behind an open file, or kNotFound with the key's name rather than the path's.
Result<Fd> OpenObject(const fs::path& path, std::string_view key) {
  auto fd = OpenForReading(path);
  if (!fd && fd.error().kind == ErrorKind::kNotFound) return NoObject(key);
  return fd;
}

Result<struct stat> StatOf(const Fd& fd, const fs::path& path) {
  struct stat info{};
  if (::fstat(fd.number(), &info) != 0) return FailErrno(errno, "look at", path);
  return info;
}

// Errors after which a rename or link is known not to have happened. Others (EIO, a network file
// system's time-outs) leave that open.
bool SurelyDidNothing(int number) {
  switch (KindOfErrno(number)) {
    case ErrorKind::kIo:
      return number == EMLINK || number == ELOOP || number == EXDEV;
    default:
      return true;
  }
}

bool HasSecondLink(const fs::path& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 && info.st_nlink > 1;
}

Result<PutOutcome> Taken(const fs::path& target) {
  std::error_code ignored;
  if (fs::is_directory(target, ignored)) return FailErrno(EISDIR, "write", target);
  return PutOutcome::kExists;
}

Result<std::string> ReadAt(const Fd& fd, const fs::path& path, int64_t offset, int64_t size) {
  std::string bytes(static_cast<size_t>(size), '\0');
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::pread(fd.number(), bytes.data() + done, bytes.size() - done,
                                offset + static_cast<int64_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FailErrno(errno, "read", path);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

class LocalReader final : public ObjectReader {
 public:
  LocalReader(Fd fd, fs::path path, int64_t size_bytes)
      : fd_(std::move(fd)), path_(std::move(path)), size_bytes_(size_bytes) {}

  int64_t size_bytes() const override { return size_bytes_; }
  Result<std::string> ReadRange(int64_t offset, int64_t size) override {
    if (offset < 0 || size < 0) {
      return Fail(ErrorKind::kInvalidArgument,
                  fmt::format("range {}+{} of {} is negative", offset, size, path_.string()));
    }
    return ReadAt(fd_, path_, offset, std::min(std::max<int64_t>(0, size_bytes_ - offset), size));
  }
  void WillRead(int64_t offset, int64_t size) override {
    ::posix_fadvise(fd_.number(), offset, size, POSIX_FADV_WILLNEED);
  }

 private:
  const Fd fd_;
  const fs::path path_;
  const int64_t size_bytes_;
};

}  // namespace

Result<std::unique_ptr<LocalStore>> LocalStore::Open(const fs::path& root, PosixCalls calls) {
  if (root.empty()) return Fail(ErrorKind::kInvalidArgument, "the store's folder has no name");
  std::error_code code;
  const fs::path absolute = fs::absolute(root, code).lexically_normal();
  if (code) return FailErrno(code.value(), "find", root);
  const auto status = fs::status(absolute, code);
  if (fs::exists(status) && !fs::is_directory(status)) {
    return Fail(ErrorKind::kInvalidArgument, fmt::format("{} is not a folder", absolute.string()));
  }
  return std::unique_ptr<LocalStore>(new LocalStore(
      absolute.has_filename() ? absolute : absolute.parent_path(), std::move(calls)));
}

Result<std::vector<ObjectInfo>> LocalStore::List(std::string_view prefix,
                                                 std::string_view start_after) {
  VL_RETURN_IF_ERROR(CheckPrefix(prefix));
  return ListObjects(root_, prefix, start_after);
}

Result<std::vector<std::string>> LocalStore::ListFolder(std::string_view prefix) {
  VL_RETURN_IF_ERROR(CheckFolder(prefix));
  return ListNames(root_, prefix);
}

Result<ObjectInfo> LocalStore::Head(std::string_view key) {
  VL_RETURN_IF_ERROR(CheckKey(key));
  struct stat info{};
  if (::stat(PathOf(key).c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return NoObject(key);
    return FailErrno(errno, "look at", PathOf(key));
  }
  if (!S_ISREG(info.st_mode)) return NoObject(key);
  return ObjectInfo{std::string(key), info.st_size, ModifiedMicros(info)};
}

Result<std::string> LocalStore::Read(std::string_view key) {
  VL_RETURN_IF_ERROR(CheckKey(key));
  VL_TRY(const Fd fd, OpenObject(PathOf(key), key));
  VL_TRY(const struct stat info, StatOf(fd, PathOf(key)));
  VL_TRY(std::string bytes, ReadAt(fd, PathOf(key), 0, info.st_size));
  if (bytes.size() != static_cast<size_t>(info.st_size)) {
    return Fail(ErrorKind::kIo, fmt::format("{} was cut while it was read", PathOf(key).string()));
  }
  return bytes;
}

Result<std::string> LocalStore::ReadRange(std::string_view key, int64_t offset, int64_t size) {
  VL_RETURN_IF_ERROR(CheckKey(key));
  if (offset < 0 || size < 0) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("range {}+{} of '{}' is negative", offset, size, key));
  }
  VL_TRY(const Fd fd, OpenObject(PathOf(key), key));
  VL_TRY(const struct stat info, StatOf(fd, PathOf(key)));
  const int64_t rest = std::max<int64_t>(0, info.st_size - offset);
  return ReadAt(fd, PathOf(key), offset, std::min(rest, size));
}

Result<std::unique_ptr<ObjectReader>> LocalStore::OpenReader(std::string_view key) {
  VL_RETURN_IF_ERROR(CheckKey(key));
  fs::path path = PathOf(key);
  VL_TRY(Fd fd, OpenObject(path, key));
  VL_TRY(const struct stat info, StatOf(fd, path));
  return std::make_unique<LocalReader>(std::move(fd), std::move(path), info.st_size);
}

Status LocalStore::Put(std::string_view key, std::string_view bytes) {
  VL_RETURN_IF_ERROR(CheckKey(key));
  VL_TRY(const fs::path temporary, WriteTemporary(bytes));
  auto published = MoveAndSync(temporary, PathOf(key), calls_.rename);
  if (!published) {
    calls_.unlink(temporary.c_str());
    return std::unexpected(std::move(published).error());
  }
  if (*published == PutOutcome::kCreated) return {};
  return Fail(ErrorKind::kUnknownOutcome,
              fmt::format("it is unknown whether '{}' was replaced: read it back", key));
}

Status LocalStore::PutCache(std::string_view key, std::string_view bytes) {
  VL_RETURN_IF_ERROR(CheckKey(key));
  VL_TRY(const fs::path temporary, WriteTemporary(bytes, Lasting::kCache));
  auto moved = InFolder(temporary, PathOf(key), calls_.rename);
  if (moved && *moved == 0) return {};
  calls_.unlink(temporary.c_str());
  return moved ? FailErrno(*moved, "move to", PathOf(key)) : std::unexpected(moved.error());
}

Status LocalStore::PutMark(std::string_view key, std::string_view bytes) {
  VL_RETURN_IF_ERROR(CheckKey(key));
  const fs::path path = PathOf(key);
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  struct stat about{};
  const bool fits = fd.number() >= 0 && ::fstat(fd.number(), &about) == 0 &&
                    about.st_size == static_cast<off_t>(bytes.size());
  return fits ? WriteFully(calls_, fd.number(), bytes, path) : PutCache(key, bytes);
}

Result<PutOutcome> LocalStore::PutIfAbsent(std::string_view key, std::string_view bytes) {
  VL_RETURN_IF_ERROR(CheckKey(key));
  // Saves a useless write; the link below decides.
  if (Head(key)) return PutOutcome::kExists;
  VL_TRY(const fs::path temporary, WriteTemporary(bytes));
  auto published = LinkAndSync(temporary, PathOf(key));
  calls_.unlink(temporary.c_str());
  return published;
}

Status LocalStore::PutFile(std::string_view key, const fs::path& staged) {
  VL_RETURN_IF_ERROR(CheckKey(key));
  VL_TRY(const Fd fd, OpenForReading(staged));
  if (calls_.fsync(fd.number()) != 0) return FailErrno(errno, "make durable", staged);

  fs::path moved = staged;
  auto published = MoveAndSync(moved, PathOf(key), calls_.rename_no_replace);
  if (!published && published.error().kind == ErrorKind::kUnsupported) {
    // Another device, or a file system without RENAME_NOREPLACE: a copy beside the store, linked.
    VL_TRY(moved, CopyToTemporary(staged));
    published = LinkAndSync(moved, PathOf(key));
    calls_.unlink(moved.c_str());
    if (published && *published == PutOutcome::kCreated) calls_.unlink(staged.c_str());
  }
  if (!published) return std::unexpected(std::move(published).error());
  switch (*published) {
    case PutOutcome::kCreated:
      return {};
    case PutOutcome::kExists:
      return Fail(ErrorKind::kAlreadyExists, fmt::format("there is already an object '{}'", key));
    case PutOutcome::kUnknown:
      break;
  }
  return Fail(ErrorKind::kUnknownOutcome,
              fmt::format("it is unknown whether '{}' was written: read it back", key));
}

Status LocalStore::Delete(std::string_view key) {
  VL_RETURN_IF_ERROR(CheckKey(key));
  fs::path path = PathOf(key);
  if (calls_.unlink(path.c_str()) == 0 || errno == ENOENT || errno == ENOTDIR) return {};
  if (errno == EISDIR) return {};
  return FailErrno(errno, "delete", path);
}

Result<fs::path> LocalStore::LocalPath(std::string_view key) {
  VL_TRY(const ObjectInfo info, Head(key));
  return PathOf(info.key);
}

fs::path LocalStore::DefaultStaging(const fs::path& root) {
  return root / kStagingPrefix.substr(0, kStagingPrefix.size() - 1);
}

Result<fs::path> LocalStore::StagingFolder() {
  VL_RETURN_IF_ERROR(MakeDurableFolder(staging_));
  if (::access(staging_.c_str(), F_OK) != 0) {
    ForgetFolder(staging_);
    VL_RETURN_IF_ERROR(MakeDurableFolder(staging_));
  }
  return staging_;
}

Result<fs::path> LocalStore::WriteTemporary(std::string_view bytes, Lasting lasting) {
  VL_TRY(const fs::path folder, StagingFolder());
  fs::path path = folder / ("put-" + SystemRandom().Uuid());
  Fd fd(calls_.open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode));
  if (fd.number() < 0) return FailErrno(errno, "create", path);
  Status written = WriteFully(calls_, fd.number(), bytes, path);
  if (written && lasting == Lasting::kDurable && calls_.fsync(fd.number()) != 0) {
    written = FailErrno(errno, "make durable", path);
  }
  if (written) written = fd.Close(path);
  if (written) return path;
  calls_.unlink(path.c_str());
  return std::unexpected(std::move(written).error());
}

Result<fs::path> LocalStore::CopyToTemporary(const fs::path& staged) {
  constexpr size_t kPiece = 1 << 20;
  VL_TRY(const Fd from, OpenForReading(staged));
  VL_TRY(fs::path path, WriteTemporary(""));
  Status copied;
  Fd to(calls_.open(path.c_str(), O_WRONLY | O_CLOEXEC, 0));
  if (to.number() < 0) copied = FailErrno(errno, "open", path);
  const auto buffer = std::make_unique_for_overwrite<char[]>(kPiece);
  while (copied) {
    auto got = ReadFully(from.number(), buffer.get(), kPiece, staged);
    if (!got) {
      copied = std::unexpected(std::move(got).error());
      break;
    }
    if (*got == 0) break;
    copied = WriteFully(calls_, to.number(), {buffer.get(), *got}, path);
  }
  if (copied && calls_.fsync(to.number()) != 0) copied = FailErrno(errno, "make durable", path);
  if (copied) return path;
  calls_.unlink(path.c_str());
  return std::unexpected(std::move(copied).error());
}

Result<PutOutcome> LocalStore::LinkAndSync(const fs::path& from, const fs::path& target) {
  VL_TRY(const int error, InFolder(from, target, calls_.link));
  if (error == EEXIST) {
    // A network file system may have linked it and lost the answer to its first request.
    if (!HasSecondLink(from)) return Taken(target);
  } else if (error != 0) {
    if (SurelyDidNothing(error)) return FailErrno(error, "link", target);
    return PutOutcome::kUnknown;
  }
  return SyncFolder(calls_, target.parent_path()) ? PutOutcome::kCreated : PutOutcome::kUnknown;
}

Result<PutOutcome> LocalStore::MoveAndSync(const fs::path& from, const fs::path& target,
                                           const Publish& move) {
  VL_TRY(const int error, InFolder(from, target, move));
  if (error == EEXIST) return Taken(target);
  if (error == EXDEV || error == EINVAL || error == ENOSYS) {
    return Fail(ErrorKind::kUnsupported, fmt::format("cannot move to {}", target.string()));
  }
  if (error != 0) {
    if (SurelyDidNothing(error)) return FailErrno(error, "move to", target);
    return PutOutcome::kUnknown;
  }
  return SyncFolder(calls_, target.parent_path()) ? PutOutcome::kCreated : PutOutcome::kUnknown;
}

Result<int> LocalStore::InFolder(const fs::path& from, const fs::path& target,
                                 const Publish& publish) {
  const fs::path folder = target.parent_path();
  VL_RETURN_IF_ERROR(MakeDurableFolder(folder));
  if (publish(from.c_str(), target.c_str()) == 0) return 0;
  if (errno != ENOENT) return errno;
  ForgetFolder(folder);
  VL_RETURN_IF_ERROR(MakeDurableFolder(folder));
  return publish(from.c_str(), target.c_str()) == 0 ? 0 : errno;
}

Status LocalStore::MakeDurableFolder(const fs::path& folder) {
  {
    const std::lock_guard lock(mutex_);
    if (durable_folders_.contains(folder.native())) return {};
  }
  const bool is_root = folder == root_;
  struct stat info{};
  const bool exists = ::stat(folder.c_str(), &info) == 0;
  if (exists && !S_ISDIR(info.st_mode)) return FailErrno(ENOTDIR, "make a folder of", folder);
  // What lies above the root is not ours: it is synced only where it is made here.
  const bool above_root = root_.native().size() > folder.native().size();
  if (!exists || !(is_root || above_root)) {
    VL_RETURN_IF_ERROR(MakeDurableFolder(folder.parent_path()));
    if (!exists && calls_.mkdir(folder.c_str(), kFolderMode) != 0 && errno != EEXIST) {
      return FailErrno(errno, "make folder", folder);
    }
    VL_RETURN_IF_ERROR(SyncFolder(calls_, folder.parent_path()));
  }
  const std::lock_guard lock(mutex_);
  durable_folders_.insert(folder.native());
  return {};
}

void LocalStore::ForgetFolder(const fs::path& folder) {
  const std::lock_guard lock(mutex_);
  for (fs::path at = folder; at != at.parent_path(); at = at.parent_path()) {
    durable_folders_.erase(at.native());
    if (at == root_) break;
  }
}

}  // namespace vitalake::storage
