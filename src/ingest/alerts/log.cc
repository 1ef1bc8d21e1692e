#include "ingest/alerts/log.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/row_buffer.h"
#include "ingest/alerts/place.h"
#include "lake/catalogue.h"

namespace vitalake::ingest {
Status AlertLog::Begin(const std::string& app) {
  VL_TRY(const delta::SnapshotPtr snapshot, lake_.Latest(kAlerts));
  const std::lock_guard lock(mutex_);
  partitions_[app] = {snapshot->FindTxn(app), snapshot->FindTxn(AlertNumberApp(app)), {}};
  return {};
}

void AlertLog::End(const std::string& app) {
  const std::lock_guard lock(mutex_);
  partitions_.erase(app);
}

int64_t AlertLog::next(const std::string& app) const {
  const std::lock_guard lock(mutex_);
  const auto found = partitions_.find(app);
  return found == partitions_.end() ? 0 : found->second.next.value_or(0);
}

void AlertLog::Add(const std::string& app, std::vector<PublishedAlert>& alerts) {
  if (alerts.empty()) return;
  const std::lock_guard lock(mutex_);
  Partition& partition = partitions_[app];
  const int64_t next = partition.next.value_or(0);
  std::erase_if(alerts, [&](const PublishedAlert& alert) { return alert.sequence < next; });
  partition.waiting.insert(partition.waiting.end(), alerts.begin(), alerts.end());
}

lake::CommitNote AlertLog::NoteOf(const std::map<std::string, int64_t>& bronze, Say say,
                                  std::vector<PublishedAlert>& rows) {
  lake::CommitNote note;
  const std::lock_guard lock(mutex_);
  for (const auto& [app, position] : bronze) {
    const auto found = partitions_.find(app);
    if (found == partitions_.end()) continue;
    Partition& partition = found->second;
    const size_t before = rows.size();
    while (!partition.waiting.empty() && partition.waiting.front().needs <= position) {
      rows.push_back(std::move(partition.waiting.front()));
      partition.waiting.pop_front();
    }
    const bool behind = say == Say::kPositionToo && partition.position.value_or(0) < position;
    if (rows.size() == before && !behind) continue;
    note.starts[app] = partition.position;
    note.starts[AlertNumberApp(app)] = partition.next;
    note.txns[app] = std::max(position, partition.position.value_or(0));
    note.txns[AlertNumberApp(app)] =
        rows.size() == before ? partition.next.value_or(0) : rows.back().sequence + 1;
  }
  return note;
}

Status AlertLog::Commit(const std::vector<PublishedAlert>& rows, const lake::CommitNote& note,
                        const Wait& wait) {
  if (rows.empty()) return lake::CommitTxns(lake_, kAlerts, note, wait);
  engine::RowBuffer buffer(lake_.engine(), AlertColumns());
  lake::CellRow row;
  for (const PublishedAlert& alert : rows) {
    row.Clear();
    AppendCells(alert, row);
    buffer.Append(row.cells());
  }
  VL_TRY(engine::Connection connection, lake_.engine().Connect());
  VL_TRY(const lake::AppendResult done,
         lake::AppendRows(lake_, connection, lake::FixedTable(kAlerts),
                          fmt::format("SELECT * FROM {}", buffer.sql()), note, wait));
  if (done.committed) return {};
  return Fail(ErrorKind::kConflict, "another process writes these partitions' alerts");
}

Result<std::vector<PublishedAlert>> AlertLog::Write(const std::map<std::string, int64_t>& bronze,
                                                    Say say, const Wait& wait) {
  const std::lock_guard writing(writing_);
  std::vector<PublishedAlert> rows;
  const lake::CommitNote note = NoteOf(bronze, say, rows);
  if (note.txns.empty()) return rows;
  VL_RETURN_IF_ERROR(Commit(rows, note, wait));
  const std::lock_guard lock(mutex_);
  for (auto& [app, partition] : partitions_) {
    if (const auto at = note.txns.find(app); at != note.txns.end()) partition.position = at->second;
    const auto number = note.txns.find(AlertNumberApp(app));
    if (number != note.txns.end()) partition.next = number->second;
  }
  return rows;
}

}  // namespace vitalake::ingest
