// What a RecordBlock holds: a part of a file's decompressed bytes, and how it is to be split.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_tree.h"
#include "fhir/decode.h"

namespace vitalake::fhir {

// Bytes to read into, with JsonParser::kPadding readable ones behind `capacity`. Move-only.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t capacity);

  char* data() { return bytes_.get(); }
  const char* data() const { return bytes_.get(); }
  size_t capacity() const { return capacity_; }
  // A buffer of `capacity` that begins with the first `keep` bytes of this one.
  Buffer Grown(size_t capacity, size_t keep) const;

 private:
  std::unique_ptr<char[]> bytes_;
  size_t capacity_ = 0;
};

// Buffers on their way back from split blocks to the reader: fresh memory costs page faults.
// Thread-safe.
class BufferPool {
 public:
  // Buffers above `max_capacity` are not kept.
  explicit BufferPool(size_t max_capacity) : max_capacity_(max_capacity) {}
  // A buffer of at least that capacity.
  Buffer Take(size_t capacity);
  void Give(Buffer buffer);

 private:
  const size_t max_capacity_;
  std::mutex mutex_;
  std::vector<Buffer> free_;
};

struct RecordBlock::Impl {
  ~Impl() {
    if (pool && buffer.data() != nullptr) pool->Give(std::move(buffer));
  }

  enum class Kind { kLines, kDocument };
  Kind kind = Kind::kLines;
  DecodeLimits limits;
  int64_t sequence = 0;
  Buffer buffer;
  std::shared_ptr<BufferPool> pool;  // where `buffer` goes back to; may be null
  std::string_view text;             // the part of `buffer` to split
  int64_t offset = 0;                // of text[0] in the decompressed file
  int64_t line = 1;                  // of text[0]
  std::vector<uint32_t> newlines;    // kLines: where in `text` they are

  // A record that cannot be read, after those of `text`; its payload is `tail_payload`.
  std::optional<Record> tail;
  std::string tail_payload;

  // What records of this block point to.
  std::deque<BundleReferences> references;
  std::deque<std::string> strings;
};

// The records of `block.text`, then `block.tail`.
std::vector<Record> SplitBlock(RecordBlock::Impl& block, JsonParser& parser);

// The issue for a record of that many bytes, more than max_record_bytes.
Issue SizeIssue(int64_t bytes, const DecodeLimits& limits);

// How much of an unreadable record is shown.
inline constexpr size_t kMaxPayloadBytes = 64 << 10;

// The first bytes of `text` as a payload: cut between characters.
std::string_view PayloadOf(std::string_view text);

// White space of JSON.
inline bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
std::string_view TrimBlanks(std::string_view text);

}  // namespace vitalake::fhir
