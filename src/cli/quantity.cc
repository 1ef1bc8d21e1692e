#include "cli/quantity.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

namespace vitalake::cli {
namespace {

struct Unit {
  std::string_view name;  // lower case
  double factor;
};

constexpr std::array<Unit, 14> kSizeUnits = {{{"", 1},
                                              {"b", 1},
                                              {"k", 1e3},
                                              {"kb", 1e3},
                                              {"m", 1e6},
                                              {"mb", 1e6},
                                              {"g", 1e9},
                                              {"gb", 1e9},
                                              {"t", 1e12},
                                              {"tb", 1e12},
                                              {"kib", 1024.0},
                                              {"mib", 1048576.0},
                                              {"gib", 1073741824.0},
                                              {"tib", 1099511627776.0}}};

constexpr std::array<Unit, 6> kDurationUnits = {
    {{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 6e10}, {"h", 3.6e12}, {"d", 8.64e13}}};

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Takes a number without sign or exponent from the front of `text`.
std::optional<double> TakeNumber(std::string_view& text) {
  size_t end = 0;
  while (end < text.size() && (text[end] == '.' || (text[end] >= '0' && text[end] <= '9'))) ++end;
  double value = 0;
  auto [rest, error] =
      std::from_chars(text.data(), text.data() + end, value, std::chars_format::fixed);
  if (end == 0 || error != std::errc() || rest != text.data() + end) return std::nullopt;
  text.remove_prefix(end);
  return value;
}

// Takes the letters at the front of `text` (after blanks) and looks them up.
template <size_t N>
std::optional<double> TakeUnit(std::string_view& text, const std::array<Unit, N>& units) {
  text = Trim(text);
  size_t end = 0;
  while (end < text.size() && IsLetter(text[end])) ++end;
  std::string name(text.substr(0, end));
  for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  auto found = std::ranges::find(units, name, &Unit::name);
  if (found == units.end()) return std::nullopt;
  text.remove_prefix(end);
  return found->factor;
}

constexpr double kLargest = 9.2233720368547e18;

}  // namespace

Result<int64_t> ParseSize(std::string_view text) {
  std::string_view rest = Trim(text);
  auto number = TakeNumber(rest);
  auto unit = number ? TakeUnit(rest, kSizeUnits) : std::nullopt;
  if (!unit || !rest.empty()) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("\"{}\" is no size; write it as 512MB, 1GB or 128MiB", text));
  }
  double bytes = *number * *unit;
  if (bytes > kLargest) {
    return Fail(ErrorKind::kInvalidArgument, fmt::format("\"{}\" is too large a size", text));
  }
  return static_cast<int64_t>(std::llround(bytes));
}

Result<std::chrono::nanoseconds> ParseDuration(std::string_view text) {
  std::string_view rest = Trim(text);
  if (rest == "0") return std::chrono::nanoseconds(0);
  double total = 0;
  bool good = !rest.empty();
  while (good && !rest.empty()) {
    auto number = TakeNumber(rest);
    auto unit = number ? TakeUnit(rest, kDurationUnits) : std::nullopt;
    good = unit.has_value();
    if (good) total += *number * *unit;
  }
  if (!good) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("\"{}\" is no duration; write it as 400ms, 10s, 15m or 24h", text));
  }
  if (total > kLargest) {
    return Fail(ErrorKind::kInvalidArgument, fmt::format("\"{}\" is too long a duration", text));
  }
  return std::chrono::nanoseconds(static_cast<int64_t>(std::llround(total)));
}

std::string FormatSize(int64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  constexpr std::array<std::string_view, 5> kNames = {"kB", "MB", "GB", "TB", "PB"};
  double value = static_cast<double>(bytes) / 1e3;
  size_t unit = 0;
  while (value >= 999.95 && unit + 1 < kNames.size()) {
    value /= 1e3;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kNames[unit]);
}

std::string FormatSeconds(double seconds) {
  seconds = std::max(seconds, 0.0);
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string FormatCount(int64_t count) {
  std::string digits = fmt::format("{}", count);
  size_t first = digits[0] == '-' ? 1 : 0;
  for (size_t at = digits.size(); at > first + 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

}  // namespace vitalake::cli
