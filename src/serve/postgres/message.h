// Messages of the PostgreSQL protocol 3.0 as bytes: reading the body of one, writing one.
//
// Source: PostgreSQL documentation, chapter "Frontend/Backend Protocol", "Message Formats".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

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
  MessageWriter& Begin(char type);
  void End();

  MessageWriter& Byte(char value);
  MessageWriter& Int16(int16_t value);
  MessageWriter& Int32(int32_t value);
  MessageWriter& Int64(int64_t value);
  // Up to the first zero byte, and one behind it.
  MessageWriter& Text(std::string_view text);
  MessageWriter& Bytes(std::string_view bytes);
  // A field with its length before it, which EndField fills in.
  MessageWriter& BeginField();
  MessageWriter& EndField();

 private:
  void PutLength(size_t at, size_t length);

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
