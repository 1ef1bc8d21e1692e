#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "fhir/byte_source_internal.h"

namespace vitalake::fhir {
namespace {

constexpr size_t kInputBytes = 256 << 10;     // compressed bytes read at a time
constexpr int64_t kRatioFreeBytes = 1 << 20;  // decompressed bytes before max_ratio counts
constexpr size_t kMaxRead = size_t{1} << 30;  // of one system call
constexpr std::string_view kGzipMagic = "\x1f\x8b";
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";
// Of a skippable frame, behind a first byte of 0x50 to 0x5f (RFC 8878 section 3.1.2).
constexpr std::string_view kZstdSkippableMagic = "\x2a\x4d\x18";

std::unexpected<Error> FailErrno(int code, const std::filesystem::path& path) {
  const ErrorKind kind = code == ENOENT || code == ENOTDIR ? ErrorKind::kNotFound
                         : code == EACCES || code == EPERM ? ErrorKind::kPermission
                                                           : ErrorKind::kIo;
  return Fail(kind, fmt::format("cannot read {}: {}", path.string(),
                                std::generic_category().message(code)));
}

class FileSource final : public ByteSource {
 public:
  FileSource(std::filesystem::path path, int descriptor, int64_t size)
      : path_(std::move(path)), descriptor_(descriptor), size_(size) {}
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  ~FileSource() override { ::close(descriptor_); }

  Result<size_t> Read(std::span<char> out) override {
    const size_t wanted = std::min<size_t>(out.size(), static_cast<size_t>(size_ - at_));
    size_t done = 0;
    while (done < wanted) {
      const ssize_t got =
          ::pread(descriptor_, out.data() + done, std::min(wanted - done, kMaxRead), at_);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return FailErrno(errno, path_);
      if (got == 0) {
        return Fail(ErrorKind::kIo, fmt::format("{} shrank from {} to {} bytes while being read",
                                                path_.string(), size_, at_));
      }
      done += static_cast<size_t>(got);
      at_ += got;
    }
    return done;
  }
  const std::optional<Issue>& fault() const override { return fault_; }
  int64_t bytes_in() const override { return at_; }
  std::optional<int64_t> total_bytes() const override { return size_; }

 private:
  std::filesystem::path path_;
  int descriptor_;
  int64_t size_;
  int64_t at_ = 0;
  std::optional<Issue> fault_;
};

class MessageSource final : public ByteSource {
 public:
  explicit MessageSource(std::string message) : message_(std::move(message)) {}

  Result<size_t> Read(std::span<char> out) override {
    const size_t count = std::min(out.size(), message_.size() - at_);
    std::copy_n(message_.data() + at_, count, out.data());
    at_ += count;
    return count;
  }
  const std::optional<Issue>& fault() const override { return fault_; }
  int64_t bytes_in() const override { return static_cast<int64_t>(at_); }
  std::optional<int64_t> total_bytes() const override {
    return static_cast<int64_t>(message_.size());
  }

 private:
  std::string message_;
  size_t at_ = 0;
  std::optional<Issue> fault_;
};

// Decompresses another source. A format says how one step goes; this class feeds it, counts, and
// stops at the first fault.
class Decompressor : public ByteSource {
 public:
  Decompressor(std::unique_ptr<ByteSource> from, int64_t max_ratio, std::string_view format)
      : from_(std::move(from)), max_ratio_(max_ratio), format_(format), input_(kInputBytes) {}

  Result<size_t> Read(std::span<char> out) final {
    size_t done = 0;
    while (done < out.size() && !ended_) {
      if (unread_.empty()) VL_RETURN_IF_ERROR(Refill());
      const size_t before = unread_.size();
      const size_t made = Step(unread_, out.subspan(done));
      if (before == 0 && made == 0) {  // a step without input only empties the decoder
        if (!between_streams()) Stop("compression", "the {} data is cut off");
        ended_ = true;
      }
      done += made;
      bytes_out_ += static_cast<int64_t>(made);
      bytes_used_ += static_cast<int64_t>(before - unread_.size());
      CheckRatio();
    }
    return done;
  }
  const std::optional<Issue>& fault() const final { return fault_; }
  int64_t bytes_in() const final { return from_->bytes_in(); }
  std::optional<int64_t> total_bytes() const final { return std::nullopt; }

 protected:
  // Decompresses from the front of `in` (which it shortens by what it took) into `out` and returns
  // the bytes made. Calls Stop when the data is broken. Takes or makes something unless `in` is
  // empty.
  virtual size_t Step(std::span<const char>& in, std::span<char> out) = 0;
  // Whether all streams begun so far are complete.
  virtual bool between_streams() const = 0;
  // Ends the source; "{}" in `message` is the format's name.
  void Stop(std::string rule, std::string_view message) {
    ended_ = true;
    if (fault_) return;
    fault_ =
        Issue{Severity::kFatal, std::move(rule), {}, fmt::format(fmt::runtime(message), format_)};
  }

