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
  offer.counts_messages = false;
  auto starts = owner.Assigned(std::span(&offer, 1));
  if (!starts) {
    owner.Trouble(starts.error());
    return false;
  }
  offered_ = true;
  VL_RETURN_IF_ERROR(Seek(0, starts->front()));
  return true;
}

// The next line begins behind the first line feed at or behind offset - 1.
Status FileSource::Seek(int32_t, int64_t offset) {
  buffer_.clear();
  inside_line_ = offset > 0;
  buffer_at_ = std::max<int64_t>(offset - 1, 0);
  return {};
}

Result<bool> FileSource::Fill() {
  const size_t had = buffer_.size();
  buffer_.resize(had + kReadBytes);
  const ssize_t got = pread(fd_, buffer_.data() + had, kReadBytes,
                            static_cast<off_t>(buffer_at_ + static_cast<int64_t>(had)));
  buffer_.resize(had + static_cast<size_t>(std::max<ssize_t>(got, 0)));
  if (got < 0) return std::unexpected(FileFault(path_, "read"));
  return got > 0;
}

Status FileSource::TakeLines(std::vector<StreamMessage>& into, size_t most) {
  size_t at = 0, bytes = 0;
  while (into.size() < most && bytes < kMostBytes) {
    const size_t end = buffer_.find('\n', at);
    if (end == std::string::npos) {
      if (inside_line_) {
        at = buffer_.size();
      } else if (buffer_.size() - at > kMostLineBytes) {
        into.push_back({0,
                        buffer_at_ + static_cast<int64_t>(at),
                        clock_.NowMicros(),
                        {},
                        buffer_.substr(at, kMostLineBytes)});
        inside_line_ = true;
        at = buffer_.size();
      }
      break;
    }
    if (!inside_line_ && end > at) {
      into.push_back({0,
                      buffer_at_ + static_cast<int64_t>(at),
                      clock_.NowMicros(),
                      {},
                      buffer_.substr(at, end - at)});
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
    VL_TRY(const bool more, Fill());
    if (more) return TakeLines(into, most);
  }
  clock_.SleepFor(std::min(patience, kLookAgain));
  return {};
}

}  // namespace vitalake::ingest
