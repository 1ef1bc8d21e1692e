#include "storage/copy_in.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "base/random.h"
#include "storage/object_key.h"
#include "storage/posix_file.h"
#include "storage/sha256.h"

namespace vitalake::storage {
namespace {

constexpr size_t kPieceBytes = 1 << 20;
// The kernel is asked to begin writing at this distance, so that the final fsync finds little left.
constexpr int64_t kWriteBehindBytes = 8 << 20;

struct FileState {
  int64_t size = 0;
  timespec modified{};
};

Result<FileState> Look(const Fd& fd, const std::filesystem::path& path) {
  struct stat info{};
  if (::fstat(fd.number(), &info) != 0) return FailErrno(errno, "look at", path);
  return FileState{info.st_size, info.st_mtim};
}

bool Same(const FileState& a, const FileState& b) {
  return a.size == b.size && a.modified.tv_sec == b.modified.tv_sec &&
         a.modified.tv_nsec == b.modified.tv_nsec;
}

void BeginWriteBack(const Fd& fd, int64_t& begun, int64_t written) {
  if (written - begun < kWriteBehindBytes) return;
  // Only a hint: a failure shows again at fsync.
  (void)::sync_file_range(fd.number(), begun, written - begun, SYNC_FILE_RANGE_WRITE);
  begun = written;
}

// A source opened for copying, as it was when it was opened.
struct Source {
  const std::filesystem::path& path;
  Fd fd;
  FileState at_open;
};

Status CheckUnchanged(const Source& source, int64_t read_bytes) {
  VL_TRY(const FileState now, Look(source.fd, source.path));
  if (Same(source.at_open, now) && read_bytes == now.size) return {};
  return Fail(ErrorKind::kIo, fmt::format("{} changed while it was copied ({} bytes at first, then "
                                          "{}): try again when it is complete",
                                          source.path.string(), source.at_open.size, now.size));
}

Result<CopiedFile> CopyBytes(const Source& source, const Fd& out,
                             const std::filesystem::path& staged) {
  const PosixCalls calls = PosixCalls::Real();
  const auto buffer = std::make_unique_for_overwrite<char[]>(kPieceBytes);
  Sha256 hash;
  int64_t size = 0;
  int64_t begun = 0;
  while (true) {
    VL_TRY(const size_t got, ReadFully(source.fd.number(), buffer.get(), kPieceBytes, source.path));
    if (got == 0) break;
    hash.Update({buffer.get(), got});
    VL_RETURN_IF_ERROR(WriteFully(calls, out.number(), {buffer.get(), got}, staged));
    size += static_cast<int64_t>(got);
    BeginWriteBack(out, begun, size);
  }
  VL_RETURN_IF_ERROR(CheckUnchanged(source, size));
  return CopiedFile{size, hash.FinishHex()};
}

Result<CopiedFile> StageAndPut(ObjectStore& store, const Source& source,
                               const std::filesystem::path& staged, std::string_view key) {
  Fd out(::open(staged.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (out.number() < 0) return FailErrno(errno, "create", staged);
  VL_TRY(CopiedFile copied, CopyBytes(source, out, staged));
  VL_RETURN_IF_ERROR(out.Close(staged));
  VL_RETURN_IF_ERROR(store.PutFile(key, staged));
  return copied;
}

}  // namespace

Result<CopiedFile> CopyIn(ObjectStore& store, const std::filesystem::path& source,
                          std::string_view key) {
  VL_RETURN_IF_ERROR(CheckKey(key));
  VL_TRY(Fd fd, OpenForReading(source));
  VL_TRY(const FileState at_open, Look(fd, source));
  VL_TRY(const std::filesystem::path folder, store.StagingFolder());
  const std::filesystem::path staged = folder / ("copy-" + SystemRandom().Uuid());
  auto copied = StageAndPut(store, {source, std::move(fd), at_open}, staged, key);
  if (!copied) ::unlink(staged.c_str());
  return copied;
}

}  // namespace vitalake::storage
