// Messages of the PostgreSQL protocol 3.0 as bytes: reading the body of one, writing one.
//
// Source: PostgreSQL documentation, chapter "Frontend/Backend Protocol", "Message Formats".
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace vitalake::serve {

// Codes in the place of a version, of a first message.
constexpr int32_t kPostgresVersion = 3 << 16;
constexpr int32_t kPostgresCancel = 80877102;
constexpr int32_t kPostgresTls = 80877103;
constexpr int32_t kPostgresGssapi = 80877104;

// Appends messages to a buffer. Strings end with a zero byte, which must not be in them.
class MessageWriter {
 public:
  explicit MessageWriter(std::string& out) : out_(out) {}

  // Begins a message of this type; its length is filled in by End.
  MessageWriter& Begin(char type) {
    out_ += type;
    begin_ = out_.size();
    return Int32(0);
  }
  void End() { PutLength(begin_, out_.size() - begin_); }

  MessageWriter& Byte(char value) {
    out_ += value;
    return *this;
  }
  MessageWriter& Int16(int16_t value) { return Number(value); }
  MessageWriter& Int32(int32_t value) { return Number(value); }
  MessageWriter& Int64(int64_t value) { return Number(value); }
  // Up to the first zero byte, and one behind it.
  MessageWriter& Text(std::string_view text) {
    out_ += text.substr(0, text.find('\0'));
    return Byte('\0');
  }
  MessageWriter& Bytes(std::string_view bytes) {
    out_ += bytes;
    return *this;
  }
  // A field with its length before it: of a number, of bytes, or what is written up to EndField.
  template <class T>
  MessageWriter& NumberField(T value) {
    std::array<char, sizeof(int32_t) + sizeof(T)> field;
    const int32_t size = std::byteswap(static_cast<int32_t>(sizeof(T)));
    const T bytes = std::byteswap(value);
    std::memcpy(field.data(), &size, sizeof size);
    std::memcpy(field.data() + sizeof size, &bytes, sizeof bytes);
    out_.append(field.data(), field.size());
    return *this;
  }
  MessageWriter& BytesField(std::string_view bytes) {
    return Int32(static_cast<int32_t>(bytes.size())).Bytes(bytes);
  }
  MessageWriter& BeginField() {
    field_ = out_.size();
    return Int32(0);
  }
  MessageWriter& EndField() {
    PutLength(field_, out_.size() - field_ - sizeof(int32_t));
    return *this;
  }

 private:
  template <class T>
  MessageWriter& Number(T value) {
    AppendNumber(out_, std::byteswap(value));
    return *this;
  }
  void PutLength(size_t at, size_t length) {
    const uint32_t bytes = std::byteswap(static_cast<uint32_t>(length));
    std::memcpy(out_.data() + at, &bytes, sizeof bytes);
  }

  std::string& out_;
  size_t begin_ = 0;  // of the length of the message
  size_t field_ = 0;  // of the length of the field
};

// Reads the body of one message. A read past its end gives 0 or "" and is remembered.
class MessageReader {
 public:
  explicit MessageReader(std::string_view body) : rest_(body) {}

  char Byte();
  int16_t Int16();
  int32_t Int32();
  int64_t Int64();
  std::string_view Text();  // without its zero byte
  std::string_view Bytes(int64_t count);
  std::string_view rest() const { return rest_; }
  // Whether everything was there, and nothing is left.
  bool Whole() const { return !short_ && rest_.empty(); }
  bool ran_out() const { return short_; }

 private:
  uint64_t Number(size_t bytes);

  std::string_view rest_;
  bool short_ = false;
};

}  // namespace vitalake::serve
