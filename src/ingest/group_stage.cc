#include "ingest/group_stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <iterator>
#include <mutex>
#include <numeric>
#include <set>

#include "base/parallel.h"
#include "engine/row_buffer.h"
#include "lake/cell_row.h"
#include "lake/key_index.h"
#include "lake/settle_homes.h"
#include "lake/sql_text.h"

namespace vitalake::ingest {
namespace {

// Of the engine's memory: what the rows of all stagers may take before they are written.
constexpr int64_t kBufferShare = 2;
// What one stager needs for files worth their while.
constexpr int64_t kLeastBufferBytes = 16 << 20;
// Messages a thread takes at a time, and below how many another thread is not worth its files.
constexpr size_t kMessagesAtOnce = 64;
constexpr size_t kMessagesPerThread = 4096;

}  // namespace

// The blocks of all files in order, handed to whichever thread asks.
class GroupStage::Input {
 public:
  Input(const std::vector<GroupFile>& files, const fhir::DecodeLimits& limits,
        std::function<void(int64_t bytes, int64_t records)> progress)
      : files_(files), limits_(limits), progress_(std::move(progress)) {}

  struct Block {
    fhir::RecordBlock records;
    const GroupFile* file;
  };

  // nullopt at the end of the last file.
  Result<std::optional<Block>> Next() {
    const std::lock_guard lock(mutex_);
    for (;;) {
      if (!reader_) {
        if (at_ == files_.size()) return std::nullopt;
        const GroupFile& file = files_[at_];
        VL_TRY(reader_, fhir::RecordReader::Open(file.local_path, limits_, file.file->path));
      }
      auto block = reader_->Next();
      if (!block) return Because(std::move(block).error(), files_[at_].file->path);
      if (progress_) progress_(bytes_before_ + reader_->bytes_in(), records_);
      if (*block) return Block{std::move(**block), &files_[at_]};
      bytes_before_ += reader_->bytes_in();
      reader_.reset();
      ++at_;
    }
  }
  // Records of a block that was taken, for the progress.
  void CountRecords(int64_t records) { records_ += records; }

