#include "storage/copy_in.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <semaphore>
#include <thread>
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

// Hashes pieces on a thread of its own while the caller writes them.
class PieceHasher {
 public:
  PieceHasher() : thread_([this] { Run(); }) {}
  ~PieceHasher() {
    if (!thread_.joinable()) return;
    if (!ended_) {
      NextBuffer();
      Hash(0);
    }
    thread_.join();
  }

  // The buffer to read the next piece into, once it is no longer in use.
  char* NextBuffer() {
    Slot& slot = slots_[at_];
    slot.free.acquire();
    return slot.bytes.get();
  }
  // Hashes `size` bytes of the last NextBuffer, which must stay as they are. 0: the end.
  void Hash(size_t size) {
    Slot& slot = slots_[at_];
    slot.size = size;
    ended_ = size == 0;
    slot.full.release();
    at_ = 1 - at_;
  }
  // Of all pieces, after the end.
  std::string Finish() {
    thread_.join();
    return hash_.FinishHex();
  }

 private:
  struct Slot {
    std::unique_ptr<char[]> bytes = std::make_unique_for_overwrite<char[]>(kPieceBytes);
    size_t size = 0;
    std::binary_semaphore free{1};
    std::binary_semaphore full{0};
  };

  void Run() {
    for (size_t at = 0;; at = 1 - at) {
      Slot& slot = slots_[at];
      slot.full.acquire();
      if (slot.size == 0) return;
      hash_.Update({slot.bytes.get(), slot.size});
      slot.free.release();
    }
  }

  std::array<Slot, 2> slots_;
  size_t at_ = 0;
  bool ended_ = false;
  Sha256 hash_;
  std::thread thread_;
};

Result<StagedCopy> CopyBytes(const Source& source, const std::filesystem::path& staged) {
  Fd out(::open(staged.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (out.number() < 0) return FailErrno(errno, "create", staged);
  const PosixCalls calls = PosixCalls::Real();
  PieceHasher hasher;
  int64_t size = 0;
  int64_t begun = 0;
  while (true) {
    char* const piece = hasher.NextBuffer();
    auto got = ReadFully(source.fd.number(), piece, kPieceBytes, source.path);
    hasher.Hash(got.value_or(0));
    if (!got) return std::unexpected(std::move(got).error());
    if (*got == 0) break;
    VL_RETURN_IF_ERROR(WriteFully(calls, out.number(), {piece, *got}, staged));
    size += static_cast<int64_t>(*got);
    BeginWriteBack(out, begun, size);
  }
  VL_RETURN_IF_ERROR(CheckUnchanged(source, size));
  VL_RETURN_IF_ERROR(out.Close(staged));
  return StagedCopy{staged, size, hasher.Finish()};
}

}  // namespace

StagedCopy::~StagedCopy() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

Status StagedCopy::Publish(ObjectStore& store, std::string_view key) const {
  VL_RETURN_IF_ERROR(CheckKey(key));
  const std::filesystem::path link = path_.string() + ".put";
  if (::link(path_.c_str(), link.c_str()) != 0) return FailErrno(errno, "link", path_);
  auto put = store.PutFile(key, link);
  if (!put) ::unlink(link.c_str());
  return put;
}

Result<StagedCopy> StageCopy(ObjectStore& store, const std::filesystem::path& source,
                             std::string_view prefix) {
  VL_TRY(Fd fd, OpenForReading(source));
  VL_TRY(const FileState at_open, Look(fd, source));
  VL_TRY(const std::filesystem::path folder, store.StagingFolder());
  const std::filesystem::path staged = folder / (std::string(prefix) + SystemRandom().Uuid());
  auto copied = CopyBytes({source, std::move(fd), at_open}, staged);
  if (!copied) ::unlink(staged.c_str());
  return copied;
}

}  // namespace vitalake::storage
