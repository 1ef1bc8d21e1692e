#include "serve/http/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <cctype>
#include <ranges>

#include "base/check.h"

namespace vitalake::serve {
namespace {

constexpr int kFastLevel = 3;
constexpr int kGzipWindow = 15 + 16;  // zlib: 16 more asks for a gzip header
constexpr int kMemoryLevel = 8;

std::string Squeezed(std::string_view text) {
  std::string out;
  for (const unsigned char c : text) {
    if (c != ' ' && c != '\t') out += static_cast<char>(std::tolower(c));
  }
  return out;
}

}  // namespace

struct Gzip::Impl {
  Impl() {
    VL_CHECK(deflateInit2(&stream, kFastLevel, Z_DEFLATED, kGzipWindow, kMemoryLevel,
                          Z_DEFAULT_STRATEGY) == Z_OK);
  }
  ~Impl() { deflateEnd(&stream); }
  std::string Deflate(std::string_view bytes, int flush) {
    // A flush may add a few bytes to what the bound says.
    constexpr size_t kFlushBytes = 16;
    std::string out(deflateBound(&stream, bytes.size()) + kFlushBytes, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    VL_CHECK(deflate(&stream, flush) == (flush == Z_FINISH ? Z_STREAM_END : Z_OK));
    VL_CHECK(stream.avail_in == 0 && stream.avail_out > 0);
    out.resize(out.size() - stream.avail_out);
    return out;
  }
  z_stream stream = {};
};

Gzip::Gzip() : impl_(std::make_unique<Impl>()) {}
Gzip::~Gzip() = default;

std::string Gzip::Add(std::string_view bytes) { return impl_->Deflate(bytes, Z_SYNC_FLUSH); }

std::string Gzip::End() { return impl_->Deflate({}, Z_FINISH); }

std::string Gzipped(std::string_view bytes) {
  Gzip::Impl once;
  return once.Deflate(bytes, Z_FINISH);
}

Result<std::string> Gunzipped(std::string_view bytes) {
  z_stream stream = {};
  VL_CHECK(inflateInit2(&stream, kGzipWindow) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  int state = Z_OK;
  while (state == Z_OK) {
    out.resize(std::max<size_t>(2 * out.size(), 64 << 10));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + stream.total_out);
    stream.avail_out = static_cast<uInt>(out.size() - stream.total_out);
    state = inflate(&stream, Z_NO_FLUSH);
  }
  out.resize(stream.total_out);
  inflateEnd(&stream);
  if (state != Z_STREAM_END) return Fail(ErrorKind::kCorrupt, "not a whole gzip stream");
  return out;
}

bool TakesGzip(std::string_view accept_encoding) {
  bool star = false;
  for (const auto part : std::views::split(accept_encoding, ',')) {
    const std::string coding = Squeezed({part.begin(), part.end()});
    const size_t mark = coding.find(';');
    const std::string name = coding.substr(0, mark);
    bool refused = false;
    if (mark != std::string::npos) {
      const std::string weight = coding.substr(mark + 1);
      refused = weight.starts_with("q=0") && weight.find_first_not_of("0.", 3) == std::string::npos;
    }
    if (name == "gzip" || name == "x-gzip") return !refused;
    if (name == "*") star = !refused;
  }
  return star;
}

}  // namespace vitalake::serve
