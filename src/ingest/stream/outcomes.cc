#include "ingest/stream/outcomes.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/json_writer.h"
#include "ingest/outcome_json.h"

namespace vitalake::ingest {
namespace {

// How far back the history is read at first; then twice as far, until it reaches the position.
constexpr size_t kHistoryAtFirst = 64;

}  // namespace

void AddOutcomes(OutcomesByApp& into, const StreamBatch& batch,
                 const std::map<int64_t, lake::OutcomeCounts>& counts) {
  for (const auto& [partition, range] : batch.ranges) {
    const auto [entry, is_new] =
        into.try_emplace(range.partition.AppId(), RangeOutcomes{range, {}});
    VL_CHECK(is_new || entry->second.range.end == range.first);
    entry->second.range.end = range.end;
    if (const auto found = counts.find(partition); found != counts.end()) {
      entry->second.counts += found->second;
    }
  }
}

std::string OutcomesJson(const OutcomesByApp& outcomes) {
  JsonWriter json;
  json.BeginObject();
  for (const auto& [app, outcome] : outcomes) {
    json.Key(app).BeginObject();
    json.Key("first").Int(outcome.range.first).Key("end").Int(outcome.range.end);
    WriteOutcomes(json, outcome.counts);
    json.EndObject();
  }
  return json.EndObject().Take();
}

Result<lake::OutcomeCounts> StatedSince(lake::Lake& lake, std::string_view table,
                                        const std::string& app_id, int64_t first) {
  VL_TRY(delta::Table* const opened, lake.OpenTable(table));
  JsonParser parser;
  for (size_t limit = kHistoryAtFirst;; limit *= 2) {
    VL_TRY(const auto history, opened->History(limit));
    lake::OutcomeCounts sum;
    bool reached = history.size() < limit;
    for (const delta::HistoryEntry& entry : history) {
      const auto info = parser.Parse(entry.info);
      if (!info) continue;
      const JsonValue stated = info->Find("vitalake").Find("outcomes").Find(app_id);
      if (!stated.is_object()) continue;
      if (stated.Find("first").AsInt().value_or(0) < first) {
        reached = true;
        break;
      }
      sum += ReadOutcomes(stated);
    }
    if (reached) return sum;
  }
}

std::map<std::string, lake::Exceptions> FoldEntries(
    const std::map<std::string, lake::Exceptions>& exceptions) {
  std::map<std::string, lake::Exceptions> folded;
  for (const auto& [source, counts] : exceptions) {
    folded[AppIdOf(source)] += counts;
  }
  return folded;
}

}  // namespace vitalake::ingest
