#include <duckdb.h>

#include <cstdint>
#include <cstring>

#include "engine/clean_text_internal.h"

namespace vitalake::engine {
namespace {

bool IsAscii(std::string_view text) {
  uint64_t high = 0;
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    high |= word;
  }
  for (; i < text.size(); ++i) high |= static_cast<unsigned char>(text[i]);
  return (high & 0x8080808080808080ull) == 0;
}

bool IsUtf8(std::string_view text) {
  if (IsAscii(text)) return true;
  duckdb_error_data error = duckdb_valid_utf8_check(text.data(), text.size());
  if (!error) return true;
  const bool valid = !duckdb_error_data_has_error(error);
  duckdb_destroy_error_data(&error);
  return valid;
}

// Bytes of the character that begins here, or 0 when none does.
size_t CharacterSize(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t size = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (size == 0 || size > text.size() || !IsUtf8(text.substr(0, size))) return 0;
  return size;
}

std::string ReplaceBadBytes(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const size_t size = CharacterSize(text.substr(i));
    if (size == 0) {
      out += "\xef\xbf\xbd";
      ++i;
    } else {
      out += text.substr(i, size);
      i += size;
    }
  }
  return out;
}

}  // namespace

std::string_view CleanText(std::string_view text, std::string& scratch) {
  if (IsUtf8(text)) return text;
  scratch = ReplaceBadBytes(text);
  return scratch;
}

}  // namespace vitalake::engine
