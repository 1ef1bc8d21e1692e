#include "ingest/stream/position.h"

#include <fmt/format.h>

#include <charconv>

namespace vitalake::ingest {

const std::vector<std::string>& FollowerTables() {
  static const std::vector<std::string> tables = {"silver.patient",    "silver.observation",
                                                  "silver.vital_sign", "ops.quarantine",
                                                  "ops.issue",         "ops.ledger"};
  return tables;
}

std::string StreamPartition::AppId() const {
  return fmt::format("{}/{}/{}/{}", stream, topic, partition, epoch);
}

std::string AppIdOf(const std::string& source_partition) {
  // Behind the epoch: a file's name may have the sign, too.
  return source_partition.substr(0, source_partition.find('#', source_partition.rfind('/')));
}

std::vector<StreamPartition> PartitionsIn(const delta::Snapshot& snapshot, std::string_view stream,
                                          std::string_view topic) {
  std::vector<StreamPartition> partitions;
  const std::string prefix = fmt::format("{}/{}/", stream, topic);
  for (auto txn = snapshot.txns().lower_bound(prefix); txn != snapshot.txns().end(); ++txn) {
    const std::string_view app = txn->first;
    if (!app.starts_with(prefix)) break;
    StreamPartition found{std::string(stream), std::string(topic), 0, 0};
    const char* const end = app.data() + app.size();
    const auto number = std::from_chars(app.data() + prefix.size(), end, found.partition);
    if (number.ec != std::errc() || number.ptr == end || *number.ptr != '/') continue;
    const auto epoch = std::from_chars(number.ptr + 1, end, found.epoch);
    if (epoch.ec == std::errc() && epoch.ptr == end) partitions.push_back(std::move(found));
  }
  return partitions;
}

std::map<int64_t, int64_t> EpochsIn(const delta::Snapshot& snapshot, std::string_view stream,
                                    std::string_view topic, int32_t partition) {
  std::map<int64_t, int64_t> epochs;
  for (const StreamPartition& found : PartitionsIn(snapshot, stream, topic)) {
    if (found.partition == partition) epochs[found.epoch] = *snapshot.FindTxn(found.AppId());
  }
  return epochs;
}

Status StreamPositions::Load(const std::string& app_id) {
  std::map<std::string, std::optional<int64_t>, std::less<>> tables;
  VL_TRY(const delta::SnapshotPtr bronze, lake_.Latest(kBronzeStream));
  tables.emplace(kBronzeStream, bronze->FindTxn(app_id));
  for (const std::string& table : FollowerTables()) {
    VL_TRY(const delta::SnapshotPtr snapshot, lake_.Latest(table));
    tables.emplace(table, snapshot->FindTxn(app_id));
  }
  const std::lock_guard lock(mutex_);
  tables_[app_id] = std::move(tables);
  return {};
}

void StreamPositions::Forget(const std::string& app_id) {
  const std::lock_guard lock(mutex_);
  tables_.erase(app_id);
}

bool StreamPositions::Knows(const std::string& app_id) const {
  const std::lock_guard lock(mutex_);
  return tables_.contains(app_id);
}

std::optional<int64_t> StreamPositions::Of(std::string_view table,
                                           const std::string& app_id) const {
  const std::lock_guard lock(mutex_);
  return Find(table, app_id);
}

std::optional<int64_t> StreamPositions::Find(std::string_view table,
                                             const std::string& app_id) const {
  const auto app = tables_.find(app_id);
  if (app == tables_.end()) return std::nullopt;
  const auto found = app->second.find(table);
  return found == app->second.end() ? std::nullopt : found->second;
}

lake::CommitNote StreamPositions::Note(std::string_view table, const StreamBatch& batch) const {
  lake::CommitNote note;
  const std::lock_guard lock(mutex_);
  for (const auto& [_, range] : batch.ranges) {
    const std::string app = range.partition.AppId();
    note.txns[app] = range.end;
    note.starts[app] = Find(table, app);
  }
  return note;
}

void StreamPositions::Advance(std::string_view table, const StreamBatch& batch) {
  const std::lock_guard lock(mutex_);
  for (const auto& [_, range] : batch.ranges) {
    tables_[range.partition.AppId()].insert_or_assign(std::string(table), range.end);
  }
}

lake::CommitNote StreamPositions::NoteOfLag(std::string_view table, int64_t messages) const {
  lake::CommitNote note;
  const std::lock_guard lock(mutex_);
  for (const auto& [app, tables] : tables_) {
    const auto bronze = tables.find(kBronzeStream)->second;
    const auto at = tables.find(table)->second;
    if (!bronze || at.value_or(0) + messages > *bronze) continue;
    note.txns[app] = *bronze;
    note.starts[app] = at;
  }
  return note;
}

void StreamPositions::AdvanceTo(std::string_view table, const lake::CommitNote& note) {
  const std::lock_guard lock(mutex_);
  for (const auto& [app, next] : note.txns) {
    tables_[app].insert_or_assign(std::string(table), next);
  }
}

}  // namespace vitalake::ingest
