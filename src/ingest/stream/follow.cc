// StreamWriter::Follow: tables behind bronze re-read what they lack from there.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "ingest/bronze_stream.h"
#include "ingest/stream/writer.h"

namespace vitalake::ingest {

void StreamWriter::Forget(const StreamPartition& partition) {
  const std::string app = partition.AppId();
  positions_.Forget(app);
  ledger_.erase(app);
  for (auto& [_, outcomes] : unstated_) outcomes.erase(app);
}

// The offsets some table lacks, cut where one of them begins: within a segment a table lacks all or
// nothing.
std::vector<StreamWriter::Segment> StreamWriter::SegmentsOf(const std::string& app) const {
  const int64_t end = positions_.Of(kBronzeStream, app).value_or(0);
  std::set<int64_t> cuts = {end};
  for (const std::string& table : FollowerTables()) {
    cuts.insert(positions_.Of(table, app).value_or(0));
  }
  std::vector<Segment> segments;
  for (auto cut = cuts.begin(); *cut < end; ++cut) {
    Segment segment{*cut, *std::next(cut), {}};
    for (const std::string& table : FollowerTables()) {
      if (positions_.Of(table, app).value_or(0) <= segment.first) segment.lacking.insert(table);
    }
    segments.push_back(std::move(segment));
  }
  return segments;
}

Status StreamWriter::FollowSegment(const StreamPartition& partition, const Segment& segment,
                                   const Wait& wait) {
  for (int64_t at = segment.first; at < segment.end;) {
    VL_TRY(StreamBatch batch, ReadFromBronze(lake_, {partition, at, segment.end}, kFollowMessages,
                                             kFollowBytes, wait));
    at = batch.ranges.at(partition.partition).end;
    VL_TRY(const auto staged, Staged(std::move(batch), wait));
    VL_RETURN_IF_ERROR(WriteTo(*staged, segment.lacking, Purpose::kFollow, wait));
  }
  return {};
}

Status StreamWriter::Follow(const StreamPartition& partition, const Wait& wait) {
  const std::string app = partition.AppId();
  Forget(partition);
  VL_RETURN_IF_ERROR(positions_.Load(app));
  const auto bronze = positions_.Of(kBronzeStream, app);
  for (const std::string& table : FollowerTables()) {
    const auto at = positions_.Of(table, app);
    if (at.value_or(0) <= bronze.value_or(0)) continue;
    return Fail(
        ErrorKind::kCorrupt,
        fmt::format("{} is at {} of {}, bronze only at {}: bronze was restored or replaced; "
                    "restore {} to a version that is not ahead of it",
                    table, *at, app, bronze.value_or(0), table));
  }
  if (!bronze) return {};
  const std::vector<Segment> segments = SegmentsOf(app);
  if (segments.empty()) return {};
  log::Info("stream {}: {} re-reads offsets {} to {} of {} from bronze", settings_.name, app,
            segments.front().first, *bronze - 1, kBronzeStream);
  const int64_t ledger = positions_.Of("ops.ledger", app).value_or(0);
  lake::OutcomeCounts stated;  // read before the segments' own commits are there too
  for (const lake::SilverView& view : views_) {
    VL_TRY(const lake::OutcomeCounts counts, StatedSince(lake_, view.table, app, ledger));
    stated += counts;
  }
  for (const Segment& segment : segments) {
    // What commits state must not reach across the ledger's own position.
    if (segment.first == ledger) {
      for (auto& [_, outcomes] : unstated_) outcomes.erase(app);
    }
    VL_RETURN_IF_ERROR(FollowSegment(partition, segment, wait));
  }
  if (const auto row = ledger_.find(app); row != ledger_.end()) row->second.counts += stated;
  return {};
}

}  // namespace vitalake::ingest
