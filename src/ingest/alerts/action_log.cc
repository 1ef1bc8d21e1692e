#include "ingest/alerts/action_log.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "base/json_writer.h"
#include "engine/relation.h"
#include "engine/row_buffer.h"
#include "ingest/monitoring/patient_settings.h"
#include "lake/catalogue.h"
#include "lake/cell_row.h"
#include "lake/table_writer.h"

namespace vitalake::ingest {
namespace {

using Op = engine::ColumnBound::Op;

const std::vector<view::ColumnSpec>& ActionColumns() {
  using enum view::ColumnType;
  static const std::vector<view::ColumnSpec> columns = {
      {"id", kVarchar, "", ""},           {"source_partition", kVarchar, "", ""},
      {"actor", kVarchar, "", ""},        {"action", kVarchar, "", ""},
      {"target", kVarchar, "", ""},       {"reason", kVarchar, "", ""},
      {"request", kVarchar, "", ""},      {"payload", kVarchar, "", ""},
      {"time", kTimestamp, "", ""},       {"expiry", kTimestamp, "", ""},
      {"source_offset", kBigint, "", ""}, {"ordinal", kBigint, "", ""},
      {"id_space", kVarchar, "", ""}};
  return columns;
}

constexpr std::string_view kSelect =
    "SELECT id, source_partition, actor, action, target, reason, request, payload, time, expiry, "
    "source_offset, ordinal, id_space";

RecordedAction RowOf(const engine::QueryResult& row) {
  RecordedAction action;
  std::string* const texts[] = {&action.id,      &action.partition, &action.actor,
                                &action.action,  &action.target,    &action.reason,
                                &action.request, &action.payload};
  for (size_t i = 0; i < std::size(texts); ++i) *texts[i] = row.GetString(i);
  action.time = row.GetInt64(8);
  if (!row.IsNull(9)) action.expiry = row.GetInt64(9);
  if (!row.IsNull(10)) action.position = row.GetInt64(10);
  action.ordinal = row.GetInt64(11);
  action.id_space = row.GetString(12);
  return action;
}

// The rows of a partition, with `bounds` besides.
Result<std::string> RowsOf(lake::Lake& lake, const std::string& app,
                           std::vector<engine::ColumnBound> bounds = {}) {
  VL_TRY(const delta::SnapshotPtr snapshot, lake.Latest(kActions));
  bounds.push_back({"source_partition", Op::kEqual, app});
  return engine::RelationSql(lake.Files(snapshot, kActions), {.bounds = std::move(bounds)});
}

Result<std::vector<RecordedAction>> Query(lake::Lake& lake, const std::string& sql,
                                          const std::vector<engine::Parameter>& parameters,
                                          const Wait& wait) {
  VL_TRY(engine::Connection connection, lake.engine().Connect());
  VL_TRY(engine::QueryResult found, connection.Stream(sql, parameters, wait));
  std::vector<RecordedAction> actions;
  for (;;) {
    VL_TRY(const bool more, found.Next());
    if (!more) return actions;
    actions.push_back(RowOf(found));
  }
}

Result<lake::AppendResult> AppendRows(lake::Lake& lake, std::span<const RecordedAction> rows,
                                      const lake::CommitNote& note, const Wait& wait) {
  engine::RowBuffer buffer(lake.engine(), ActionColumns());
  lake::CellRow row;
  for (const RecordedAction& action : rows) {
    row.Clear();
    row.Text(action.id).Text(action.partition).Text(action.actor).Text(action.action);
    row.TextOrNull(action.target).TextOrNull(action.reason).TextOrNull(action.request);
    row.TextOrNull(action.payload).Int(action.time).Int(action.expiry).Int(action.position);
    action.position ? row.Int(action.ordinal) : row.Null();
    row.Text(action.id_space);
    buffer.Append(row.cells());
  }
  VL_TRY(engine::Connection connection, lake.engine().Connect());
  return lake::AppendRows(lake, connection, lake::FixedTable(kActions),
                          fmt::format("SELECT * FROM {}", buffer.sql()), note, wait);
}

}  // namespace

std::string PatientPayload(const std::string& patient_id) {
  JsonWriter json;
  json.BeginObject().Key("patient_id").String(patient_id).EndObject();
  return json.Take();
}

Result<std::vector<std::string>> AppendRequests(lake::Lake& lake,
                                                std::span<const RecordedAction> requests,
                                                const Wait& wait) {
  std::vector<RecordedAction> rows(requests.begin(), requests.end());
  std::vector<std::string> ids;
  for (RecordedAction& row : rows) {
    row.id = Hash128{lake.random().Next(), lake.random().Next()}.ToHex();
    ids.push_back(row.id);
  }
  VL_TRY([[maybe_unused]] const lake::AppendResult done, AppendRows(lake, rows, {}, wait));
  return ids;
}

Result<std::vector<RecordedAction>> SettingsRequests(lake::Lake& lake, const std::string& patient,
                                                     const std::string& id_space,
                                                     const Wait& wait) {
  VL_TRY(const std::string rows, RowsOf(lake, SettingsScope(id_space)));
  return Query(lake,
               fmt::format("{} FROM ({}) WHERE source_partition = ? AND action = ? AND target = ? "
                           "AND source_offset IS NULL ORDER BY time DESC, id",
                           kSelect, rows),
               {SettingsScope(id_space), std::string(kSettingsAction), patient}, wait);
}

Result<ActionLog> ActionLog::Open(lake::Lake& lake, std::string app) {
  ActionLog log(lake, std::move(app));
  VL_TRY(const delta::SnapshotPtr snapshot, lake.Latest(kActions));
  log.count_ = snapshot->FindTxn(log.app_);
  return log;
}

Result<std::vector<RecordedAction>> ActionLog::Load(int64_t from, const Wait& wait) {
  VL_TRY(const std::string rows,
         RowsOf(*lake_, app_, {{"source_offset", Op::kGreaterEqual, from}}));
  return Query(*lake_,
               fmt::format("{} FROM ({}) WHERE source_partition = ? AND source_offset >= {} "
                           "ORDER BY source_offset, ordinal",
                           kSelect, rows, from),
               {app_}, wait);
}

Result<ActionLog::Counts> ActionLog::CountsAt(int64_t position, const Wait& wait) {
  VL_TRY(const std::string rows,
         RowsOf(*lake_, app_, {{"source_offset", Op::kLessEqual, position}}));
  VL_TRY(engine::Connection connection, lake_->engine().Connect());
  VL_TRY(engine::QueryResult found,
         connection.Query(fmt::format("SELECT count(*) FILTER (source_offset < {0}), "
                                      "count(*) FILTER (source_offset = {0}) FROM ({1}) "
                                      "WHERE source_partition = ?",
                                      position, rows),
                          {app_}, wait));
  VL_TRY([[maybe_unused]] const bool one, found.Next());
  return Counts{found.GetInt64(0), found.GetInt64(1)};
}

Result<Version> ActionLog::Append(std::vector<RecordedAction>& rows, const Wait& wait) {
  const Addition alone[] = {{this, &rows}};
  return AppendAll(alone, wait);
}

Result<Version> ActionLog::AppendAll(std::span<const Addition> additions, const Wait& wait) {
  lake::CommitNote note;
  std::vector<RecordedAction> all;
  std::string apps;
  for (const auto& [log, rows] : additions) {
    int64_t next = log->count();
    for (RecordedAction& row : *rows) {
      row.partition = log->app_;
      row.ordinal = next++;
      row.id = HashBytes(fmt::format("{}\n{}", log->app_, row.ordinal)).ToHex();
    }
    note.txns[log->app_] = next;
    note.starts[log->app_] = log->count_;
    all.insert(all.end(), rows->begin(), rows->end());
    apps += (apps.empty() ? "" : ", ") + log->app_;
  }
  VL_TRY(const lake::AppendResult done, AppendRows(*additions.front().log->lake_, all, note, wait));
  if (!done.committed) {
    return Fail(ErrorKind::kConflict, fmt::format("another process records actions of {}", apps));
  }
  for (const auto& [log, _] : additions) log->count_ = note.txns.at(log->app_);
  return done.version;
}

Result<std::vector<RecordedAction>> ActionLog::Unanswered(const std::string& id_space,
                                                          const Wait& wait) {
  VL_TRY(const delta::SnapshotPtr snapshot, lake_->Latest(kActions));
  VL_TRY(const std::string rows, engine::RelationSql(lake_->Files(snapshot, kActions)));
  const size_t slash = app_.rfind('/') + 1;  // before the epoch
  const std::string name = engine::QuoteLiteral(app_.substr(0, slash));
  return Query(*lake_,
               fmt::format("WITH mine AS (SELECT * FROM ({0}) WHERE source_partition = ? OR "
                           "(starts_with(source_partition, {1}) AND TRY_CAST(substr("
                           "source_partition, {2}) AS BIGINT) <= {3})) "
                           "{4} FROM mine WHERE source_offset IS NULL AND id NOT IN "
                           "(SELECT request FROM mine WHERE request IS NOT NULL) "
                           "ORDER BY time, id",
                           rows, name, slash + 1, app_.substr(slash), kSelect),
               {SettingsScope(id_space)}, wait);
}

}  // namespace vitalake::ingest
