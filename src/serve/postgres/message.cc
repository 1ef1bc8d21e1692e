#include "serve/postgres/message.h"

#include <bit>
#include <cstring>

#include "base/bytes.h"

namespace vitalake::serve {

MessageWriter& MessageWriter::Begin(char type) {
  out_ += type;
  begin_ = out_.size();
  return Int32(0);
}

void MessageWriter::End() { PutLength(begin_, out_.size() - begin_); }

void MessageWriter::PutLength(size_t at, size_t length) {
  const uint32_t bytes = std::byteswap(static_cast<uint32_t>(length));
  std::memcpy(out_.data() + at, &bytes, sizeof(bytes));
}

MessageWriter& MessageWriter::Byte(char value) {
  out_ += value;
  return *this;
}

MessageWriter& MessageWriter::Int16(int16_t value) {
  AppendNumber(out_, std::byteswap(value));
  return *this;
}

MessageWriter& MessageWriter::Int32(int32_t value) {
  AppendNumber(out_, std::byteswap(value));
  return *this;
}

MessageWriter& MessageWriter::Int64(int64_t value) {
  AppendNumber(out_, std::byteswap(value));
  return *this;
}

MessageWriter& MessageWriter::Text(std::string_view text) {
  out_ += text.substr(0, text.find('\0'));
  out_ += '\0';
  return *this;
}

MessageWriter& MessageWriter::Bytes(std::string_view bytes) {
  out_ += bytes;
  return *this;
}

MessageWriter& MessageWriter::BeginField() {
  field_ = out_.size();
  return Int32(0);
}

MessageWriter& MessageWriter::EndField() {
  PutLength(field_, out_.size() - field_ - 4);
  return *this;
}

uint64_t MessageReader::Number(size_t bytes) {
  uint64_t value = 0;
  for (const char c : Bytes(static_cast<int64_t>(bytes))) {
    value = value << 8 | static_cast<unsigned char>(c);
  }
  return value;
}

char MessageReader::Byte() { return static_cast<char>(Number(1)); }
int16_t MessageReader::Int16() { return static_cast<int16_t>(Number(2)); }
int32_t MessageReader::Int32() { return static_cast<int32_t>(Number(4)); }
int64_t MessageReader::Int64() { return static_cast<int64_t>(Number(8)); }

std::string_view MessageReader::Text() {
  const size_t end = rest_.find('\0');
  if (end == rest_.npos) {
    short_ = true;
    rest_ = {};
    return {};
  }
  const std::string_view text = rest_.substr(0, end);
  rest_.remove_prefix(end + 1);
  return text;
}

std::string_view MessageReader::Bytes(int64_t count) {
  if (count < 0 || static_cast<uint64_t>(count) > rest_.size()) {
    short_ = true;
    rest_ = {};
    return {};
  }
  const std::string_view bytes = rest_.substr(0, static_cast<size_t>(count));
  rest_.remove_prefix(bytes.size());
  return bytes;
}

}  // namespace vitalake::serve
