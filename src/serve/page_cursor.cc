#include "serve/page_cursor.h"

#include "base/json_tree.h"
#include "base/json_writer.h"

namespace vitalake::serve {
namespace {

constexpr std::string_view kDigits64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// RFC 4648, section 5, without padding.
std::string ToBase64Url(std::string_view bytes) {
  std::string out;
  uint32_t held = 0;
  int bits = 0;
  for (const char c : bytes) {
    held = (held << 8) | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6) out += kDigits64[(held >> (bits - 6)) & 63];
  }
  if (bits > 0) out += kDigits64[(held << (6 - bits)) & 63];
  return out;
}

std::string FromBase64Url(std::string_view text) {
  std::string out;
  uint32_t held = 0;
  int bits = 0;
  for (const char c : text) {
    const size_t digit = kDigits64.find(c);
    if (digit == std::string_view::npos) return "";
    held = (held << 6) | static_cast<uint32_t>(digit);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>((held >> bits) & 255);
    }
  }
  return out;
}

}  // namespace

std::string EncodeCursor(const CursorParts& parts) {
  JsonWriter json;
  json.BeginArray();
  for (const std::string& part : parts) json.String(part);
  return ToBase64Url(json.EndArray().text());
}

Result<CursorParts> DecodeCursor(std::string_view text, size_t parts) {
  JsonParser parser;
  const auto tree = parser.Parse(FromBase64Url(text));
  CursorParts found;
  if (tree && tree->is_array()) {
    for (const JsonValue part : tree->children()) {
      if (part.is_string()) found.emplace_back(part.text());
    }
  }
  if (found.empty() || (parts != 0 && found.size() != parts)) {
    return Fail(ErrorKind::kInvalidArgument,
                "the cursor is none of this list: begin at its first page");
  }
  return found;
}

}  // namespace vitalake::serve