 private:
  const std::vector<GroupFile>& files_;
  fhir::DecodeLimits limits_;
  std::function<void(int64_t, int64_t)> progress_;
  std::mutex mutex_;
  size_t at_ = 0;
  std::unique_ptr<fhir::RecordReader> reader_;
  int64_t bytes_before_ = 0;
  std::atomic<int64_t> records_ = 0;
};

GroupStage::GroupStage(lake::Lake& lake, const StagerContext& context, const lake::LedgerRun& run,
                       std::filesystem::path folder, bool dry_run, StagerPool* pool)
    : lake_(lake), context_(context), run_(run), dry_run_(dry_run), pool_(pool) {
  const std::string suffix = fmt::format("{:08x}", lake.random().Next() & 0xFFFFFFFF);
  places_.folder = std::move(folder);
  places_.quarantine = "staged_quarantine_" + suffix;
  places_.issue = "staged_issue_" + suffix;
  places_.buffer_bytes =
      std::max(kLeastBufferBytes, lake.engine().options().memory_bytes / kBufferShare /
                                      lake.engine().options().threads);
  places_.ingestion_date = lake.clock().NowMicros();
}

GroupStage::~GroupStage() {
  stagers_.clear();
  if (!connection_) return;
  for (const std::string& table : {places_.quarantine, places_.issue}) {
    // Only memory is at stake, and the engine goes with the process.
    (void)connection_->Execute("DROP TABLE IF EXISTS " + table);
  }
}

Status GroupStage::Prepare() {
  if (connection_) return {};
  VL_TRY(engine::Connection connection, lake_.engine().Connect());
  connection_ = std::make_unique<engine::Connection>(std::move(connection));
  if (pool_ == nullptr) {
    VL_TRY(own_pool_, StagerPool::Open(lake_));
    pool_ = own_pool_.get();
  }
  for (const auto& [table, columns] : {std::pair(places_.quarantine, &QuarantineColumns()),
                                       std::pair(places_.issue, &IssueColumns())}) {
    VL_RETURN_IF_ERROR(connection_->Execute(engine::CreateTableSql(table, *columns)));
  }
  return {};
}

void GroupStage::Merge(const RecordStager& stager) {
  for (const auto& [ordinal, tally] : stager.tallies()) {
    tallies_[ordinal] += tally;
  }
  for (size_t i = 0; i < kSilverCount; ++i) {
    const lake::StagedRecords& staged = stager.staged()[i];
    staged_[i].files.insert(staged_[i].files.end(), staged.files.begin(), staged.files.end());
    staged_[i].records += staged.records;
    staged_[i].deletes += staged.deletes;
  }
  MergeProblems(stager);
}

void GroupStage::GatherWatched() {
  std::vector<WatchedRecord> all;
  for (const auto& stager : stagers_) {
    std::ranges::move(stager->TakeWatched(), std::back_inserter(all));
  }
  // Records are large: each is moved once.
  std::vector<size_t> order(all.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, {}, [&](size_t i) { return all[i].place(); });
  watched_.clear();
  watched_.reserve(all.size());
  for (const size_t i : order) watched_.push_back(std::move(all[i]));
}

void GroupStage::MergeProblems(const RecordStager& stager) {
  for (const auto& [reason, count] : stager.reasons()) reasons_[reason] += count;
  for (const std::string& problem : stager.problems()) {
    if (problems_.size() < context_.problems_kept) problems_.push_back(problem);
  }
  issues_ += stager.issues();
}

Status GroupStage::Stage(size_t threads, const StageNext& next, const Wait& wait) {
  while (stagers_.size() < threads) {
    VL_TRY(auto stager, dry_run_
                            ? RecordStager::Make(lake_.engine(), pool_->writer(), context_, nullptr)
                            : pool_->Take(context_, places_));
    stagers_.push_back(std::move(stager));
  }
  std::vector<Status> results(threads);
  std::atomic<bool> stop = false;
  ForEachIndex(threads, threads, [&](size_t i) {
    results[i] = [&]() -> Status {
      while (!stop) {
        VL_RETURN_IF_ERROR(wait.Check(lake_.clock(), "reading"));
        VL_TRY(const bool more, next(*stagers_[i]));
        if (!more) break;
      }
      return {};
    }();
    if (!results[i]) stop = true;
    return true;
  });
  for (Status& result : results) VL_RETURN_IF_ERROR(std::move(result));
  GatherWatched();
  return {};
}

Status GroupStage::Close(const Wait& wait) {
  std::vector<Status> results(stagers_.size());
  ForEachIndex(stagers_.size(), stagers_.size(), [&](size_t i) {
    results[i] = stagers_[i]->Close(wait);
    return results[i].has_value();
  });
  for (Status& result : results) VL_RETURN_IF_ERROR(std::move(result));
  StrayRetractions strays;
  for (const auto& stager : stagers_) {
    Merge(*stager);
    StrayRetractions part = stager->TakeStrays();
    std::ranges::move(part.files, std::back_inserter(strays.files));
    std::ranges::move(part.records, std::back_inserter(strays.records));
  }
  for (const Silver table : kSilverTables) {
    std::vector<uint64_t> hashes;
    hashes.reserve(static_cast<size_t>(staged_[static_cast<size_t>(table)].records));
    for (const auto& stager : stagers_) {
      const std::vector<uint64_t> part = stager->TakeKeyHashes(table);
      hashes.insert(hashes.end(), part.begin(), part.end());
    }
    if (table == Silver::kVitalSign && !strays.records.empty()) {
      VL_RETURN_IF_ERROR(JoinStrays(strays, hashes, wait));
    }
    staged_[static_cast<size_t>(table)].keys = lake::StagedKeys::Of(std::move(hashes));
  }
  for (auto& stager : stagers_) {
    if (!dry_run_) pool_->Give(std::move(stager));
  }
  stagers_.clear();
  return {};
}

// Every Observation of silver has rows in silver.vital_sign, panels too, whatever of a batch a
// process that was killed has committed: they are looked for there alone.
Result<std::vector<uint64_t>> GroupStage::KnownOf(const StrayRetractions& strays,
                                                  const std::vector<uint64_t>& hashes,
                                                  const Wait& wait) {
  std::vector<uint64_t> wanted;
  for (const StrayRetractions::Record& stray : strays.records) wanted.push_back(stray.hash);
  std::ranges::sort(wanted);
  wanted.erase(std::ranges::unique(wanted).begin(), wanted.end());
  const std::string& table = context_.views[static_cast<size_t>(Silver::kVitalSign)].table;
  VL_TRY(const delta::SnapshotPtr snapshot, lake_.Latest(table));
  VL_TRY(const auto hits,
         lake::KeyIndex(lake_, table).Find(snapshot, snapshot->files(), wanted, wait));
  std::set<uint64_t> known;
  for (const lake::KeyHit& hit : hits) known.insert(hit.key);
  for (const uint64_t hash : hashes) {
    if (std::ranges::binary_search(wanted, hash)) known.insert(hash);
  }
  return std::vector<uint64_t>(known.begin(), known.end());
}

Result<std::vector<engine::WrittenFile>> GroupStage::WriteKnown(const StrayRetractions& strays,
                                                                const std::vector<uint64_t>& known,
                                                                const Wait& wait) {
  std::vector<std::string> paths;
  for (const engine::WrittenFile& file : strays.files) paths.push_back(file.path.string());
  engine::RowBuffer keys(lake_.engine(), {{"id_space", view::ColumnType::kVarchar, "", ""},
                                          {"id", view::ColumnType::kVarchar, "", ""}});
  lake::CellRow row;
  for (const StrayRetractions::Record& stray : strays.records) {
    if (!std::ranges::binary_search(known, stray.hash)) continue;
    row.Clear();
    keys.Append(row.Text(stray.id_space).Text(stray.key).cells());
  }
  const lake::SilverView& view = context_.views[static_cast<size_t>(Silver::kVitalSign)];
  engine::ParquetOptions options;
  options.stats_columns = view.clustered_by;
  options.sort_by = view.clustered_by;
  options.row_group_rows = kStagedGroupRows;
  return engine::WriteParquet(
      *connection_,
      fmt::format("SELECT r.* FROM ({}) r SEMI JOIN {} k USING (id_space, id)",
                  lake::ReadParquetSql(paths), keys.sql()),
      places_.folder, options, wait);
}

Status GroupStage::JoinStrays(const StrayRetractions& strays, std::vector<uint64_t>& hashes,
                              const Wait& wait) {
  VL_TRY(const std::vector<uint64_t> known, KnownOf(strays, hashes, wait));
  if (known.empty()) return {};
  VL_TRY(auto files, WriteKnown(strays, known, wait));
  constexpr auto kTable = static_cast<size_t>(Silver::kVitalSign);
  std::ranges::move(files, std::back_inserter(staged_[kTable].files));
  std::map<std::pair<int64_t, int64_t>, int64_t> by_place;  // ordinal, offset
  for (const StrayRetractions::Record& stray : strays.records) {
    if (!std::ranges::binary_search(known, stray.hash)) continue;
    hashes.push_back(stray.hash);
    ++staged_[kTable].records;
    ++by_place[{stray.ordinal, stray.offset}];
    --tallies_[stray.ordinal].out_of_scope;
    ++tallies_[stray.ordinal].home[kTable];
  }
  for (MessageTally& message : message_tallies_) {
    const auto found = by_place.find({message.partition, message.offset});
    if (found == by_place.end()) continue;
    message.tally.out_of_scope -= found->second;
    message.tally.home[kTable] += found->second;
  }
  return {};
}

Status GroupStage::Read(const std::vector<GroupFile>& files,
                        const std::function<void(int64_t, int64_t)>& progress, const Wait& wait) {
  VL_RETURN_IF_ERROR(Prepare());
  for (const GroupFile& file : files) {
    tallies_[file.file->ordinal];
    partitions_[file.file->ordinal] = file.partition;
  }
  Input input(files, context_.limits, progress);
  const auto next = [&](RecordStager& stager) -> Result<bool> {
    VL_TRY(auto block, input.Next());
    if (!block) return false;
    const RecordSource source{&run_, block->file->file, block->file->partition};
    VL_TRY(const int64_t records, stager.StageBlock(block->records, source, wait));
    input.CountRecords(records);
    return true;
  };
  VL_RETURN_IF_ERROR(Stage(static_cast<size_t>(lake_.engine().options().threads), next, wait));
  return Close(wait);
}

Status GroupStage::AddMessages(std::span<const StreamMessage> messages,
                               const MessageSources& sources, const Wait& wait) {
  VL_RETURN_IF_ERROR(Prepare());
  for (const auto& [partition, source] : sources) {
    tallies_[source.file->ordinal];
    partitions_[source.file->ordinal] = source.partition;
  }
  const size_t threads = std::clamp<size_t>(messages.size() / kMessagesPerThread, 1,
                                            static_cast<size_t>(lake_.engine().options().threads));
  std::atomic<size_t> at = 0;
  std::mutex tallies;
  const auto next = [&](RecordStager& stager) -> Result<bool> {
    const size_t begin = at.fetch_add(kMessagesAtOnce);
    if (begin >= messages.size()) return false;
    for (const StreamMessage& message :
         messages.subspan(begin, std::min(kMessagesAtOnce, messages.size() - begin))) {
      RecordSource source = sources.at(message.partition);
      source.message = {message.offset, message.received_at};
      fhir::RecordBlock block = fhir::BlockFromMessage(message.payload, context_.limits);
      const FileTally before = counts_messages_ ? stager.tally(source.file->ordinal) : FileTally();
      VL_RETURN_IF_ERROR(stager.StageBlock(block, source, wait));
      if (!counts_messages_) continue;
      FileTally own = stager.tally(source.file->ordinal);
      own -= before;
      const std::lock_guard lock(tallies);
      message_tallies_.push_back({message.partition, message.offset, own});
    }
    return true;
  };
  return Stage(threads, next, wait);
}

Status GroupStage::SettleHomes(const lake::UpsertResult& observation,
                               const lake::UpsertResult& vital_sign, const Wait& wait) const {
  const lake::UpsertRequest request = Request(Silver::kObservation, {});
  VL_RETURN_IF_ERROR(lake::SettleHomes(lake_, request, observation, vital_sign, wait));
  return {};
}

void GroupStage::CountHome(Silver table, const std::map<std::string, lake::Exceptions>& exceptions,
                           std::map<int64_t, lake::OutcomeCounts>& counts) const {
  for (const auto& [ordinal, tally] : tallies_) {
    const int64_t home = tally.home[static_cast<size_t>(table)];
    if (home == 0) continue;
    lake::Exceptions of_file;
    if (const auto found = exceptions.find(partitions_.at(ordinal)); found != exceptions.end()) {
      of_file = found->second;
    }
    lake::OutcomeCounts& count = counts[ordinal];
    count.superseded += of_file.superseded;
    count.duplicate += of_file.duplicate;
    count.quarantined += of_file.refused;
    count.written += home - of_file.superseded - of_file.duplicate - of_file.refused;
  }
}

std::string GroupStage::QuarantineRows() const { return "SELECT * FROM " + places_.quarantine; }

std::string GroupStage::IssueRows() const { return "SELECT * FROM " + places_.issue; }

Status GroupStage::StageRefused(
    const std::vector<lake::RefusedRecord>& refused,
    const std::function<Status(RecordStager&, const FindRefusal&)>& find, const Wait& wait) {
  std::map<std::pair<std::string_view, int64_t>, const lake::RefusedRecord*> wanted;
  for (const auto& record : refused) {
    wanted[{record.source_partition, record.source_offset}] = &record;
  }
  VL_TRY(auto stager, pool_->Take(context_, places_));
  VL_RETURN_IF_ERROR(find(*stager, [&](const std::string& partition, int64_t offset) {
    const auto found = wanted.find({partition, offset});
    return found == wanted.end() ? nullptr : found->second;
  }));
  VL_RETURN_IF_ERROR(stager->Close(wait));
  MergeProblems(*stager);
  pool_->Give(std::move(stager));
  return {};
}

Status GroupStage::QuarantineRefused(const std::vector<lake::RefusedRecord>& refused,
                                     const std::vector<GroupFile>& files, const Wait& wait) {
  if (refused.empty()) return {};
  std::vector<GroupFile> affected;
  for (const GroupFile& file : files) {
    if (std::ranges::any_of(refused,
                            [&](const auto& r) { return r.source_partition == file.partition; }))
      affected.push_back(file);
  }
  Input input(affected, context_.limits, {});
  const auto find = [&](RecordStager& stager, const FindRefusal& refusal) -> Status {
    for (;;) {
      VL_TRY(auto block, input.Next());
      if (!block) return {};
      const RecordSource source{&run_, block->file->file, block->file->partition};
      VL_RETURN_IF_ERROR(stager.QuarantineOf(block->records, source, refusal));
    }
  };
  return StageRefused(refused, find, wait);
}

Status GroupStage::QuarantineRefused(const std::vector<lake::RefusedRecord>& refused,
                                     std::span<const StreamMessage> messages,
                                     const MessageSources& sources, const Wait& wait) {
  if (refused.empty()) return {};
  std::set<int64_t> offsets;  // of whichever partition: what is read too much is not taken
  for (const auto& record : refused) offsets.insert(record.source_offset);
  const auto find = [&](RecordStager& stager, const FindRefusal& refusal) -> Status {
    for (const StreamMessage& message : messages) {
      if (!offsets.contains(message.offset)) continue;
      RecordSource source = sources.at(message.partition);
      source.message = {message.offset, message.received_at};
      fhir::RecordBlock block = fhir::BlockFromMessage(message.payload, context_.limits);
      VL_RETURN_IF_ERROR(stager.QuarantineOf(block, source, refusal));
    }
    return {};
  };
  return StageRefused(refused, find, wait);
}

}  // namespace vitalake::ingest
