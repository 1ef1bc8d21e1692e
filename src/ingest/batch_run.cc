#include "ingest/batch_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <set>

#include "base/hash.h"
#include "base/json_tree.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "engine/row_buffer.h"
#include "ingest/bronze_copies.h"
#include "ingest/group_stage.h"
#include "ingest/input_files.h"
#include "ingest/outcome_json.h"
#include "ingest/record_stager.h"
#include "ingest/run_lock.h"
#include "ingest/stream/position.h"
#include "lake/catalogue.h"
#include "lake/cell_row.h"
#include "lake/gold.h"
#include "lake/ledger.h"
#include "lake/table_writer.h"
#include "storage/sha256.h"

namespace vitalake::ingest {
namespace {

namespace fs = std::filesystem;

std::string TxnApp(const RunId& run) { return "batch/" + run.value; }

RunId NewRunId(lake::Lake& lake) {
  std::string stamp = FormatUtc(lake.clock().NowMicros()).substr(0, 19);
  std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
  return {fmt::format("{}Z-{:08x}", stamp, lake.random().Next() & 0xFFFFFFFF)};
}

// {"<ordinal>":{"written":n,...}}: what a commit says of the records of its files.
std::string OutcomesJson(const std::map<int64_t, lake::OutcomeCounts>& outcomes) {
  JsonWriter json;
  json.BeginObject();
  for (const auto& [ordinal, counts] : outcomes) {
    json.Key(fmt::to_string(ordinal)).BeginObject();
    WriteOutcomes(json, counts);
    json.EndObject();
  }
  return json.EndObject().Take();
}

std::map<int64_t, lake::OutcomeCounts> ParseOutcomes(JsonValue json) {
  std::map<int64_t, lake::OutcomeCounts> outcomes;
  for (JsonValue entry : json.children()) {
    outcomes[std::stoll(std::string(entry.key()))] = ReadOutcomes(entry);
  }
  return outcomes;
}

// Works one run to its end; the same code for a new run and for one a crash left open.
class RunWorker {
 public:
  // `recovering`: an earlier try of this run may have done some of it.
  RunWorker(lake::Lake& lake, lake::LedgerRun run, bool recovering, BronzeCopies& copies,
            const BatchOptions& options, const std::vector<lake::SilverView>& views,
            const std::function<void(const BatchProgress&)>& progress, const Wait& wait,
            BatchSummary& summary)
      : lake_(lake),
        run_(std::move(run)),
        recovering_(recovering),
        copies_(copies),
        options_(options),
        views_(views),
        progress_(progress),
        wait_(wait),
        summary_(summary) {
    for (const auto& file : run_.files) bytes_total_ += file.bytes;
  }

  Status Work();
  Status DryRun();

 private:
  // Places of run_.files, inclusive.
  struct FileRange {
    size_t first;
    size_t last;
  };

  Status FindRepeats();
  void PublishToBronze();
  std::vector<FileRange> Groups() const;
  Result<std::vector<GroupFile>> FilesOf(const FileRange& group);
  Result<bool> TakeIn(const lake::LedgerFile& file);
  Result<bool> StandsAsRead(std::vector<GroupFile>& files);
  // `last`: ordinal of the group's last file, worked on or not.
  Status WorkGroup(std::vector<GroupFile> files, int64_t last);
  Status CommitTable(Silver table, const GroupStage& stage, const std::vector<GroupFile>& files,
                     int64_t last, std::vector<lake::RefusedRecord>& refused,
                     std::array<lake::UpsertResult, kSilverCount>& results);
  Result<lake::UpsertResult> UpsertTable(Silver table, const GroupStage& stage, int64_t last);
  Status TakeStatedOutcomes(Silver table, const GroupStage& stage,
                            const std::vector<GroupFile>& files);
  Status CommitQuarantine(GroupStage& stage, int64_t last);
  // Outcomes that commits of an earlier try of this run stated, per table.
  Result<std::map<int64_t, lake::OutcomeCounts>> StatedOutcomes(std::string_view table);
  void Report(std::string_view step, int64_t bytes, int64_t records) const {
    if (progress_) progress_({step, bytes, bytes_total_, records});
  }
  void CollectProblems(const GroupStage& stage);
  void DescribeOutcomes();
  Status QuarantineFailed();
  void Summarise();

