#include "serve/column_range.h"

#include "base/json_tree.h"
#include "base/json_writer.h"

namespace vitalake::serve {
namespace {

// A bound as statistics hold it: compared as what it is, kept as JSON.
struct Bound {
  bool number = false;
  double value = 0;
  std::string text;
  bool Less(const Bound& other) const {
    return number && other.number ? value < other.value : text < other.text;
  }
  std::string Json() const {
    if (number) return text;
    std::string json;
    AppendJsonString(json, text);
    return json;
  }
};

struct Known {
  size_t files = 0;  // that tell the number of nulls
  int64_t nulls = 0;
  size_t bounded = 0;  // files that tell min and max, or have nulls alone
  std::optional<Bound> min, max;
};

std::optional<Bound> BoundOf(JsonValue value) {
  if (value.is_string()) return Bound{false, 0, std::string(value.text())};
  const auto number = value.is_number() ? value.AsDouble() : std::nullopt;
  if (!number) return std::nullopt;
  return Bound{true, *number, std::string(value.text())};
}

void AddFileTo(std::map<std::string, Known>& known, JsonValue stats) {
  const int64_t rows =
      stats.Find("numRecords") ? stats.Find("numRecords").AsInt().value_or(-1) : -1;
  const JsonValue least = stats.Find("minValues"), most = stats.Find("maxValues");
  for (const JsonValue nulls : stats.Find("nullCount").children()) {
    if (!nulls.is_number()) continue;
    Known& column = known[std::string(nulls.key())];
    const int64_t count = nulls.AsInt().value_or(0);
    ++column.files;
    column.nulls += count;
    const JsonValue low = least.Find(nulls.key()), high = most.Find(nulls.key());
    const auto min = low ? BoundOf(low) : std::nullopt, max = high ? BoundOf(high) : std::nullopt;
    if (count == rows || (min && max)) ++column.bounded;
    if (min && (!column.min || min->Less(*column.min))) column.min = min;
    if (max && (!column.max || column.max->Less(*max))) column.max = max;
  }
}

}  // namespace

std::map<std::string, ColumnRange> ColumnRanges(const delta::Snapshot& snapshot) {
  std::map<std::string, Known> known;
  JsonParser parser;
  for (const delta::AddFilePtr& file : snapshot.files()) {
    if (const auto stats = parser.Parse(file->stats); stats) AddFileTo(known, *stats);
  }
  std::map<std::string, ColumnRange> ranges;
  for (const auto& [name, column] : known) {
    if (column.files != snapshot.files().size()) continue;
    ColumnRange& range = ranges[name];
    range.nulls = column.nulls;
    if (column.bounded != snapshot.files().size()) continue;
    if (column.min) range.min = column.min->Json();
    if (column.max) range.max = column.max->Json();
  }
  return ranges;
}

}  // namespace vitalake::serve
