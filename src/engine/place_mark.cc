#include "engine/place_mark.h"

#include <fmt/format.h>

#include <algorithm>

namespace vitalake::engine {
namespace {

constexpr size_t kShownBytes = 60;  // of a line, on each side of the place
constexpr std::string_view kLeftOut = "...";

bool IsInside(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

size_t CountCharacters(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(text, [](char c) { return !IsInside(c); }));
}

}  // namespace

std::string PlaceMark(std::string_view sql, size_t byte) {
  byte = std::min(byte, sql.size());
  const std::string_view before = sql.substr(0, byte);
  const size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
  const size_t line_end = std::min(sql.find('\n', byte), sql.size());
  size_t begin = byte - line_begin > kShownBytes ? byte - kShownBytes : line_begin;
  size_t end = line_end - byte > kShownBytes ? byte + kShownBytes : line_end;
  while (begin < byte && IsInside(sql[begin])) ++begin;
  while (end > byte && end < line_end && IsInside(sql[end])) --end;
  const std::string head = fmt::format("LINE {}: {}", 1 + std::ranges::count(before, '\n'),
                                       begin > line_begin ? kLeftOut : "");
  const size_t column = head.size() + CountCharacters(sql.substr(begin, byte - begin));
  return fmt::format("\n\n{}{}{}\n{}^", head, sql.substr(begin, end - begin),
                     end < line_end ? kLeftOut : "", std::string(column, ' '));
}

}  // namespace vitalake::engine
