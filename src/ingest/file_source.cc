#include "ingest/file_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace vitalake::ingest {
namespace {

constexpr size_t kReadBytes = 1 << 20;
// A longer line is handed over as far as this; it is over every limit of a record.
constexpr size_t kMostLineBytes = 17 << 20;
// Of one poll.
constexpr size_t kMostBytes = 8 << 20;
constexpr std::chrono::milliseconds kLookAgain{50};
// So many bytes in front of our position tell whether the file is still the same.
constexpr size_t kTailBytes = 4 << 10;

Error FileFault(const std::string& path, std::string_view what) {
  return {errno == EACCES   ? ErrorKind::kPermission
          : errno == ENOENT ? ErrorKind::kNotFound
                            : ErrorKind::kIo,
          fmt::format("{} cannot be {}: {}", path, what, std::strerror(errno)),
          {}};
}

}  // namespace

FileSource::FileSource(std::string path, Clock& clock)
    : path_(std::move(path)),
      topic_(std::filesystem::path(path_).filename().string()),
      clock_(clock) {}

FileSource::~FileSource() {
  if (fd_ >= 0) close(fd_);
}

Result<bool> FileSource::Offer(PartitionOwner& owner) {
  if (fd_ < 0) fd_ = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status = {};
  if (fd_ < 0 || fstat(fd_, &status) != 0) {
    owner.Trouble(FileFault(path_, "opened"));
    return false;
  }
  PartitionOffer offer{0, 0, status.st_size};
  offer.anew = anew_;
  auto starts = owner.Assigned(std::span(&offer, 1));
  if (!starts) {
    owner.Trouble(starts.error());
    return false;
  }
  // It is asked for the line before our position: where none can begin there, it is another file.
  if (!anew_ && !BeginsLine(starts->front())) {
    anew_ = true;
    return Offer(owner);
  }
  offered_ = true;
  anew_ = false;
  VL_RETURN_IF_ERROR(Seek(0, starts->front()));
  return true;
}

bool FileSource::BeginsLine(int64_t offset) const {
  if (offset <= 0) return true;
  char around[2] = {};
  return pread(fd_, around, sizeof around, static_cast<off_t>(offset - 1)) < 2 ||
         (around[0] == '\n' && around[1] != '\n');
}

// The next line begins behind the first line feed at or behind offset - 1.
Status FileSource::Seek(int32_t, int64_t offset) {
  buffer_.clear();
  inside_line_ = offset > 0;
  buffer_at_ = std::max<int64_t>(offset - 1, 0);
  tail_.assign(std::min(kTailBytes, static_cast<size_t>(buffer_at_)), '\0');
  const ssize_t got = pread(fd_, tail_.data(), tail_.size(),
                            static_cast<off_t>(buffer_at_ - static_cast<int64_t>(tail_.size())));
  // A file that ends before has other bytes there than NULs: Fill tells.
  if (got < 0 && fd_ >= 0) return std::unexpected(FileFault(path_, "read"));
  given_ = 0;
  committed_ = std::max<int64_t>(offset, 0);
  return {};
}

// Reads the tail again in front of what is new: other bytes there are another file's.
Result<FileSource::Ahead> FileSource::Fill() {
  const size_t had = buffer_.size();
  const size_t overlap = tail_.size();
  const int64_t end = buffer_at_ + static_cast<int64_t>(had);
  std::string read;
  ssize_t got = 0;
  read.resize_and_overwrite(overlap + kReadBytes, [&](char* into, size_t size) {
    got = pread(fd_, into, size, static_cast<off_t>(end - static_cast<int64_t>(overlap)));
    return static_cast<size_t>(std::max<ssize_t>(got, 0));
  });
  if (got < 0) return std::unexpected(FileFault(path_, "read"));
  if (!read.starts_with(tail_)) return Ahead::kAnotherFile;
  if (read.size() == overlap) return IsReplaced() ? Ahead::kAnotherFile : Ahead::kNothing;
  buffer_.append(read, overlap);
  tail_ = read.substr(read.size() - std::min(read.size(), kTailBytes));
  return Ahead::kMore;
}

bool FileSource::IsReplaced() const {
  struct stat named = {}, open_one = {};
  if (stat(path_.c_str(), &named) != 0 || fstat(fd_, &open_one) != 0) return false;
  return named.st_ino != open_one.st_ino || named.st_dev != open_one.st_dev;
}

Status FileSource::Renew(PartitionOwner& owner, std::vector<StreamMessage>& into) {
  if (!buffer_.empty() && !inside_line_) {
    Give(into, 0, buffer_.size());
    buffer_at_ += static_cast<int64_t>(buffer_.size());
    buffer_.clear();
    inside_line_ = true;
    return {};
  }
  if (committed_ < given_) {  // else what is on its way there would be read no more
    clock_.SleepFor(kLookAgain);
    return {};
  }
  close(fd_);
  fd_ = -1;
  offered_ = false;
  anew_ = true;
  VL_TRY(const bool offered, Offer(owner));
  if (!offered) clock_.SleepFor(kLookAgain);
  return {};
}

void FileSource::Give(std::vector<StreamMessage>& into, size_t at, size_t length) {
  const int64_t offset = buffer_at_ + static_cast<int64_t>(at);
  into.push_back({0, offset, clock_.NowMicros(), {}, buffer_.substr(at, length)});
  given_ = offset + 1;
}

Status FileSource::TakeLines(std::vector<StreamMessage>& into, size_t most) {
  size_t at = 0, bytes = 0;
  while (into.size() < most && bytes < kMostBytes) {
    const size_t end = buffer_.find('\n', at);
    if (end == std::string::npos) {
      if (inside_line_) {
        at = buffer_.size();
      } else if (buffer_.size() - at > kMostLineBytes) {
        Give(into, at, kMostLineBytes);
        inside_line_ = true;
        at = buffer_.size();
      }
      break;
    }
    if (!inside_line_ && end > at) {
      Give(into, at, end - at);
      bytes += end - at;
    }
    inside_line_ = false;
    at = end + 1;
  }
  buffer_.erase(0, at);
  buffer_at_ += static_cast<int64_t>(at);
  return {};
}

Status FileSource::Poll(PartitionOwner& owner, std::vector<StreamMessage>& into, size_t most,
                        std::chrono::milliseconds patience) {
  if (!offered_) {
    VL_TRY(const bool offered, Offer(owner));
    if (!offered) clock_.SleepFor(patience);
    return {};
  }
  if (!paused_) {
    VL_RETURN_IF_ERROR(TakeLines(into, most));
    if (!into.empty()) return {};
    VL_TRY(const Ahead ahead, Fill());
    if (ahead == Ahead::kMore) return TakeLines(into, most);
    if (ahead == Ahead::kAnotherFile) return Renew(owner, into);
  }
  clock_.SleepFor(std::min(patience, kLookAgain));
  return {};
}

}  // namespace vitalake::ingest
