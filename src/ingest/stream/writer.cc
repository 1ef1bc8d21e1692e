#include "ingest/stream/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <mutex>

#include "base/log.h"
#include "base/parallel.h"
#include "ingest/bronze_stream.h"
#include "ingest/pause.h"
#include "lake/catalogue.h"
#include "lake/compaction.h"
#include "lake/ledger.h"
#include "lake/upsert.h"

namespace vitalake::ingest {
namespace {

constexpr std::string_view kLedger = "ops.ledger";

constexpr int kTriesForMemory = 6;

bool IsShortOfMemory(const Result<lake::UpsertResult>& result) {
  return !result && result.error().kind == ErrorKind::kLimit;
}

}  // namespace

std::string StreamWriter::CommitName() const { return fmt::format("\"{}\"", settings_.name); }

Result<std::unique_ptr<StagedBatch>> StreamWriter::OpenBatch(
    const std::vector<StreamPartition>& partitions) {
  if (!stagers_) {
    VL_TRY(stagers_, StagerPool::Open(lake_));
  }
  return StagedBatch::Open(lake_, settings_, views_, *stagers_, partitions);
}

Status StreamWriter::Write(StagedBatch& staged, const Wait& wait) {
  return WriteTo(staged, Tables(FollowerTables().begin(), FollowerTables().end()), Purpose::kNew,
                 wait);
}

Status StreamWriter::Retell(StreamBatch batch, const Wait& wait) {
  VL_TRY(const auto staged, Staged(std::move(batch), wait));
  return WriteTo(*staged, {std::string(kLedger)}, Purpose::kRetell, wait);
}

Result<std::unique_ptr<StagedBatch>> StreamWriter::Staged(StreamBatch batch, const Wait& wait) {
  std::vector<StreamPartition> partitions;
  for (const auto& [_, range] : batch.ranges) partitions.push_back(range.partition);
  VL_TRY(auto staged, OpenBatch(partitions));
  VL_RETURN_IF_ERROR(staged->Stage(batch, wait));
  staged->Append(std::move(batch));
  return staged;
}

Status StreamWriter::WriteTo(StagedBatch& staged, const Tables& lacking, Purpose purpose,
                             const Wait& wait) {
  std::future<Status> closed =
      std::async(std::launch::async, [&staged, &wait] { return staged.stage().Close(wait); });
  if (purpose == Purpose::kNew) {
    VL_RETURN_IF_ERROR(AppendRest(staged, wait));
    positions_.Advance(kBronzeStream, staged.batch());
    if (settings_.in_bronze) settings_.in_bronze(staged.batch().ranges);
  }
  VL_RETURN_IF_ERROR(closed.get());
  return WriteFollowers(staged, lacking, purpose, wait);
}

Status StreamWriter::AppendRest(StagedBatch& staged, const Wait& wait) {
  const StreamBatch& batch = staged.batch();
  if (staged.AfterBronze().empty()) return {};
  lake::CommitNote note = positions_.Note(kBronzeStream, batch);
  for (const auto& [partition, range] : batch.ranges) {
    const auto end = staged.EndInBronze(partition);
    if (end) note.starts[range.partition.AppId()] = end;
  }
  note.info["stream"] = CommitName();
  VL_RETURN_IF_ERROR(
      AppendToBronze(lake_, staged.AfterBronze(), batch.ranges, settings_.name, note, wait));
  staged.NoteInBronze();
  return {};
}

// Positions say what a batch brought once it is whole: tables without rows of it follow them.
Status StreamWriter::KeepInBronze(StagedBatch& staged, const Wait& wait) {
  VL_RETURN_IF_ERROR(AppendRest(staged, wait));
  if (settings_.in_bronze) settings_.in_bronze(staged.batch().ranges);
  return {};
}

Result<lake::UpsertResult> StreamWriter::UpsertInto(Silver table, StagedBatch& staged, bool lacks,
                                                    const delta::SnapshotPtr& vital_signs,
                                                    const Wait& wait) {
  const StreamBatch& batch = staged.batch();
  const GroupStage& stage = staged.stage();
  const std::string& name = views_[static_cast<size_t>(table)].table;
  OutcomesByApp stated;
  const auto note = [&](const std::map<std::string, lake::Exceptions>& exceptions) {
    std::map<int64_t, lake::OutcomeCounts> counts;
    stage.CountHome(table, FoldEntries(exceptions), counts);
    stated = unstated_.at(name);
    AddOutcomes(stated, batch, counts);
    lake::CommitNote note = positions_.Note(name, batch);
    note.info["stream"] = CommitName();
    note.info["outcomes"] = OutcomesJson(stated);
    return note;
  };
  lake::UpsertRequest request = stage.Request(table, note);
  request.only_asks = !lacks;
  request.elsewhere_at = vital_signs;
  request.by_place = settings_.listener != nullptr;
  auto result = lake::Upsert(lake_, request, wait);
  // What works beside the streams has the memory for a moment. Beginning anew costs far more.
  std::chrono::milliseconds pause{100};
  for (int again = 0; again < kTriesForMemory && IsShortOfMemory(result); ++again, pause *= 2) {
    log::Info("stream {}: {} waits for memory: {}", settings_.name, name,
              result.error().message.substr(0, result.error().message.find('\n')));
    PauseUntilStop(wait.stop, pause);
    result = lake::Upsert(lake_, request, wait);
  }
  if (!result || !lacks) return result;
  if (result->committed) {
    unstated_.at(name).clear();
  } else {
    std::map<int64_t, lake::OutcomeCounts> counts;
    stage.CountHome(table, FoldEntries(result->exceptions), counts);
    AddOutcomes(unstated_.at(name), batch, counts);
  }
  return result;
}

// Compaction beside the stream gives way to its commits: where each of these corrects rows of some
// file, it never comes to an end. Then it is done here, between two of them: the smallest files
// often, which takes little, what became of them seldom; one group of them at a time, so that the
// next commit waits for no more. When gold takes the memory just then, after a later commit.
void StreamWriter::KeepFilesFew(const std::vector<std::string>& tables, const Wait& wait) {
  if (tables.empty()) return;
  const bool apart = lake_.is_upkeep_apart();
  std::unique_lock alone(lake_.heavy_work(), std::defer_lock);
  if (!apart && !alone.try_lock()) return;
  ForEachIndex(tables.size(), apart ? tables.size() : 1, [&](size_t i) {
    KeepFilesFew(tables[i], wait);
    return true;
  });
}

void StreamWriter::KeepFilesFew(const std::string& table, const Wait& wait) {
  const auto spec = lake_.Spec(table);
  if (!spec) return;
  const lake::MaintainOptions& maintain = lake_.options().maintain;
  const int64_t most = maintain.small_files;
  for (const auto& [files, rows] :
       {std::pair(most, lake::kRowsOfFirstFiles), std::pair(2 * most, maintain.target_rows)}) {
    const auto done = lake::CompactGroupIfMore(lake_, **spec, files, rows, wait);
    if (done) continue;
    if (done.error().kind != ErrorKind::kCancelled) {
      log::Warn("{} stays as it is: {}", table, done.error().ToString());
    }
    return;
  }
}

Result<std::vector<StreamWriter::Upserted>> StreamWriter::UpsertIntoAll(StagedBatch& staged,
                                                                        const Tables& lacking,
                                                                        bool to_ledger,
                                                                        const Wait& wait) {
  std::vector<Upserted> tables;
  bool deletes = false;
  for (const Silver table : kSilverTables) {
    const std::string& name = views_[static_cast<size_t>(table)].table;
    const bool lacks = lacking.contains(name);
    unstated_[name];
    deletes |= staged.stage().staged()[static_cast<size_t>(table)].deletes > 0;
    // A table that has the rows is asked again for what it refused: quarantine may lack that.
    if (lacks || to_ledger) tables.push_back({table, lacks, {}});
  }
  VL_TRY(const delta::SnapshotPtr vital_signs,
         lake_.Latest(views_[static_cast<size_t>(Silver::kVitalSign)].table));
  std::vector<Status> results(tables.size());
  // What a table gets does not depend on how far the others are, but for a deletion, which leaves
  // no tombstone where the other table has the key.
  ForEachIndex(tables.size(), deletes ? 1 : tables.size(), [&](size_t i) {
    auto result = UpsertInto(tables[i].table, staged, tables[i].lacks, vital_signs, wait);
    if (result) {
      tables[i].result = std::move(*result);
    } else {
      results[i] = std::unexpected(std::move(result).error());
    }
    return results[i].has_value();
  });
  for (size_t i = 0; i < tables.size(); ++i) {
    VL_RETURN_IF_ERROR(std::move(results[i]));
    const auto& [table, lacks, result] = tables[i];
    if (lacks && result.committed) {
      positions_.Advance(views_[static_cast<size_t>(table)].table, staged.batch());
    }
  }
  return tables;
}

// Before the ledger has the batch: who finds it there need not do this again.
Status StreamWriter::SettleHomes(StagedBatch& staged, const std::vector<Upserted>& upserted,
                                 const Wait& wait) {
  const lake::UpsertResult not_asked;
  const auto result_of = [&](Silver table) -> const lake::UpsertResult& {
    const auto found = std::ranges::find(upserted, table, &Upserted::table);
    return found == upserted.end() ? not_asked : found->result;
  };
  const lake::UpsertResult& observation = result_of(Silver::kObservation);
  const lake::UpsertResult& vital_sign = result_of(Silver::kVitalSign);
  if (&observation == &vital_sign) return {};
  return staged.stage().SettleHomes(observation, vital_sign, wait);
}

Status StreamWriter::AppendTo(std::string_view table, const std::string& rows, StagedBatch& staged,
                              const Wait& wait) {
  const StreamBatch& batch = staged.batch();
  engine::Connection& connection = staged.stage().connection();
  VL_TRY(const int64_t count, connection.ScalarInt(fmt::format("SELECT count(*) FROM ({})", rows)));
  if (count == 0) return {};
  lake::CommitNote note = positions_.Note(table, batch);
  note.info["stream"] = CommitName();
  VL_TRY(const lake::AppendResult done,
         lake::AppendRows(lake_, connection, lake::FixedTable(table), rows, note, wait));
  (void)done;
  positions_.Advance(table, batch);
  return {};
}

Status StreamWriter::WriteFollowers(StagedBatch& staged, const Tables& lacking, Purpose purpose,
                                    const Wait& wait) {
  const StreamBatch& batch = staged.batch();
  GroupStage& stage = staged.stage();
  const bool to_ledger = lacking.contains(kLedger);
  std::map<int64_t, lake::OutcomeCounts> outcomes;
  std::vector<lake::RefusedRecord> refused;
  PlacedBySilver placed;
  VL_TRY(std::vector<Upserted> upserted, UpsertIntoAll(staged, lacking, to_ledger, wait));
  if (purpose != Purpose::kRetell) VL_RETURN_IF_ERROR(SettleHomes(staged, upserted, wait));
  std::vector<std::string> committed;
  for (const auto& [table, lacks, result] : upserted) {
    if (lacks && result.committed) committed.push_back(views_[static_cast<size_t>(table)].table);
  }
  KeepFilesFew(committed, wait);
  for (auto& [table, lacks, result] : upserted) {
    if (lacks) stage.CountHome(table, FoldEntries(result.exceptions), outcomes);
    placed[static_cast<size_t>(table)] = std::move(result.placed);
    for (lake::RefusedRecord& record : result.refused) {
      // A refused blood pressure is refused by both of its tables; quarantine has it once.
      const bool again = std::ranges::any_of(refused, [&](const auto& other) {
        return other.source_partition == record.source_partition &&
               other.source_offset == record.source_offset;
      });
      if (!again) refused.push_back(std::move(record));
    }
  }
  VL_RETURN_IF_ERROR(stage.QuarantineRefused(refused, batch.messages, staged.sources(), wait));
  if (lacking.contains("ops.quarantine")) {
    VL_RETURN_IF_ERROR(AppendTo("ops.quarantine", stage.QuarantineRows(), staged, wait));
  }
  if (lacking.contains("ops.issue")) {
    VL_RETURN_IF_ERROR(AppendTo("ops.issue", stage.IssueRows(), staged, wait));
  }
  if (settings_.listener != nullptr) {
    VL_TRY(const auto told, OutcomesOf(batch, stage, placed, wait));
    settings_.listener->Settled(told);
  }
  if (!to_ledger) return {};
  for (const auto& [partition, tally] : stage.tallies()) {
    lake::OutcomeCounts& counts = outcomes[partition];
    counts.received += tally.received;
    counts.quarantined += tally.quarantined;
    counts.out_of_scope += tally.out_of_scope;
  }
  for (const StreamMessage& message : batch.messages) {
    outcomes[message.partition].bytes += static_cast<int64_t>(message.payload.size());
  }
  for (const auto& [_, counts] : outcomes) outcomes_ += counts;
  AddOutcomes(ledger_, batch, outcomes);
  return {};
}

Status StreamWriter::FlushLedger(const Wait& wait) {
  if (ledger_.empty()) return {};
  lake::LedgerRun run{settings_.run_id(), lake_.clock().NowMicros(), {}};
  std::map<int64_t, lake::OutcomeCounts> counts;
  lake::CommitNote note;
  note.info["stream"] = CommitName();
  for (const auto& [app, outcome] : ledger_) {
    const MessageRange& range = outcome.range;
    lake::LedgerFile file;
    file.ordinal = static_cast<int64_t>(run.files.size());
    file.path = fmt::format("{}/{}/{}-{}", range.partition.topic, range.partition.partition,
                            range.first, range.end - 1);
    file.source = settings_.name;
    file.bytes = outcome.counts.bytes;
    file.received_at = run.started_at;
    file.id_space = settings_.id_space;
    file.key_mode = settings_.key_mode();
    counts[file.ordinal] = outcome.counts;
    run.files.push_back(std::move(file));
    note.txns[app] = range.end;
    note.starts[app] = positions_.Of(kLedger, app);
  }
  VL_RETURN_IF_ERROR(lake::Ledger(lake_).AppendFinished(run, counts, note, wait));
  positions_.AdvanceTo(kLedger, note);
  ledger_.clear();
  unstated_.clear();  // what the ledger has need not be stated
  return {};
}

Status StreamWriter::CatchUp(int64_t messages, const Wait& wait) {
  // A table's txn may pass over records only once the ledger has what became of them.
  VL_RETURN_IF_ERROR(FlushLedger(wait));
  for (const std::string& table : FollowerTables()) {
    if (table == kLedger) continue;  // it follows by rows alone
    lake::CommitNote note = positions_.NoteOfLag(table, messages);
    if (note.txns.empty()) continue;
    note.info["stream"] = CommitName();
    VL_RETURN_IF_ERROR(lake::CommitTxns(lake_, table, note, wait));
    positions_.AdvanceTo(table, note);
  }
  return {};
}

}  // namespace vitalake::ingest
