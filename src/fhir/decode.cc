#include "fhir/decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include "fhir/block_internal.h"
#include "fhir/byte_source_internal.h"
#include "fhir/file_shape_internal.h"

namespace vitalake::fhir {
namespace {

constexpr size_t kPooledBuffers = 8;
constexpr int64_t kMaxTextBytes = int64_t{1} << 30;  // places inside a text are kept in 32 bits

DecodeLimits Bounded(DecodeLimits limits) {
  limits.max_record_bytes = std::clamp<int64_t>(limits.max_record_bytes, 1, kMaxTextBytes);
  limits.max_document_bytes = std::clamp<int64_t>(limits.max_document_bytes, 1, kMaxTextBytes);
  limits.block_bytes = std::clamp<int64_t>(limits.block_bytes, 64, kMaxTextBytes);
  return limits;
}

Issue DocumentSizeIssue(const DecodeLimits& limits) {
  return {
      Severity::kFatal,
      "limit",
      {},
      fmt::format("the document has more bytes than the limit of {}", limits.max_document_bytes)};
}

Issue MessageSizeIssue(size_t bytes, const DecodeLimits& limits) {
  return {Severity::kFatal,
          "limit",
          {},
          fmt::format("the message has {} bytes, more than the limit of {}", bytes,
                      limits.max_message_bytes)};
}

}  // namespace

Buffer::Buffer(size_t capacity)
    : bytes_(std::make_unique_for_overwrite<char[]>(capacity + JsonParser::kPadding)),
      capacity_(capacity) {
  std::memset(bytes_.get() + capacity, 0, JsonParser::kPadding);
}

Buffer Buffer::Grown(size_t capacity, size_t keep) const {
  Buffer grown(capacity);
  if (keep > 0) std::memcpy(grown.data(), data(), keep);
  return grown;
}

Buffer BufferPool::Take(size_t capacity) {
  {
    const std::lock_guard lock(mutex_);
    // The last one given back is the one still in the cache.
    for (size_t i = free_.size(); i-- > 0;) {
      if (free_[i].capacity() < capacity) continue;
      Buffer buffer = std::move(free_[i]);
      free_.erase(free_.begin() + static_cast<std::ptrdiff_t>(i));
      return buffer;
    }
  }
  return Buffer(capacity);
}

void BufferPool::Give(Buffer buffer) {
  if (buffer.capacity() > max_capacity_) return;
  const std::lock_guard lock(mutex_);
  if (free_.size() < kPooledBuffers) free_.push_back(std::move(buffer));
}

RecordBlock::RecordBlock() = default;
RecordBlock::RecordBlock(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RecordBlock::~RecordBlock() = default;
RecordBlock::RecordBlock(RecordBlock&&) noexcept = default;
RecordBlock& RecordBlock::operator=(RecordBlock&&) noexcept = default;

int64_t RecordBlock::sequence() const { return impl_ ? impl_->sequence : 0; }

std::vector<Record> RecordBlock::Split(JsonParser& parser) {
  if (!impl_) return {};
  return SplitBlock(*impl_, parser);
}

// Reads ahead into `buffer` and hands out what is whole. States follow each other downwards.
struct RecordReader::Impl {
  enum class State { kStart, kLines, kDone };
  using Block = std::unique_ptr<RecordBlock::Impl>;

  DecodeLimits limits;
  bool ndjson_name = false;
  std::unique_ptr<ByteSource> source;
  std::shared_ptr<BufferPool> pool;

  std::mutex mutex;  // guards all below except the counters
  State state = State::kStart;
  Buffer buffer;
  size_t size = 0;     // bytes in `buffer`: read and not yet handed out
  int64_t offset = 0;  // of buffer[0] in the decompressed file
  int64_t line = 1;    // of buffer[0]
  int64_t sequence = 0;
  bool at_end = false;  // the source has no more

  std::atomic<int64_t> bytes_out{0};
  std::atomic<int64_t> bytes_in{0};

  Impl(const DecodeLimits& wanted_limits, std::unique_ptr<ByteSource> from)
      : limits(wanted_limits),
        source(std::move(from)),
        pool(std::make_shared<BufferPool>(2 * static_cast<size_t>(limits.block_bytes))) {}

  std::string_view unread() const { return {buffer.data(), size}; }

  // Reads until the buffer holds `wanted` bytes or the source has ended.
  Status Fill(size_t wanted) {
    if (at_end || size >= wanted) return {};
    if (const auto total = source->total_bytes()) {
      wanted = std::min(wanted, size + static_cast<size_t>(*total - source->bytes_in()));
    }
    if (buffer.capacity() < wanted) buffer = buffer.Grown(wanted, size);
    VL_TRY(const size_t count, source->Read({buffer.data() + size, wanted - size}));
    at_end = count < wanted - size || source->total_bytes() == source->bytes_in();
    size += count;
    bytes_in = source->bytes_in();
    return {};
  }

  Result<Block> Next() {
    if (state == State::kStart) return Start();
    if (state == State::kLines) return NextLines();
    return nullptr;
  }

  Result<Block> Start() {
    VL_RETURN_IF_ERROR(Fill(static_cast<size_t>(limits.block_bytes)));
    if (const auto foreign = ForeignFormat(unread())) {
      return Whole(Issue{Severity::kFatal, "encoding", {}, "this is " + *foreign});
    }
    if (unread().starts_with(kLinesMark)) {
      Drop(kLinesMark.size());
      state = State::kLines;
      return NextLines();
    }
    const bool has_nul = BeginsWithNul(unread());
    Drop(ByteOrderMark(unread()));
    VL_TRY(const FileShape shape, Shape(has_nul));
    if (shape == FileShape::kDocument && has_nul) {
      return Whole(
          Issue{Severity::kFatal, "encoding", {}, "this is not UTF-8 text (UTF-16 or binary)"});
    }
    if (shape == FileShape::kDocument) return Document();
    state = State::kLines;
    return NextLines();
  }

  // A message: everything is one block.
  Result<Block> ReadAllAsOne() {
    while (!at_end && !TooLong()) {
      VL_RETURN_IF_ERROR(Fill(2 * std::max<size_t>(size, 64 << 10)));
    }
    if (TooLong()) return Whole(DocumentSizeIssue(limits));
    return Next();
  }

  // A name says nothing of a file that begins like UTF-16; one line of that kind may.
  Result<FileShape> Shape(bool has_nul) {
    if (ndjson_name && !has_nul) return FileShape::kLines;
    for (;;) {
      const FileShape shape = DetectShape(unread(), at_end);
      if (shape != FileShape::kUndecided) return shape;
      if (TooLong()) return FileShape::kDocument;
      VL_RETURN_IF_ERROR(Fill(2 * std::max<size_t>(size, 64)));
    }
  }

  bool TooLong() const { return static_cast<int64_t>(size) > limits.max_document_bytes; }

  Result<Block> Document() {
    const auto total = source->total_bytes();
    const size_t step = total ? static_cast<size_t>(*total) : 0;
    const size_t most = static_cast<size_t>(limits.max_document_bytes) + 1;
    while (!at_end && !TooLong() && (!total || *total - offset <= limits.max_document_bytes)) {
      VL_RETURN_IF_ERROR(Fill(std::min(most, std::max(step, 2 * std::max<size_t>(size, 64)))));
    }
    if (!at_end || TooLong()) return Whole(DocumentSizeIssue(limits));
    if (source->fault()) return Whole(*source->fault());
    state = State::kDone;
    if (TrimBlanks(unread()).empty()) return nullptr;
    return Hand(RecordBlock::Impl::Kind::kDocument, size);
  }

  // Ends the file with one record for all of it.
  Result<Block> Whole(Issue issue) {
    state = State::kDone;
    Block block = EmptyBlock();
    AddTail(*block, unread(), std::move(issue));
    const auto total = source->total_bytes();
    if (total) block->tail->place.byte_length = *total - offset;
    return block;
  }

  Result<Block> NextLines() {
    for (;;) {
      const auto block_bytes = static_cast<size_t>(limits.block_bytes);
      VL_RETURN_IF_ERROR(Fill(std::max(block_bytes, 2 * size)));
      const size_t newline = unread().rfind('\n');
      const bool has_newline = newline != std::string_view::npos;
      if (at_end) return LastLines(has_newline ? newline + 1 : 0);
      if (has_newline) return Hand(RecordBlock::Impl::Kind::kLines, newline + 1);
      if (static_cast<int64_t>(size) > limits.max_record_bytes) return LongLine();
    }
  }

  // `whole` bytes end with a newline; what follows them is cut off when the source has a fault.
  Result<Block> LastLines(size_t whole) {
    state = State::kDone;
    const auto& fault = source->fault();
    if (size == 0 && !fault) return nullptr;
    Block block = Hand(RecordBlock::Impl::Kind::kLines, fault ? whole : size);
    if (fault) AddTail(*block, unread(), *fault);
    return block;
  }

  // The buffer begins with a line that is too long to be held: passes over it.
  Result<Block> LongLine() {
    Block block = EmptyBlock();
    AddTail(*block, unread(), {});
    int64_t length = 0;
    for (;;) {
      const size_t newline = unread().find('\n');
      const bool found = newline != std::string_view::npos;
      length += static_cast<int64_t>(found ? newline : size);
      Drop(found ? newline + 1 : size);
      if (found || at_end) break;
      VL_RETURN_IF_ERROR(Fill(static_cast<size_t>(limits.block_bytes)));
    }
    ++line;
    block->tail->place.byte_length = length;
    block->tail->fault = SizeIssue(length, limits);
    return block;
  }

  // Moves the first `count` bytes of the buffer into a block.
  Block Hand(RecordBlock::Impl::Kind kind, size_t count) {
    Block block = EmptyBlock();
    block->kind = kind;
    Buffer rest;
    if (kind == RecordBlock::Impl::Kind::kLines && !(at_end && count == size)) {
      rest = pool->Take(std::max(static_cast<size_t>(limits.block_bytes), 2 * (size - count)));
      std::memcpy(rest.data(), buffer.data() + count, size - count);
      block->pool = pool;
    }
    block->buffer = std::exchange(buffer, std::move(rest));
    block->text = {block->buffer.data(), count};
    size -= count;
    Count(count);
    if (kind == RecordBlock::Impl::Kind::kLines) FindNewlines(*block);
    return block;
  }

  void FindNewlines(RecordBlock::Impl& block) {
    const char* begin = block.text.data();
    const char* end = begin + block.text.size();
    for (const char* at = begin; at < end; ++at) {
      at = static_cast<const char*>(std::memchr(at, '\n', static_cast<size_t>(end - at)));
      if (at == nullptr) break;
      block.newlines.push_back(static_cast<uint32_t>(at - begin));
    }
    line += static_cast<int64_t>(block.newlines.size());
  }

  Block EmptyBlock() {
    auto block = std::make_unique<RecordBlock::Impl>();
    block->limits = limits;
    block->sequence = sequence++;
    block->offset = offset;
    block->line = line;
    return block;
  }

  void AddTail(RecordBlock::Impl& block, std::string_view text, Issue issue) {
    block.tail_payload = PayloadOf(text);
    Record& record = block.tail.emplace();
    record.place = {line, -1, offset, static_cast<int64_t>(text.size())};
    record.payload = block.tail_payload;
    record.fault = std::move(issue);
  }

  // Forgets the first `count` bytes of the buffer.
  void Drop(size_t count) {
    if (count == 0) return;
    std::memmove(buffer.data(), buffer.data() + count, size - count);
    size -= count;
    Count(count);
  }
  void Count(size_t count) {
    offset += static_cast<int64_t>(count);
    bytes_out = offset;
  }
};

RecordReader::RecordReader() = default;
RecordReader::~RecordReader() = default;

Result<std::unique_ptr<RecordReader>> RecordReader::Open(const std::filesystem::path& path,
                                                         const DecodeLimits& limits,
                                                         std::string_view name) {
  const DecodeLimits bounded = Bounded(limits);
  VL_TRY(auto source, OpenFileSource(path, bounded));
  std::unique_ptr<RecordReader> reader(new RecordReader);
  reader->impl_ = std::make_unique<Impl>(bounded, std::move(source));
  reader->impl_->ndjson_name =
      IsNdjsonName(name.empty() ? path.filename().string() : std::string(name));
  return reader;
}

Result<std::optional<RecordBlock>> RecordReader::Next() {
  const std::lock_guard lock(impl_->mutex);
  auto next = impl_->Next();
  if (!next) {
    impl_->state = Impl::State::kDone;
    return std::unexpected(std::move(next.error()));
  }
  if (*next == nullptr) return std::nullopt;
  return RecordBlock(std::move(*next));
}

int64_t RecordReader::bytes_out() const { return impl_->bytes_out; }
int64_t RecordReader::bytes_in() const { return impl_->bytes_in; }

RecordBlock BlockFromMessage(std::string message, const DecodeLimits& limits) {
  const DecodeLimits bounded = Bounded(limits);
  if (static_cast<int64_t>(message.size()) > bounded.max_message_bytes) {
    RecordReader::Impl reader(bounded, OpenMessageSource({}, bounded));
    auto block = reader.EmptyBlock();
    reader.AddTail(*block, message, MessageSizeIssue(message.size(), bounded));
    return RecordBlock(std::move(block));
  }
  RecordReader::Impl reader(bounded, OpenMessageSource(std::move(message), bounded));
  auto block = reader.ReadAllAsOne();
  if (!block) return {};  // memory cannot fail to be read
  return RecordBlock(std::move(*block));
}

}  // namespace vitalake::fhir
