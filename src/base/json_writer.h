// Writing JSON: appends to a string, escapes as RFC 8259 wants, puts the commas.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vitalake {

// Appends `text` with quotes and escapes. Bytes are taken as UTF-8 and not checked.
void AppendJsonString(std::string& out, std::string_view text);

// Writes one JSON value. Calls must nest properly; a Key before each member's value.
//   JsonWriter w; w.BeginObject().Key("a").Int(1).EndObject(); w.text()
class JsonWriter {
 public:
  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Close(']'); }
  JsonWriter& Key(std::string_view name);
  JsonWriter& String(std::string_view text);
  JsonWriter& Int(int64_t value);
  // Shortest text that reads back as the same double; null when it is not finite.
  JsonWriter& Double(double value);
  JsonWriter& Bool(bool value);
  JsonWriter& Null();
  // `json` is put in as it is.
  JsonWriter& Raw(std::string_view json);

  const std::string& text() const { return out_; }
  std::string Take() { return std::move(out_); }

 private:
  JsonWriter& Open(char bracket);
  JsonWriter& Close(char bracket);
  void Separate();

  std::string out_;
  bool comma_ = false;
};

}  // namespace vitalake