 private:
  Status Refill() {
    VL_TRY(const size_t count, from_->Read(input_));
    unread_ = std::span<const char>(input_).first(count);
    return {};
  }
  void CheckRatio() {
    if (bytes_out_ <= kRatioFreeBytes || bytes_out_ <= bytes_used_ * max_ratio_) return;
    Stop("limit", fmt::format("the {{}} data unpacks to more than {} times its size (max_ratio): "
                              "reading stopped there",
                              max_ratio_));
  }

  std::unique_ptr<ByteSource> from_;
  int64_t max_ratio_;
  std::string_view format_;
  std::vector<char> input_;
  std::span<const char> unread_;
  int64_t bytes_out_ = 0;
  int64_t bytes_used_ = 0;
  bool ended_ = false;
  std::optional<Issue> fault_;
};

// RFC 1952, with any number of members and zero padding behind the last.
class GzipSource final : public Decompressor {
 public:
  GzipSource(std::unique_ptr<ByteSource> from, int64_t max_ratio)
      : Decompressor(std::move(from), max_ratio, "gzip") {
    if (inflateInit2(&stream_, 16 + MAX_WBITS) != Z_OK) Stop("compression", "{}: out of memory");
  }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;
  ~GzipSource() override { inflateEnd(&stream_); }

 protected:
  size_t Step(std::span<const char>& in, std::span<char> out) override {
    if (between_members_ && !StartMember(in)) return 0;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    const uInt room = static_cast<uInt>(std::min(out.size(), kMaxRead));
    stream_.avail_out = room;
    const int result = inflate(&stream_, Z_NO_FLUSH);
    in = in.last(stream_.avail_in);
    if (result == Z_STREAM_END) {
      between_members_ = true;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      Stop("compression", "the {} data is broken");
    }
    return room - stream_.avail_out;
  }
  bool between_streams() const override { return between_members_; }

 private:
  // Skips padding; false when `in` holds no more than that or something else begins there.
  bool StartMember(std::span<const char>& in) {
    if (!first_) {
      while (!in.empty() && in.front() == 0) in = in.subspan(1);
      if (in.empty()) return false;
      if (in.front() != kGzipMagic[0]) {
        Stop("compression", "other bytes follow the {} data");
        return false;
      }
      inflateReset(&stream_);
    }
    first_ = false;
    between_members_ = false;
    return true;
  }

  z_stream stream_{};
  bool first_ = true;
  bool between_members_ = true;
};

// RFC 8878, with any number of frames.
class ZstdSource final : public Decompressor {
 public:
  ZstdSource(std::unique_ptr<ByteSource> from, int64_t max_ratio)
      : Decompressor(std::move(from), max_ratio, "zstd"), stream_(ZSTD_createDStream()) {
    if (!stream_) Stop("compression", "{}: out of memory");
  }
  ZstdSource(const ZstdSource&) = delete;
  ZstdSource& operator=(const ZstdSource&) = delete;
  ~ZstdSource() override { ZSTD_freeDStream(stream_); }

 protected:
  size_t Step(std::span<const char>& in, std::span<char> out) override {
    if (in.empty() && between_frames_) return 0;
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    const size_t result = ZSTD_decompressStream(stream_, &to, &from);
    in = in.subspan(from.pos);
    if (ZSTD_isError(result)) {
      Stop("compression", "the {} data is broken");
    } else {
      between_frames_ = result == 0;
    }
    return to.pos;
  }
  bool between_streams() const override { return between_frames_; }

 private:
  ZSTD_DStream* stream_;
  bool between_frames_ = true;
};

bool IsZstd(std::string_view head) {
  if (head.starts_with(kZstdMagic)) return true;
  return head.size() >= 4 && (static_cast<unsigned char>(head[0]) & 0xf0) == 0x50 &&
         head.substr(1, 3) == kZstdSkippableMagic;
}

std::unique_ptr<ByteSource> Decompressed(std::unique_ptr<ByteSource> source, std::string_view head,
                                         const DecodeLimits& limits) {
  if (head.starts_with(kGzipMagic)) {
    return std::make_unique<GzipSource>(std::move(source), limits.max_ratio);
  }
  if (IsZstd(head)) {
    return std::make_unique<ZstdSource>(std::move(source), limits.max_ratio);
  }
  return source;
}

}  // namespace

Result<std::unique_ptr<ByteSource>> OpenFileSource(const std::filesystem::path& path,
                                                   const DecodeLimits& limits) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return FailErrno(errno, path);
  struct stat status{};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    const int code = S_ISDIR(status.st_mode) ? EISDIR : ESPIPE;
    ::close(descriptor);
    return FailErrno(code, path);
  }
  auto source = std::make_unique<FileSource>(path, descriptor, status.st_size);
  char head[4] = {};
  const ssize_t got = ::pread(descriptor, head, sizeof head, 0);
  if (got < 0) return FailErrno(errno, path);
  ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
  return Decompressed(std::move(source), {head, static_cast<size_t>(got)}, limits);
}

std::unique_ptr<ByteSource> OpenMessageSource(std::string message, const DecodeLimits& limits) {
  const std::string head = message.substr(0, 4);
  return Decompressed(std::make_unique<MessageSource>(std::move(message)), head, limits);
}

}  // namespace vitalake::fhir