  lake::Lake& lake_;
  lake::LedgerRun run_;
  bool recovering_;
  BronzeCopies& copies_;
  const BatchOptions& options_;
  const std::vector<lake::SilverView>& views_;
  const std::function<void(const BatchProgress&)>& progress_;
  const Wait& wait_;
  BatchSummary& summary_;
  int64_t bytes_total_ = 0;
  int64_t bytes_done_ = 0;
  int64_t records_done_ = 0;
  std::set<int64_t> waiting_;                        // to be read
  std::map<int64_t, lake::OutcomeCounts> outcomes_;  // by ordinal, final at the end
  std::map<int64_t, std::string> partitions_;        // ordinal -> bronze path of the copy
  std::map<int64_t, std::string> messages_;
  std::set<int64_t> known_;  // files that an earlier run took in
  std::set<int64_t> failed_;
};

Status RunWorker::FindRepeats() {
  VL_TRY(const auto known, lake::Ledger(lake_).FindKnown(run_.files));
  for (lake::LedgerFile& file : run_.files) {
    if (file.sha256.empty()) continue;
    if (const auto repeat = known.find(file.ordinal); repeat != known.end()) {
      known_.insert(file.ordinal);
      outcomes_[file.ordinal] = repeat->second.counts;
      messages_[file.ordinal] = fmt::format("same content as {} of run {}: nothing to do",
                                            repeat->second.path, repeat->second.run);
    }
  }
  return {};
}

// Begins to publish all files but repeats.
void RunWorker::PublishToBronze() {
  std::vector<lake::LedgerFile> files;
  for (const lake::LedgerFile& file : run_.files) {
    if (file.sha256.empty() || known_.contains(file.ordinal)) continue;
    // A repeat within the run is counted with its first; see Work.
    const auto first = std::ranges::find_if(files, [&](const auto& other) {
      return other.sha256 == file.sha256 && other.source == file.source;
    });
    if (first != files.end()) {
      messages_[file.ordinal] = fmt::format("same content as {}", first->path);
    } else {
      files.push_back(file);
      waiting_.insert(file.ordinal);
    }
  }
  copies_.Publish(std::move(files), recovering_, wait_);
}

// The files in groups that are committed together. They depend on nothing but the run, so that a
// recovery commits the same ones.
std::vector<RunWorker::FileRange> RunWorker::Groups() const {
  std::vector<FileRange> groups;
  int64_t bytes = 0;
  for (size_t i = 0; i < run_.files.size(); ++i) {
    if (groups.empty() || bytes + run_.files[i].bytes > options_.group_bytes) {
      groups.push_back({i, i});
      bytes = 0;
    }
    groups.back().last = i;
    bytes += run_.files[i].bytes;
  }
  return groups;
}

// Those of a group that are to be read: their staged copies where there are any, else their bronze
// copies once they are there.
Result<std::vector<GroupFile>> RunWorker::FilesOf(const FileRange& range) {
  std::vector<GroupFile> group;
  for (size_t i = range.first; i <= range.last; ++i) {
    const lake::LedgerFile& file = run_.files[i];
    if (!waiting_.contains(file.ordinal)) continue;
    if (auto staged = copies_.StagedPath(file.ordinal)) {
      group.push_back({&file, file.bronze_path, std::move(*staged)});
    } else {
      VL_TRY(const bool taken, TakeIn(file));
      if (!taken) continue;
      const std::string& partition = partitions_[file.ordinal];
      VL_TRY(fs::path local, lake_.store().LocalPath(partition));
      group.push_back({&file, partition, std::move(local)});
    }
  }
  return group;
}

// Waits until the file is in bronze; false when it did not get there.
Result<bool> RunWorker::TakeIn(const lake::LedgerFile& file) {
  VL_TRY(const BronzeCopy copy, copies_.Await(file.ordinal));
  if (!copy.path.empty()) {
    partitions_[file.ordinal] = copy.path;
    return true;
  }
  messages_[file.ordinal] = copy.message;
  failed_.insert(file.ordinal);
  return false;
}

// Waits for the files' bronze copies. What was read while they were on their way stands when each
// got the path it was read under; else `files` becomes what has to be read again.
Result<bool> RunWorker::StandsAsRead(std::vector<GroupFile>& files) {
  bool stands = true;
  std::vector<GroupFile> taken_in;
  for (GroupFile& file : files) {
    VL_TRY(const bool taken, TakeIn(*file.file));
    if (!taken) {
      stands = false;
      continue;
    }
    const std::string& path = partitions_.at(file.file->ordinal);
    stands = stands && path == file.partition;
    file.partition = path;
    taken_in.push_back(std::move(file));
  }
  files = std::move(taken_in);
  return stands;
}

Result<std::map<int64_t, lake::OutcomeCounts>> RunWorker::StatedOutcomes(std::string_view name) {
  VL_TRY(delta::Table* const table, lake_.OpenTable(name));
  VL_TRY(const auto history, table->History(SIZE_MAX));
  std::map<int64_t, lake::OutcomeCounts> stated;
  JsonParser parser;
  for (const delta::HistoryEntry& entry : history) {
    const auto info = parser.Parse(entry.info);
    if (!info) continue;
    const JsonValue ours = info->Find("vitalake");
    if (ours.String("run") != run_.run.value) continue;
    for (const auto& [ordinal, counts] : ParseOutcomes(ours.Find("outcomes"))) {
      stated[ordinal] += counts;
    }
  }
  return stated;
}

Result<lake::UpsertResult> RunWorker::UpsertTable(Silver table, const GroupStage& stage,
                                                  int64_t last) {
  const lake::UpsertRequest request =
      stage.Request(table, [&](const std::map<std::string, lake::Exceptions>& exceptions) {
        std::map<int64_t, lake::OutcomeCounts> counts;
        stage.CountHome(table, exceptions, counts);
        lake::CommitNote note;
        note.txns[TxnApp(run_.run)] = last;
        note.info["run"] = fmt::format("\"{}\"", run_.run.value);
        note.info["outcomes"] = OutcomesJson(counts);
        return note;
      });
  return lake::Upsert(lake_, request, wait_);
}

Status RunWorker::CommitQuarantine(GroupStage& stage, int64_t last) {
  for (const auto& [table, rows] : {std::pair("ops.quarantine", stage.QuarantineRows()),
                                    std::pair("ops.issue", stage.IssueRows())}) {
    VL_TRY(const int64_t count,
           stage.connection().ScalarInt(fmt::format("SELECT count(*) FROM ({})", rows)));
    if (count == 0) continue;
    lake::CommitNote note;
    note.txns[TxnApp(run_.run)] = last;
    note.info["run"] = fmt::format("\"{}\"", run_.run.value);
    VL_RETURN_IF_ERROR(
        lake::AppendRows(lake_, stage.connection(), lake::FixedTable(table), rows, note, wait_));
  }
  return {};
}

void RunWorker::CollectProblems(const GroupStage& stage) {
  for (const auto& [reason, count] : stage.reasons()) summary_.quarantine_reasons[reason] += count;
  for (const std::string& problem : stage.problems()) {
    if (summary_.first_problems.size() < 20) summary_.first_problems.push_back(problem);
  }
  summary_.issues += stage.issues();
}

// One silver table's part of a group: its commit, the outcomes of its records, what it refuses.
Status RunWorker::CommitTable(Silver table, const GroupStage& stage,
                              const std::vector<GroupFile>& files, int64_t last,
                              std::vector<lake::RefusedRecord>& refused,
                              std::array<lake::UpsertResult, kSilverCount>& results) {
  const std::string& name = views_[static_cast<size_t>(table)].table;
  // Read before: after this commit the table's own statement of it would be found there.
  VL_TRY(const delta::SnapshotPtr before, lake_.Latest(name));
  const bool done = before->FindTxn(TxnApp(run_.run)).value_or(-1) >= last;
  VL_TRY(lake::UpsertResult result, UpsertTable(table, stage, last));
  if (done) {
    VL_RETURN_IF_ERROR(TakeStatedOutcomes(table, stage, files));
  } else {
    std::map<int64_t, lake::OutcomeCounts> counts;
    stage.CountHome(table, result.exceptions, counts);
    for (const auto& [ordinal, count] : counts) outcomes_[ordinal] += count;
  }
  // A refused blood pressure is refused by both of its tables; quarantine has it once.
  for (lake::RefusedRecord& record : result.refused) {
    const bool again = std::ranges::any_of(refused, [&](const auto& other) {
      return other.source_partition == record.source_partition &&
             other.source_offset == record.source_offset;
    });
    if (!again) refused.push_back(std::move(record));
  }
  const auto into = std::ranges::find(summary_.tables, name, &TableResult::table);
  if (into != summary_.tables.end()) {
    into->rows_inserted += result.rows_inserted;
    into->rows_updated += result.rows_updated;
  }
  results[static_cast<size_t>(table)] = std::move(result);
  return {};
}

// Of a group that an earlier try committed to the table.
Status RunWorker::TakeStatedOutcomes(Silver table, const GroupStage& stage,
                                     const std::vector<GroupFile>& files) {
  VL_TRY(const auto stated, StatedOutcomes(views_[static_cast<size_t>(table)].table));
  for (const GroupFile& file : files) {
    const int64_t ordinal = file.file->ordinal;
    if (const auto found = stated.find(ordinal); found != stated.end()) {
      outcomes_[ordinal] += found->second;
    } else if (stage.tallies().at(ordinal).home[static_cast<size_t>(table)] > 0) {
      // The try that committed its group had not got this file.
      partitions_.erase(ordinal);
      failed_.insert(ordinal);
      messages_[ordinal] = "not taken in when its run was interrupted; ingest it again";
    }
  }
  return {};
}

Status RunWorker::WorkGroup(std::vector<GroupFile> files, int64_t last) {
  VL_TRY(const lake::Lake::WorkFolder folder, lake_.MakeWorkFolder("stage"));
  GroupStage stage(lake_, {views_, {}, options_.limits}, run_, folder.path(), false);
  VL_RETURN_IF_ERROR(stage.Read(
      files,
      [&](int64_t bytes, int64_t records) {
        Report("reading", bytes_done_ + bytes, records_done_ + records);
      },
      wait_));
  VL_TRY(const bool stands, StandsAsRead(files));
  if (!stands) return files.empty() ? Status() : WorkGroup(std::move(files), last);
  std::vector<lake::RefusedRecord> refused;
  std::array<lake::UpsertResult, kSilverCount> results;
  for (const Silver table : kSilverTables) {
    Report("writing", bytes_done_, records_done_);
    VL_RETURN_IF_ERROR(CommitTable(table, stage, files, last, refused, results));
  }
  VL_RETURN_IF_ERROR(stage.SettleHomes(results[static_cast<size_t>(Silver::kObservation)],
                                       results[static_cast<size_t>(Silver::kVitalSign)], wait_));
  VL_RETURN_IF_ERROR(stage.QuarantineRefused(refused, files, wait_));
  VL_RETURN_IF_ERROR(CommitQuarantine(stage, last));
  for (const auto& [ordinal, tally] : stage.tallies()) {
    lake::OutcomeCounts& counts = outcomes_[ordinal];
    counts.received += tally.received;
    counts.quarantined += tally.quarantined;
    counts.out_of_scope += tally.out_of_scope;
    records_done_ += tally.received;
  }
  for (const GroupFile& file : files) bytes_done_ += file.file->bytes;
  CollectProblems(stage);
  return {};
}

Status RunWorker::DryRun() {
  for (const lake::LedgerFile& file : run_.files) {
    if (!file.sha256.empty()) partitions_[file.ordinal] = file.path;
  }
  GroupStage stage(lake_, {views_, {}, options_.limits}, run_, {}, true);
  std::vector<GroupFile> files;
  for (const lake::LedgerFile& file : run_.files) {
    if (file.sha256.empty()) {
      messages_[file.ordinal] = file.message;
      failed_.insert(file.ordinal);
    } else {
      files.push_back({&file, file.path, file.path});
    }
  }
  VL_RETURN_IF_ERROR(stage.Read(
      files, [&](int64_t bytes, int64_t records) { Report("reading", bytes, records); }, wait_));
  for (const auto& [ordinal, tally] : stage.tallies()) {
    lake::OutcomeCounts& counts = outcomes_[ordinal];
    counts.received = tally.received;
    counts.quarantined = tally.quarantined;
    counts.out_of_scope = tally.out_of_scope;
    counts.written = tally.received - tally.quarantined - tally.out_of_scope;
  }
  CollectProblems(stage);
  Summarise();
  return {};
}

void RunWorker::Summarise() {
  for (const lake::LedgerFile& file : run_.files) {
    FileResult result;
    result.path = file.path;
    if (const auto bronze = partitions_.find(file.ordinal); bronze != partitions_.end()) {
      result.bronze = bronze->second;
    }
    result.counts = outcomes_[file.ordinal];
    result.counts.bytes = file.bytes;
    result.message = messages_.contains(file.ordinal) ? messages_[file.ordinal] : file.message;
    result.failed = failed_.contains(file.ordinal);
    summary_.counts += result.counts;
    summary_.files.push_back(std::move(result));
  }
}

// What the ledger says of each file in the end.
void RunWorker::DescribeOutcomes() {
  for (lake::LedgerFile& file : run_.files) {
    lake::OutcomeCounts& counts = outcomes_[file.ordinal];
    const auto partition = partitions_.find(file.ordinal);
    if (file.sha256.empty() || failed_.contains(file.ordinal)) {
      // The file is one unreadable record; nothing of it could be kept but the message.
      failed_.insert(file.ordinal);
      counts = {};
      counts.received = counts.quarantined = 1;
      if (!messages_.contains(file.ordinal)) messages_[file.ordinal] = file.message;
    } else if (partition == partitions_.end() && !known_.contains(file.ordinal)) {
      const auto first = std::ranges::find_if(run_.files, [&](const auto& other) {
        return other.sha256 == file.sha256 && other.source == file.source &&
               partitions_.contains(other.ordinal);
      });
      if (first != run_.files.end()) {
        counts.received = counts.duplicate = outcomes_[first->ordinal].received;
      } else {
        failed_.insert(file.ordinal);
        counts.received = counts.quarantined = 1;
        messages_[file.ordinal] += ", which could not be taken in; ingest it again";
      }
    }
    file.bronze_path = partition == partitions_.end() ? "" : partition->second;
    if (messages_.contains(file.ordinal)) file.message = messages_[file.ordinal];
  }
}

// A file that could not be taken in is one quarantined record: all that is known of it is where it
// was and why.
Status RunWorker::QuarantineFailed() {
  if (failed_.empty()) return {};
  const std::string& run = run_.run.value;
  engine::RowBuffer rows(lake_.engine(), QuarantineColumns());
  lake::CellRow row;
  for (const lake::LedgerFile& file : run_.files) {
    if (!failed_.contains(file.ordinal)) continue;
    const std::string id = fmt::format("{:016x}", Hash64(fmt::format("{}\n{}", run, file.ordinal)));
    row.Clear();
    row.Text(id).Text(run).Text(file.source).Text(file.path);
    row.Text("file").Null().Text(file.message).Null();
    row.Int(file.received_at).Null().Text(file.id_space).Text(file.key_mode).Null().Null().Null();
    rows.Append(row.cells());
    ++summary_.quarantine_reasons["file"];
  }
  VL_TRY(engine::Connection connection, lake_.engine().Connect());
  lake::CommitNote note;
  note.txns[TxnApp(run_.run) + "/files"] = 0;
  note.info["run"] = fmt::format("\"{}\"", run);
  auto done = lake::AppendRows(lake_, connection, lake::FixedTable("ops.quarantine"),
                               "SELECT * FROM " + rows.sql(), note, wait_);
  if (!done) return Because(std::move(done).error(), "quarantining files");
  return {};
}

Status RunWorker::Work() {
  VL_RETURN_IF_ERROR(FindRepeats());
  PublishToBronze();
  for (const FileRange& range : Groups()) {
    VL_TRY(std::vector<GroupFile> group, FilesOf(range));
    if (group.empty()) continue;
    VL_RETURN_IF_ERROR(WorkGroup(std::move(group), run_.files[range.last].ordinal));
  }
  DescribeOutcomes();
  VL_RETURN_IF_ERROR(QuarantineFailed());
  VL_RETURN_IF_ERROR(lake::Ledger(lake_).CloseRun(run_, outcomes_, wait_));
  Summarise();
  return {};
}

Result<fs::path> RunLocks(lake::Lake& lake) {
  VL_TRY(const fs::path staging, lake.store().StagingFolder());
  return staging.parent_path() / "runs";
}

// The steps of RunBatch.
class Batch {
 public:
  using Progress = std::function<void(const BatchProgress&)>;

