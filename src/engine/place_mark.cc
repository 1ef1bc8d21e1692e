#include "engine/place_mark.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"

namespace vitalake::engine {
namespace {

constexpr size_t kShownBytes = 60;  // of a line, on each side of the place
constexpr std::string_view kLeftOut = "...";

}  // namespace

std::string PlaceMark(std::string_view sql, size_t byte) {
  byte = std::min(byte, sql.size());
  const std::string_view before = sql.substr(0, byte);
  const size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
  const size_t line_end = std::min(sql.find('\n', byte), sql.size());
  size_t begin = byte - line_begin > kShownBytes ? byte - kShownBytes : line_begin;
  size_t end = line_end - byte > kShownBytes ? byte + kShownBytes : line_end;
  while (begin < byte && IsInsideCharacter(sql[begin])) ++begin;
  while (end > byte && end < line_end && IsInsideCharacter(sql[end])) --end;
  const std::string head = fmt::format("LINE {}: {}", 1 + std::ranges::count(before, '\n'),
                                       begin > line_begin ? kLeftOut : "");
  const size_t column =
      head.size() + static_cast<size_t>(CharactersIn(sql.substr(begin, byte - begin)));
  return fmt::format("\n\n{}{}{}\n{}^", head, sql.substr(begin, end - begin),
                     end < line_end ? kLeftOut : "", std::string(column, ' '));
}

}  // namespace vitalake::engine
