#include "ingest/message_outcome.h"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <utility>

#include "base/check.h"

namespace vitalake::ingest {
namespace {

// App id and offset.
using Place = std::pair<std::string, int64_t>;

// The number behind the "#" of a source partition (RecordSource); 0 without.
int64_t RecordOf(std::string_view source_partition) {
  int64_t record = 0;
  const size_t mark = source_partition.find('#', source_partition.rfind('/'));
  if (mark != std::string_view::npos) {
    const std::string_view digits = source_partition.substr(mark + 1);
    std::from_chars(digits.data(), digits.data() + digits.size(), record);
  }
  return record;
}

Status AddRefused(GroupStage& stage, std::map<Place, MessageOutcome*>& by_place, const Wait& wait) {
  VL_TRY(engine::QueryResult rows,
         stage.connection().Query(
             fmt::format("SELECT source_partition, source_offset, position, reason, element_path, "
                         "message FROM ({}) ORDER BY source_partition, source_offset",
                         stage.QuarantineRows()),
             {}, wait));
  for (;;) {
    VL_TRY(const bool more, rows.Next());
    if (!more) return {};
    const auto found = by_place.find({AppIdOf(std::string(rows.GetString(0))), rows.GetInt64(1)});
    if (found == by_place.end() || found->second->refused.size() >= kRefusedTold) continue;
    RefusedEntry& entry = found->second->refused.emplace_back();
    entry.position = rows.GetString(2);
    entry.record = RecordOf(rows.GetString(0));
    entry.reason = rows.GetString(3);
    if (!rows.IsNull(4)) entry.element_path = rows.GetString(4);
    entry.message = rows.GetString(5);
  }
}

}  // namespace

Result<std::vector<MessageOutcome>> OutcomesOf(const StreamBatch& batch, GroupStage& stage,
                                               const PlacedBySilver& placed, const Wait& wait) {
  std::map<std::pair<int32_t, int64_t>, const FileTally*> tallies;
  for (const MessageTally& message : stage.message_tallies()) {
    tallies[{message.partition, message.offset}] = &message.tally;
  }
  std::vector<MessageOutcome> outcomes(batch.messages.size());
  std::map<Place, MessageOutcome*> by_place;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const StreamMessage& message = batch.messages[i];
    const auto tally = tallies.find({message.partition, message.offset});
    VL_CHECK(tally != tallies.end());
    MessageOutcome& outcome = outcomes[i];
    outcome.partition = batch.ranges.at(message.partition).partition;
    outcome.offset = message.offset;
    lake::OutcomeCounts& counts = outcome.counts;
    counts.received = tally->second->received;
    counts.quarantined = tally->second->quarantined;
    counts.out_of_scope = tally->second->out_of_scope;
    for (const int64_t home : tally->second->home) counts.written += home;
    counts.bytes = static_cast<int64_t>(message.payload.size());
    by_place[{outcome.partition.AppId(), message.offset}] = &outcome;
  }
  for (const auto& table : placed) {
    for (const lake::PlacedExceptions& place : table) {
      const auto found = by_place.find({AppIdOf(place.source_partition), place.source_offset});
      if (found == by_place.end()) continue;
      lake::OutcomeCounts& counts = found->second->counts;
      const lake::Exceptions& exceptions = place.exceptions;
      counts.superseded += exceptions.superseded;
      counts.duplicate += exceptions.duplicate;
      counts.quarantined += exceptions.refused;
      counts.written -= exceptions.superseded + exceptions.duplicate + exceptions.refused;
    }
  }
  VL_RETURN_IF_ERROR(AddRefused(stage, by_place, wait));
  return outcomes;
}

}  // namespace vitalake::ingest