  Batch(lake::Lake& lake, const BatchOptions& options, std::vector<lake::SilverView> views,
        std::vector<std::string> paths, const Progress& progress, const Wait& wait)
      : lake_(lake),
        options_(options),
        views_(std::move(views)),
        paths_(std::move(paths)),
        progress_(progress),
        wait_(wait),
        copies_(lake, run_) {}

  Status DryRun();
  // 1. What runs that ended before their time have left.
  Status FinishOpenRuns();
  // 2. The files, if there are any.
  Status TakeIn();
  // 3.
  Status RefreshGold();
  Result<BatchSummary> Summary();

 private:
  Result<bool> FinishOpenRun(const lake::LedgerRun& left);
  void Report(std::string_view step, const lake::LedgerFile& file) {
    bytes_seen_ += file.bytes;
    if (progress_) progress_({step, bytes_seen_, 0, 0});
  }
  RunWorker Worker(std::vector<lake::LedgerFile> files) {
    return {lake_,     {run_, started_, std::move(files)},
            false,     copies_,
            options_,  views_,
            progress_, wait_,
            summary_};
  }

  lake::Lake& lake_;
  const BatchOptions& options_;
  const std::vector<lake::SilverView> views_;
  const std::vector<std::string> paths_;
  const Progress& progress_;
  const Wait& wait_;
  const RunId run_ = NewRunId(lake_);
  const Micros started_ = lake_.clock().NowMicros();
  const std::chrono::nanoseconds begin_ = lake_.clock().Steady();
  BronzeCopies copies_;
  BatchSummary summary_;
  int64_t bytes_seen_ = 0;
};

Status Batch::DryRun() {
  const auto hash = [&](const lake::LedgerFile& file) {
    Report("hashing", file);
    return storage::Sha256OfFile(file.path);
  };
  VL_TRY(auto files, DescribeFiles(lake_, options_, run_, started_, paths_, hash));
  return Worker(std::move(files)).DryRun();
}

// false: another process is at it, or was done with it meanwhile.
Result<bool> Batch::FinishOpenRun(const lake::LedgerRun& left) {
  VL_TRY(const fs::path locks, RunLocks(lake_));
  VL_TRY(const auto lock, RunLock::TryTake(locks, left.run));
  if (!lock) return false;
  // It may have ended between the listing and the lock.
  VL_TRY(const auto still_open, lake::Ledger(lake_).FindOpenRuns());
  if (std::ranges::none_of(still_open,
                           [&](const auto& other) { return other.run.value == left.run.value; })) {
    return false;
  }
  BatchSummary recovered;
  recovered.tables = summary_.tables;
  BronzeCopies copies(lake_, left.run);
  auto done =
      RunWorker(lake_, left, true, copies, options_, views_, progress_, wait_, recovered).Work();
  if (done) return true;
  return Because(std::move(done).error(), fmt::format("finishing run {}", left.run.value));
}

Status Batch::FinishOpenRuns() {
  VL_RETURN_IF_ERROR(lake_.CreateMissingTables());
  for (const lake::SilverView& view : views_) {
    VL_TRY(const delta::SnapshotPtr snapshot, lake_.Latest(view.table));
    summary_.tables.push_back({view.table, snapshot->version().value, -1, 0, 0});
  }
  VL_TRY(const auto open_runs, lake::Ledger(lake_).FindOpenRuns());
  for (const lake::LedgerRun& left : open_runs) {
    VL_TRY(const bool finished, FinishOpenRun(left));
    summary_.recovered_runs += finished ? 1 : 0;
  }
  VL_TRY(const fs::path locks, RunLocks(lake_));
  VL_RETURN_IF_ERROR(SweepStagedCopies(lake_, locks));
  lake_.SweepLeftovers();
  return {};
}

Status Batch::TakeIn() {
  if (paths_.empty()) return {};
  VL_TRY(const fs::path locks, RunLocks(lake_));
  VL_TRY(const auto lock, RunLock::TryTake(locks, run_));
  VL_TRY(std::set<int64_t> sizes, lake::Ledger(lake_).KnownSizes());
  // Only what may be a repeat is hashed before it is copied.
  const auto hash = [&](const lake::LedgerFile& file) -> Result<std::string> {
    VL_RETURN_IF_ERROR(wait_.Check(lake_.clock(), "copying to bronze"));
    Report("copying", file);
    if (!sizes.insert(file.bytes).second) return storage::Sha256OfFile(file.path);
    return copies_.Stage(file.ordinal, file.path);
  };
  VL_TRY(auto files, DescribeFiles(lake_, options_, run_, started_, paths_, hash));
  VL_RETURN_IF_ERROR(lake::Ledger(lake_).OpenRun({run_, started_, files}, wait_));
  summary_.run = run_.value;
  auto done = Worker(std::move(files)).Work();
  if (!done) return Because(std::move(done).error(), fmt::format("run {}", run_.value));
  return {};
}

Status Batch::RefreshGold() {
  if (!options_.refresh_gold) return {};
  if (progress_) progress_({"gold", 0, 0, summary_.counts.received});
  VL_TRY(const auto gold, lake::RefreshGold(lake_, false, wait_));
  for (const lake::GoldResult& result : gold) {
    summary_.tables.push_back({result.table, result.version - 1, result.version,
                               result.rows_inserted, result.rows_updated + result.rows_deleted});
  }
  return {};
}

Result<BatchSummary> Batch::Summary() {
  for (TableResult& table : summary_.tables) {
    VL_TRY(const delta::SnapshotPtr snapshot, lake_.Latest(table.table));
    table.version_after = snapshot->version().value;
  }
  summary_.seconds = std::chrono::duration<double>(lake_.clock().Steady() - begin_).count();
  return std::move(summary_);
}

}  // namespace

Result<BatchSummary> RunBatch(lake::Lake& lake, const BatchOptions& options,
                              const std::function<void(const BatchProgress&)>& progress,
                              const Wait& wait) {
  if (fmt::format("bronze.{}", options.source) == kBronzeStream) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("{0} cannot be the name of a source: bronze/{0} is the folder of the "
                            "table {1}",
                            options.source, kBronzeStream));
  }
  VL_TRY(std::vector<lake::SilverView> views, lake::LoadSilverViews(lake.options().views_folder));
  VL_TRY(std::vector<std::string> paths, FindFiles(options.paths));
  Batch batch(lake, options, std::move(views), std::move(paths), progress, wait);
  if (options.dry_run) {
    VL_RETURN_IF_ERROR(batch.DryRun());
  } else {
    VL_RETURN_IF_ERROR(batch.FinishOpenRuns());
    VL_RETURN_IF_ERROR(batch.TakeIn());
    VL_RETURN_IF_ERROR(batch.RefreshGold());
  }
  return batch.Summary();
}

}  // namespace vitalake::ingest
