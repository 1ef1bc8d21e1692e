#include "ingest/outbound/outbound.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "engine/relation.h"
#include "ingest/outbound/message.h"
#include "lake/built_in_files.h"
#include "lake/silver_view.h"
#include "lake/sql_text.h"

namespace vitalake::ingest {
namespace {

// Versions of a table that are read and acknowledged together.
constexpr int64_t kVersionsAtOnce = 50;

// The feed as outbound/*.sql sees it.
std::string ChangesSql(const std::string& feed, const std::string& home) {
  return fmt::format(
      "CREATE OR REPLACE TEMP TABLE changes AS FROM ({}) "
      "WHERE _change_type <> 'update_preimage' AND ({})",
      feed, home);
}

}  // namespace

Result<std::vector<OutboundFeed>> ReadingFeeds(lake::Lake& lake) {
  VL_TRY(const auto views, lake::LoadSilverViews(lake.options().views_folder));
  std::vector<OutboundFeed> feeds;
  for (const lake::SilverView& view : views) {
    if (view.table == kOutboundPatients) continue;
    const std::string name = view.table.substr(view.table.find('.') + 1);
    VL_TRY(std::string sql, lake::ReadBuiltIn(lake::BuiltIn::kOutbound, {}, name + ".sql"));
    feeds.push_back({view.table, std::move(sql), view.home});
  }
  return feeds;
}

Status OutboundPublisher::Begin() {
  VL_TRY(auto known, lake::ReadPublished(lake_, place_));
  if (known) positions_ = std::move(*known);
  bool added = false;
  for (const OutboundFeed& feed : feeds_) {
    if (positions_.contains(feed.table)) continue;
    VL_TRY(const delta::SnapshotPtr now, lake_.Latest(feed.table));
    positions_[feed.table] = now->version().value;
    added = true;
    log::Info("outbound {}: publishing {} from version {} on", place_, feed.table,
              now->version().value + 1);
  }
  return added ? lake::WritePublished(lake_, place_, positions_) : Status();
}

Status OutboundPublisher::Publish(const Wait& wait) {
  for (const OutboundFeed& feed : feeds_) {
    VL_TRY(const delta::SnapshotPtr latest, lake_.Latest(feed.table));
    const int64_t end = latest->version().value;
    for (int64_t& seen = positions_.at(feed.table); seen < end;) {
      const int64_t last = std::min(end, seen + kVersionsAtOnce);
      if (auto done = PublishVersions(feed, seen + 1, last, wait); !done) {
        return Because(std::move(done).error(), fmt::format("outbound {}", place_));
      }
      auto moved = positions_;
      moved[feed.table] = last;
      VL_RETURN_IF_ERROR(lake::WritePublished(lake_, place_, moved));
      seen = last;
    }
  }
  return {};
}

Result<std::string> OutboundPublisher::ChangesOf(const OutboundFeed& feed, int64_t first,
                                                 int64_t last) {
  VL_TRY(delta::Table* const table, lake_.OpenTable(feed.table));
  VL_TRY(const delta::SnapshotPtr at, table->At(Version{last}));
  const auto read = [&]() -> Result<std::string> {
    VL_TRY(const auto files, table->Changes(Version{first}, Version{last}));
    return engine::ChangesSql(lake_.Files(at, feed.table), files);
  };
  auto changes = read();
  if (changes || changes.error().kind != ErrorKind::kNotFound) return changes;
  log::Fault(
      "outbound {}: the changes of {} from version {} on are gone ({}); publishing all its "
      "rows anew",
      place_, feed.table, first, changes.error().ToString());
  VL_TRY(const std::string rows, engine::RelationSql(lake_.Files(at, feed.table)));
  return fmt::format("SELECT *, 'insert' AS _change_type, {} AS _commit_version FROM ({})", last,
                     rows);
}

Status OutboundPublisher::PublishVersions(const OutboundFeed& feed, int64_t first, int64_t last,
                                          const Wait& wait) {
  VL_TRY(const std::string changes, ChangesOf(feed, first, last));
  VL_TRY(engine::Connection connection, lake_.engine().Connect());
  VL_RETURN_IF_ERROR(lake::RunSql(connection, ChangesSql(changes, feed.home), wait));
  VL_TRY(const int64_t rows, connection.ScalarInt("SELECT count(*) FROM changes"));
  if (rows == 0) return {};
  const auto position = [&](int64_t version) { return fmt::format("{}/{}", feed.table, version); };
  return SendChanges({lake_, connection, names_}, feed.sql, position, *sink_, wait);
}

}  // namespace vitalake::ingest
