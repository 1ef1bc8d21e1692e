#include "ingest/alerts/publisher.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "engine/row_buffer.h"
#include "ingest/alerts/log.h"
#include "ingest/alerts/table.h"
#include "ingest/outbound/message.h"
#include "lake/built_in_files.h"
#include "lake/published.h"
#include "lake/sql_text.h"

namespace vitalake::ingest {
namespace {

constexpr size_t kStepsAtOnce = 2'000;

// Positions as the lake keeps them, or as it kept them before alerts had numbers there: a version
// of ops.alert.
Result<AlertPositions> PositionsOf(lake::Lake& lake, const lake::FeedPositions& kept) {
  AlertPositions positions;
  for (const auto& [name, next] : kept) {
    if (const auto app = PartitionOfAlertNumber(name)) positions[std::string(*app)] = next;
  }
  const auto version = kept.find(kAlerts);
  if (!positions.empty() || version == kept.end()) return positions;
  VL_TRY(delta::Table* const table, lake.OpenTable(kAlerts));
  VL_TRY(const delta::SnapshotPtr then, table->At(Version{version->second}));
  return AlertPositionsIn(*then);
}

}  // namespace

Status AlertPublisher::Begin() {
  VL_TRY(sql_, lake::ReadBuiltIn(lake::BuiltIn::kOutbound, {}, "alert.sql"));
  VL_TRY(const auto kept, lake::ReadPublished(lake_, place_));
  const AlertPositions present = board_.positions();
  if (kept) {
    VL_TRY(const AlertPositions positions, PositionsOf(lake_, *kept));
    positions_ = WithOlderEpochs(positions, present);
    return {};
  }
  positions_ = present;
  log::Info("outbound {}: publishing alerts from now on", place_);
  return KeepPositions();
}

Status AlertPublisher::KeepPositions() const {
  lake::FeedPositions kept;
  for (const auto& [app, next] : NewestEpochs(positions_)) kept[AlertNumberApp(app)] = next;
  return lake::WritePublished(lake_, place_, kept);
}

Result<std::vector<PublishedAlert>> AlertPublisher::Next(const Wait& wait) const {
  std::vector<PublishedAlert> alerts;
  const auto missed = board_.Since(positions_, kStepsAtOnce, wait);
  if (missed) {
    for (const AlertStepPtr& step : missed->steps) alerts.push_back(step->alert);
    return alerts;
  }
  if (missed.error().kind == ErrorKind::kConflict) return alerts;  // the table is behind: later
  if (missed.error().kind != ErrorKind::kLimit) return std::unexpected(missed.error());
  VL_TRY(const delta::SnapshotPtr snapshot, lake_.Latest(kAlerts));
  AlertPositions from = AlertPositionsIn(*snapshot);
  for (auto& [app, next] : from) {
    const auto at = positions_.find(app);
    next = at == positions_.end() ? 0 : at->second;
  }
  return ReadAlertsFrom(lake_, snapshot, from, kStepsAtOnce, wait);
}

Status AlertPublisher::Publish(const Wait& wait) {
  for (;;) {
    VL_TRY(const std::vector<PublishedAlert> alerts, Next(wait));
    if (alerts.empty()) return {};
    if (auto sent = Send(alerts, wait); !sent) {
      return Because(std::move(sent).error(), fmt::format("outbound {}", place_));
    }
    for (const PublishedAlert& alert : alerts) {
      positions_[alert.source_partition] = alert.sequence + 1;
    }
    VL_RETURN_IF_ERROR(KeepPositions());
  }
}

Status AlertPublisher::Send(const std::vector<PublishedAlert>& alerts, const Wait& wait) {
  engine::RowBuffer buffer(lake_.engine(), AlertColumns());
  lake::CellRow row;
  for (const PublishedAlert& alert : alerts) {
    row.Clear();
    AppendCells(alert, row);
    buffer.Append(row.cells());
  }
  VL_TRY(engine::Connection connection, lake_.engine().Connect());
  VL_RETURN_IF_ERROR(lake::RunSql(
      connection,
      fmt::format("CREATE OR REPLACE TEMP TABLE changes AS SELECT *, 'insert' AS _change_type, "
                  "row_number() OVER () - 1 AS _commit_version FROM {}",
                  buffer.sql()),
      wait));
  const auto position = [&](int64_t number) {
    const PublishedAlert& alert = alerts.at(static_cast<size_t>(number));
    return fmt::format("{}/{}#{}", kAlerts, alert.source_partition, alert.sequence);
  };
  return SendChanges({lake_, connection, names_}, sql_, position, *sink_, wait);
}

}  // namespace vitalake::ingest
