#include "ingest/alerts/table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/relation.h"
#include "ingest/alerts/log.h"

namespace vitalake::ingest {
namespace {

using engine::QuoteLiteral;

std::string AlertColumnList() {
  std::string list;
  for (const view::ColumnSpec& column : AlertColumns()) {
    list += fmt::format("{}{}", list.empty() ? "" : ", ", engine::QuoteName(column.name));
  }
  return list;
}

Result<std::vector<PublishedAlert>> AlertsOf(lake::Lake& lake, const std::string& sql,
                                             const Wait& wait) {
  VL_TRY(engine::Connection connection, lake.engine().Connect());
  VL_TRY(engine::QueryResult found, connection.Stream(sql, {}, wait));
  std::vector<PublishedAlert> alerts;
  for (;;) {
    VL_TRY(const bool more, found.Next());
    if (!more) return alerts;
    alerts.push_back(AlertOf(found));
  }
}

std::string InList(std::string_view column, const std::vector<std::string>& values) {
  std::vector<std::string> quoted;
  for (const std::string& value : values) quoted.push_back(QuoteLiteral(value));
  return values.empty() ? "" : fmt::format(" AND {} IN ({})", column, fmt::join(quoted, ", "));
}

}  // namespace

AlertPositions AlertPositionsIn(const delta::Snapshot& snapshot) {
  AlertPositions positions;
  for (const auto& [app, _] : snapshot.txns()) {
    const auto partition = PartitionOfAlertNumber(app);
    if (partition) positions[std::string(*partition)] = snapshot.FindTxn(app).value_or(0);
  }
  return positions;
}

Result<std::vector<PublishedAlert>> ReadAlertsFrom(lake::Lake& lake,
                                                   const delta::SnapshotPtr& snapshot,
                                                   const AlertPositions& from, size_t most,
                                                   const Wait& wait) {
  std::string wanted = "false";
  for (const auto& [app, next] : from) {
    wanted +=
        fmt::format(" OR (source_partition = {} AND \"sequence\" >= {})", QuoteLiteral(app), next);
  }
  VL_TRY(const std::string rows, engine::RelationSql(lake.Files(snapshot, kAlerts)));
  // A monitor's time never falls, so that is each partition's order, too.
  return AlertsOf(
      lake,
      fmt::format("SELECT {} FROM ({}) WHERE {} ORDER BY updated_at, source_partition, "
                  "\"sequence\"{}",
                  AlertColumnList(), rows, wanted, most == 0 ? "" : fmt::format(" LIMIT {}", most)),
      wait);
}

Result<std::vector<PublishedAlert>> ReadAlertsNow(lake::Lake& lake,
                                                  const delta::SnapshotPtr& snapshot,
                                                  const AlertQuery& query, const Wait& wait) {
  VL_TRY(const std::string rows, engine::RelationSql(lake.Files(snapshot, kAlerts)));
  std::string whose;
  if (!query.alert_id.empty())
    whose += fmt::format(" AND alert_id = {}", QuoteLiteral(query.alert_id));
  if (!query.patient.empty()) whose += " AND " + OwnedSql(query.patient, query.others);
  const std::string on = query.on ? " AND state NOT IN ('closed', 'withdrawn')" : "";
  const std::string limit = query.limit == 0 ? "" : fmt::format(" LIMIT {}", query.limit);
  return AlertsOf(
      lake,
      fmt::format(
          "SELECT {} FROM (FROM ({}) WHERE true{} QUALIFY row_number() OVER (PARTITION BY alert_id "
          "ORDER BY updated_at DESC, \"sequence\" DESC) = 1) WHERE true{}{}{} "
          "ORDER BY state IN ('closed', 'withdrawn'), opened_at DESC, alert_id{}",
          AlertColumnList(), rows, whose, on, InList("state", query.states),
          InList("severity", query.severities), limit),
      wait);
}

Result<PublishedAlert> ReadAlertNow(lake::Lake& lake, const std::string& alert_id,
                                    const Wait& wait) {
  AlertQuery query;
  query.alert_id = alert_id;
  VL_TRY(const delta::SnapshotPtr snapshot, lake.Latest(kAlerts));
  VL_TRY(auto found, ReadAlertsNow(lake, snapshot, query, wait));
  if (found.empty()) return Fail(ErrorKind::kNotFound, "There is no alert of this id");
  return std::move(found.front());
}

}  // namespace vitalake::ingest
