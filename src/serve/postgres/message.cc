#include "serve/postgres/message.h"

namespace vitalake::serve {

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
