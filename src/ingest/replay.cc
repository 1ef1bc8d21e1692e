#include "ingest/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/check.h"
#include "base/json_writer.h"
#include "engine/relation.h"
#include "ingest/bronze_stream.h"
#include "ingest/group_stage.h"
#include "ingest/stream/outcomes.h"
#include "lake/ledger.h"
#include "lake/silver_view.h"
#include "lake/sql_text.h"
#include "lake/table_writer.h"
#include "lake/upsert.h"

namespace vitalake::ingest {
namespace {

// Where a record lies: bronze path and byte offset.
using LineOfFile = std::pair<std::string, int64_t>;

// Records to be tried together: of files, or of streams' messages.
struct Selection {
  lake::LedgerRun run;  // one file per (bronze copy, settings), or per partition of a stream
  std::vector<GroupFile> files;
  std::vector<StreamMessage> messages;  // `partition` is the ordinal of the run's file
  MessageSources sources;
  std::set<LineOfFile> places;
  std::set<LineOfFile> conflicts;  // of them, those refused as another resource of a known id

  void Add(const engine::QueryResult& found) {
    const LineOfFile place{std::string(found.GetString(3)), found.GetInt64(4)};
    if (found.GetString(6) == "key-conflict") conflicts.insert(place);
    places.insert(place);
  }
};

constexpr std::string_view kOfStream = "run LIKE 'stream/%'";

// The ledger's view of what holds the record of the current row.
lake::LedgerFile FileOf(const engine::QueryResult& found, std::string partition, size_t ordinal) {
  lake::LedgerFile file;
  file.ordinal = static_cast<int64_t>(ordinal);
  file.path = std::move(partition);
  file.source = found.GetString(0);
  file.id_space = found.GetString(1);
  file.key_mode = found.GetString(2);
  file.received_at = found.GetInt64(5);
  file.message = "replay of quarantined records";
  return file;
}

// The rows of ops.quarantine for which `where` holds and that `filter` selects.
Result<engine::QueryResult> Find(lake::Lake& lake, engine::Connection& connection,
                                 const lake::QuarantineFilter& filter, std::string_view where) {
  VL_TRY(const delta::SnapshotPtr snapshot, lake.Latest("ops.quarantine"));
  VL_TRY(const std::string rows, engine::RelationSql(lake.Files(snapshot, "ops.quarantine")));
  return connection.Query(
      fmt::format(
          "SELECT source, id_space, key_mode, source_partition, source_offset, received_at, "
          "reason FROM ({}) WHERE replayed_at IS NULL AND source_partition IS NOT NULL AND ({}) "
          "AND (? = '' OR reason = ?) AND (? = '' OR id = ?) "
          "ORDER BY received_at, source_partition",
          rows, where),
      {filter.reason, filter.reason, filter.id, filter.id});
}

Result<Selection> SelectMessages(lake::Lake& lake, const lake::QuarantineFilter& filter,
                                 const RunId& run) {
  VL_TRY(engine::Connection connection, lake.engine().Connect());
  VL_TRY(engine::QueryResult found, Find(lake, connection, filter, kOfStream));
  Selection selection;
  selection.run = {run, lake.clock().NowMicros(), {}};
  std::map<std::string, std::set<int64_t>> offsets;  // by app id
  for (;;) {
    VL_TRY(const bool more, found.Next());
    if (!more) break;
    const std::string partition(found.GetString(3));
    const std::string app = AppIdOf(partition);
    selection.Add(found);
    if (!offsets.contains(app)) {
      selection.run.files.push_back(FileOf(found, app, selection.run.files.size()));
    }
    offsets[app].insert(found.GetInt64(4));
  }
  for (const lake::LedgerFile& file : selection.run.files) {
    const auto ordinal = static_cast<int32_t>(file.ordinal);
    selection.sources[ordinal] = {nullptr, &file, file.path};
    VL_TRY(std::vector<StreamMessage> messages,
           ReadMessagesAt(lake, file.path, offsets.at(file.path), ordinal));
    std::ranges::move(messages, std::back_inserter(selection.messages));
  }
  return selection;
}

Result<Selection> SelectFiles(lake::Lake& lake, const lake::QuarantineFilter& filter,
                              const RunId& run) {
  VL_TRY(engine::Connection connection, lake.engine().Connect());
  VL_TRY(engine::QueryResult found,
         Find(lake, connection, filter, fmt::format("NOT coalesce({}, false)", kOfStream)));
  Selection selection;
  selection.run = {run, lake.clock().NowMicros(), {}};
  std::set<std::string> seen;
  for (;;) {
    VL_TRY(const bool more, found.Next());
    if (!more) break;
    std::string partition(found.GetString(3));
    selection.Add(found);
    if (!seen.insert(partition).second) continue;
    selection.run.files.push_back(FileOf(found, std::move(partition), selection.run.files.size()));
  }
  for (const lake::LedgerFile& file : selection.run.files) {
    VL_TRY(auto local, lake.store().LocalPath(file.path));
    selection.files.push_back({&file, file.path, std::move(local)});
  }
  return selection;
}

// Sets replayed_at of the rows at `places`.
Status MarkReplayed(lake::Lake& lake, const std::set<LineOfFile>& places, const Wait& wait) {
  VL_TRY(engine::Connection connection, lake.engine().Connect());
  VL_RETURN_IF_ERROR(lake::RunSql(connection, "CREATE TEMP TABLE done (p VARCHAR, o BIGINT)"));
  for (const auto& [partition, offset] : places) {
    VL_RETURN_IF_ERROR(lake::RunSql(
        connection,
        fmt::format("INSERT INTO done VALUES ({}, {})", engine::QuoteLiteral(partition), offset)));
  }
  VL_TRY(delta::Table* const table, lake.OpenTable("ops.quarantine"));
  const std::string mine = "SEMI JOIN done d ON d.p = r.source_partition AND d.o = r.source_offset";
  for (;;) {
    VL_RETURN_IF_ERROR(wait.Check(lake.clock(), "marking replayed records"));
    VL_TRY(const delta::SnapshotPtr snapshot, table->Latest());
    const engine::TableFiles files = lake.Files(snapshot, "ops.quarantine");
    VL_TRY(const std::string positioned, engine::RelationSql(files, {.with_positions = true}));
    VL_RETURN_IF_ERROR(lake::RunSql(
        connection, fmt::format("CREATE OR REPLACE TEMP TABLE before AS SELECT r.* FROM ({}) r {} "
                                "WHERE r.replayed_at IS NULL",
                                positioned, mine)));
    lake::Rewrite rewrite;
    VL_TRY(rewrite.replaced,
           lake::ReadStrings(connection, "SELECT DISTINCT _file FROM before ORDER BY 1", wait));
    if (rewrite.replaced.empty()) return {};
    const std::string after = fmt::format(
        "SELECT * EXCLUDE (_file, _row) REPLACE "
        "(make_timestamptz({}) AS replayed_at) FROM before",
        lake.clock().NowMicros());
    VL_TRY(const std::string old, engine::RelationSql(files, {.files = rewrite.replaced}));
    VL_TRY(const lake::Lake::WorkFolder folder, lake.MakeWorkFolder("replay"));
    VL_TRY(rewrite.data,
           engine::WriteParquet(
               connection,
               fmt::format(
                   "SELECT * FROM ({}) r ANTI JOIN before b ON b.id = r.id UNION ALL BY NAME {}",
                   old, after),
               folder.path(), {}, wait));
    engine::ParquetOptions changes;
    changes.name_prefix = "cdc";
    VL_TRY(rewrite.changes,
           engine::WriteParquet(
               connection,
               fmt::format("SELECT * EXCLUDE (_file, _row), 'update_preimage' AS _change_type "
                           "FROM before UNION ALL BY NAME SELECT *, 'update_postimage' AS "
                           "_change_type FROM ({})",
                           after),
               folder.path(), changes, wait));
    rewrite.updated = static_cast<int64_t>(places.size());
    VL_TRY(const auto version, lake::CommitRewrite(lake, *table, snapshot, rewrite, {}, wait));
    if (version) return {};
  }
}

// What lost against another version, of records that may be no version of it at all: they stay
// where they are. The id's row may have lost the identifier that told them apart.
std::vector<LineOfFile> LostConflicts(const Selection& selection, const ReplayOptions& options,
                                      const lake::UpsertResult& result) {
  std::vector<LineOfFile> lost;
  if (options.key) return lost;
  for (const lake::PlacedExceptions& placed : result.placed) {
    LineOfFile place{placed.source_partition, placed.source_offset};
    const bool superseded = placed.exceptions.superseded > 0;
    if (superseded && selection.conflicts.contains(place)) lost.push_back(std::move(place));
  }
  return lost;
}

// Sends what was selected the usual way and adds to the summary what became of it.
Status Replay(lake::Lake& lake, Selection& selection, const ReplayOptions& options,
              const Wait& wait, ReplaySummary& summary) {
  if (selection.places.empty()) return {};
  for (lake::LedgerFile& file : selection.run.files) {
    if (options.key) file.key_mode = *options.key == fhir::KeyRule::kId ? "id" : "identifier";
  }
  for (auto& [_, source] : selection.sources) source.run = &selection.run;
  VL_TRY(const std::vector<lake::SilverView> views,
         lake::LoadSilverViews(lake.options().views_folder));
  VL_TRY(const lake::Lake::WorkFolder folder, lake.MakeWorkFolder("replay"));
  StagerContext context{views, {}, options.limits};
  context.wanted = [&](const std::string& partition, int64_t offset) {
    return selection.places.contains({partition, offset});
  };
  GroupStage stage(lake, context, selection.run, folder.path(), false);
  if (selection.messages.empty()) {
    VL_RETURN_IF_ERROR(stage.Read(selection.files, {}, wait));
  } else {
    VL_RETURN_IF_ERROR(stage.AddMessages(selection.messages, selection.sources, wait));
    VL_RETURN_IF_ERROR(stage.Close(wait));
  }

  std::set<LineOfFile> done = selection.places;
  std::map<int64_t, lake::OutcomeCounts> outcomes;
  for (const Silver table : kSilverTables) {
    lake::UpsertRequest request = stage.Request(table, [&](const auto&) {
      return lake::CommitNote{{}, {{"run", fmt::format("\"{}\"", selection.run.run.value)}}};
    });
    request.by_place = true;
    VL_TRY(const lake::UpsertResult result, lake::Upsert(lake, request, wait));
    stage.CountHome(table,
                    selection.messages.empty() ? result.exceptions : FoldEntries(result.exceptions),
                    outcomes);
    for (const auto& refused : result.refused) {
      done.erase({refused.source_partition, refused.source_offset});
    }
    for (const LineOfFile& place : LostConflicts(selection, options, result)) {
      if (done.erase(place) == 0) continue;
      const auto file = std::ranges::find_if(selection.run.files, [&](const auto& one) {
        return one.path == place.first || one.path == AppIdOf(place.first);
      });
      VL_CHECK(file != selection.run.files.end());
      --outcomes[file->ordinal].superseded;
      ++outcomes[file->ordinal].quarantined;
    }
  }
  // A replay that was cut off is done anew, and does not know how far it was.
  VL_RETURN_IF_ERROR(stage.SettleHomes({}, {}, wait));
  VL_TRY(engine::QueryResult refused,
         stage.connection().Query(fmt::format("SELECT source_partition, source_offset FROM ({})",
                                              stage.QuarantineRows())));
  for (;;) {
    VL_TRY(const bool more, refused.Next());
    if (!more) break;
    done.erase({std::string(refused.GetString(0)), refused.GetInt64(1)});
  }
  VL_RETURN_IF_ERROR(MarkReplayed(lake, done, wait));
  for (const auto& [ordinal, tally] : stage.tallies()) {
    lake::OutcomeCounts& counts = outcomes[ordinal];
    counts.received += tally.received;
    counts.quarantined += tally.quarantined;
    counts.out_of_scope += tally.out_of_scope;
    summary.counts += counts;
  }
  summary.run = selection.run.run.value;
  summary.selected += static_cast<int64_t>(selection.places.size());
  summary.still_refused += static_cast<int64_t>(selection.places.size() - done.size());
  return lake::Ledger(lake).CloseRun(selection.run, outcomes, wait);
}

}  // namespace

std::string ReplayJson(const ReplaySummary& done) {
  JsonWriter json;
  json.BeginObject().Key("run").String(done.run).Key("selected").Int(done.selected);
  json.Key("written").Int(done.counts.written).Key("superseded").Int(done.counts.superseded);
  json.Key("duplicate").Int(done.counts.duplicate);
  json.Key("out_of_scope").Int(done.counts.out_of_scope);
  json.Key("still_refused").Int(done.still_refused).EndObject();
  return json.Take();
}

Result<ReplaySummary> ReplayQuarantine(lake::Lake& lake, const lake::QuarantineFilter& filter,
                                       const ReplayOptions& options, const Wait& wait) {
  ReplaySummary summary;
  for (const auto select : {SelectFiles, SelectMessages}) {
    const RunId run{fmt::format("replay-{}", lake.random().Uuid())};
    VL_TRY(Selection selection, select(lake, filter, run));
    VL_RETURN_IF_ERROR(Replay(lake, selection, options, wait, summary));
  }
  return summary;
}

}  // namespace vitalake::ingest
