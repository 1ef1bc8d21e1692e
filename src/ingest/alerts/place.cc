#include "ingest/alerts/place.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <ranges>

#include "base/hash.h"

namespace vitalake::ingest {
namespace {

constexpr size_t kHashDigits = 8;
constexpr std::string_view kNumberSuffix = "#alerts";

// "vitals/topic/0/3" -> "vitals/topic/0" and 3.
std::pair<std::string_view, int64_t> SplitEpoch(std::string_view app) {
  const size_t slash = app.rfind('/');
  if (slash == std::string_view::npos) return {app, 0};
  int64_t epoch = 0;
  std::from_chars(app.data() + slash + 1, app.data() + app.size(), epoch);
  return {app.substr(0, slash), epoch};
}

std::string NameHash(std::string_view name) {
  return fmt::format("{:016x}", Hash64(name)).substr(0, kHashDigits);
}

struct PlacePart {
  int64_t epoch = 0, next = 0;
};

std::optional<int64_t> PlaceNumber(std::string_view text) {
  int64_t number = -1;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

// nullopt: it is none.
std::optional<std::map<std::string, PlacePart, std::less<>>> ParseParts(std::string_view text) {
  std::map<std::string, PlacePart, std::less<>> parts;
  if (text == "-") return parts;
  if (text.empty()) return std::nullopt;
  for (const auto range : std::views::split(text, ',')) {
    const std::string_view part(range.begin(), range.end());
    const size_t first = part.find('.');
    const size_t second = first == std::string_view::npos ? first : part.find('.', first + 1);
    if (second == std::string_view::npos || first != kHashDigits) return std::nullopt;
    const auto epoch = PlaceNumber(part.substr(first + 1, second - first - 1));
    const auto next = PlaceNumber(part.substr(second + 1));
    if (!epoch || !next) return std::nullopt;
    parts[std::string(part.substr(0, first))] = {*epoch, *next};
  }
  return parts;
}

}  // namespace

std::string AlertNumberApp(std::string_view app) { return fmt::format("{}{}", app, kNumberSuffix); }

std::optional<std::string_view> PartitionOfAlertNumber(std::string_view number_app) {
  if (!number_app.ends_with(kNumberSuffix)) return std::nullopt;
  return number_app.substr(0, number_app.size() - kNumberSuffix.size());
}

AlertPositions NewestEpochs(const AlertPositions& positions) {
  std::map<std::string_view, std::pair<int64_t, const AlertPositions::value_type*>> newest;
  for (const auto& position : positions) {
    const auto [name, epoch] = SplitEpoch(position.first);
    const auto [at, fresh] = newest.try_emplace(name, epoch, &position);
    if (!fresh && epoch > at->second.first) at->second = {epoch, &position};
  }
  AlertPositions kept;
  for (const auto& [_, one] : newest) kept.insert(*one.second);
  return kept;
}

AlertPositions WithOlderEpochs(const AlertPositions& newest, const AlertPositions& known) {
  std::map<std::string_view, int64_t> epochs;
  for (const auto& [app, _] : newest) {
    const auto [name, epoch] = SplitEpoch(app);
    epochs[name] = std::max(epochs[name], epoch);
  }
  AlertPositions all = newest;
  for (const auto& [app, end] : known) {
    const auto [name, epoch] = SplitEpoch(app);
    const auto at = epochs.find(name);
    if (at != epochs.end() && epoch < at->second) all.try_emplace(app, end);
  }
  return all;
}

std::string FormatAlertPlace(const AlertPositions& positions) {
  std::string text;
  for (const auto& [app, next] : NewestEpochs(positions)) {
    const auto [name, epoch] = SplitEpoch(app);
    text += fmt::format("{}{}.{}.{}", text.empty() ? "" : ",", NameHash(name), epoch, next);
  }
  return text.empty() ? "-" : text;
}

Result<AlertPositions> ParseAlertPlace(std::string_view text, const AlertPositions& known) {
  const auto parts = ParseParts(text);
  if (!parts) {
    return Fail(ErrorKind::kInvalidArgument,
                "this is no position of alerts: send the last `id` that came, or none");
  }
  size_t found = 0;
  AlertPositions positions;
  for (const auto& [app, next] : known) {
    const auto [name, epoch] = SplitEpoch(app);
    const auto part = parts->find(NameHash(name));
    int64_t at = 0;
    if (part != parts->end() && part->second.epoch >= epoch) {
      at = part->second.epoch == epoch ? part->second.next : next;
      if (part->second.epoch == epoch) ++found;
    }
    if (at > next) return Fail(ErrorKind::kNotFound, "the position is ahead of this lake's alerts");
    positions[app] = at;
  }
  if (found == 0 && !parts->empty()) {
    return Fail(ErrorKind::kNotFound, "the position names no partition of this lake");
  }
  return positions;
}

}  // namespace vitalake::ingest
