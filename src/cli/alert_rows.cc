#include "cli/alert_rows.h"

#include <fmt/format.h>

#include <chrono>

#include "delta/table.h"
#include "engine/relation.h"
#include "ingest/alerts/log.h"
#include "ingest/alerts/owners.h"
#include "ingest/pause.h"

namespace vitalake::cli {
namespace {

constexpr std::chrono::milliseconds kLookEvery{100};

constexpr std::string_view kColumns =
    "alert_id, patient_id, vital, rule, severity, state, opened_at, updated_at, closed_at, value, "
    "diastolic, explanation, acknowledged_by, acknowledged_at, snoozed_until, queue, rule_version, "
    "reading_ids, baseline, \"window\", late_by, source, source_partition, source_offset";

Result<std::string> Where(lake::Lake& lake, const AlertFilter& filter, const Wait& wait) {
  if (filter.patient.empty()) return "true";
  VL_TRY(const auto others, ingest::OtherOwners(lake, filter.patient, wait));
  return ingest::OwnedSql(filter.patient, others);
}

// Of the current row of SelectLine.
std::string LineOf(const engine::QueryResult& row) {
  std::string line =
      fmt::format("{} {} {} {} {}", FormatUtc(row.GetInt64(0)).substr(0, 19) + "Z",
                  row.GetString(1), row.GetString(2), row.GetString(3), row.GetString(4));
  if (!row.IsNull(5)) line += fmt::format(" patient {}", row.GetString(5));
  return line + fmt::format(": {} ({})\n", row.GetString(7), row.GetString(6));
}

std::string ObjectOf(const engine::QueryResult& row) {
  std::string text = "{";
  for (size_t i = 0; i < row.columns().size(); ++i) {
    text += fmt::format("{}\"{}\":", i ? "," : "", row.columns()[i].name);
    row.AppendJson(i, text);
  }
  return text + "}\n";
}

// The rows that versions from `first` on brought. `select` takes their relation, then a condition.
Status PrintVersions(Context& context, lake::Lake& lake, const delta::SnapshotPtr& snapshot,
                     Version first, const std::string& select, const AlertFilter& filter,
                     bool as_json) {
  VL_TRY(delta::Table* const table, lake.OpenTable(ingest::kAlerts));
  VL_TRY(const auto changes, table->Changes(first, snapshot->version()));
  if (changes.empty()) return {};
  VL_TRY(const std::string rows,
         engine::ChangesSql(lake.Files(snapshot, ingest::kAlerts), changes));
  // As patients are merged now: they may have been meanwhile.
  VL_TRY(const std::string where, Where(lake, filter, context.wait()));
  VL_TRY(engine::Connection connection, lake.engine().Connect());
  VL_TRY(engine::QueryResult found,
         connection.Query(fmt::format(fmt::runtime(select), rows, where), {}, context.wait()));
  for (;;) {
    VL_TRY(const bool more, found.Next());
    if (!more) return {};
    VL_RETURN_IF_ERROR(WriteStdout(as_json ? ObjectOf(found) : LineOf(found)));
  }
}

}  // namespace

Result<std::string> CurrentAlertsSql(lake::Lake& lake, const AlertFilter& filter,
                                     const Wait& wait) {
  VL_TRY(const std::string where, Where(lake, filter, wait));
  return fmt::format(
      "SELECT {} FROM ops.alert WHERE {} QUALIFY row_number() OVER (PARTITION BY alert_id "
      "ORDER BY updated_at DESC, sequence DESC) = 1 "
      "ORDER BY state IN ('closed', 'withdrawn'), opened_at DESC, alert_id",
      kColumns, where);
}

Status FollowAlerts(Context& context, lake::Lake& lake, const AlertFilter& filter,
                    const RowOptions& options) {
  VL_TRY(const engine::ResultFormat format, ChooseFormat(options, context.json()));
  const bool as_json = format == engine::ResultFormat::kNdjson;
  if (!as_json && format != engine::ResultFormat::kTable) {
    return Usage(context, "--follow prints lines, or objects with --format ndjson");
  }
  const std::string select = fmt::format(
      "SELECT {} FROM ({{}}) WHERE _change_type IN ('insert', 'update_postimage') AND ({{}}) "
      "ORDER BY _commit_version, source_partition, sequence",
      as_json ? fmt::format("change, {}", kColumns)
              : "updated_at, change, severity, rule, state, patient_id, alert_id, explanation");
  VL_TRY(delta::SnapshotPtr seen, lake.Latest(ingest::kAlerts));
  Say("following alerts");
  while (!context.stop().stop_requested()) {
    VL_TRY(delta::SnapshotPtr latest, lake.Latest(ingest::kAlerts));
    if (latest->version() > seen->version()) {
      VL_RETURN_IF_ERROR(PrintVersions(context, lake, latest, Version{seen->version().value + 1},
                                       select, filter, as_json));
    }
    seen = std::move(latest);
    ingest::PauseUntilStop(context.stop(), kLookEvery);
  }
  return {};
}

}  // namespace vitalake::cli
