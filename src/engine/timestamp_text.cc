#include <chrono>

#include "engine/timestamp_text_internal.h"

namespace vitalake::engine {
namespace {

// Takes `digits` digits off the front.
std::optional<int> TakeNumber(std::string_view& text, size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool Take(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<Micros> TakeDate(std::string_view& text) {
  const auto year = TakeNumber(text, 4);
  if (!year || !Take(text, '-')) return std::nullopt;
  const auto month = TakeNumber(text, 2);
  if (!month || !Take(text, '-')) return std::nullopt;
  const auto day = TakeNumber(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  const auto days = std::chrono::sys_days(date).time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(days).count();
}

std::optional<Micros> TakeTime(std::string_view& text) {
  const auto hour = TakeNumber(text, 2);
  if (!hour || *hour > 23 || !Take(text, ':')) return std::nullopt;
  const auto minute = TakeNumber(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  Micros time = (*hour * 60ll + *minute) * 60'000'000;
  if (!Take(text, ':')) return time;
  const auto second = TakeNumber(text, 2);
  if (!second || *second > 59) return std::nullopt;
  time += *second * 1'000'000ll;
  if (!Take(text, '.')) return time;
  Micros scale = 100'000;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    time += (text[0] - '0') * scale;
    scale /= 10;
    text.remove_prefix(1);
  }
  return time;
}

// What is to be taken from the local time.
std::optional<Micros> TakeOffset(std::string_view& text) {
  if (text.empty() || Take(text, 'Z')) return 0;
  const bool minus = Take(text, '-');
  if (!minus && !Take(text, '+')) return std::nullopt;
  const auto hour = TakeNumber(text, 2);
  if (!hour) return std::nullopt;
  Micros offset = *hour * 3'600'000'000ll;
  if (!text.empty()) {
    Take(text, ':');
    const auto minute = TakeNumber(text, 2);
    if (!minute) return std::nullopt;
    offset += *minute * 60'000'000ll;
  }
  return minus ? -offset : offset;
}

}  // namespace

std::optional<Micros> ParseTimestampText(std::string_view text) {
  const auto date = TakeDate(text);
  if (!date) return std::nullopt;
  if (text.empty()) return date;
  if (!Take(text, 'T') && !Take(text, ' ')) return std::nullopt;
  const auto time = TakeTime(text);
  if (!time) return std::nullopt;
  const auto offset = TakeOffset(text);
  if (!offset || !text.empty()) return std::nullopt;
  return *date + *time - *offset;
}

}  // namespace vitalake::engine
