#include "ingest/group_stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <mutex>
#include <thread>

#include "engine/parquet_files.h"

namespace vitalake::ingest {
namespace {

// Rows a staging table may hold before it goes to Parquet.
constexpr int64_t kPartRows = 200'000;

}  // namespace

// The blocks of all files in order, handed to whichever thread asks.
class GroupStage::Input {
 public:
  Input(const std::vector<GroupFile>& files, const fhir::DecodeLimits& limits)
      : files_(files), limits_(limits) {}

  struct Block {
    fhir::RecordBlock records;
    const GroupFile* file;
  };

  // nullopt at the end of the last file.
  Result<std::optional<Block>> Next() {
    const std::lock_guard lock(mutex_);
    for (;;) {
      if (!reader_) {
        if (at_ == files_.size()) {
          done_ = true;
          return std::nullopt;
        }
        VL_TRY(reader_, fhir::RecordReader::Open(files_[at_].local_path, limits_));
      }
      auto block = reader_->Next();
      if (!block) return Because(std::move(block).error(), files_[at_].file->path);
      if (*block) {
        bytes_ = bytes_before_ + reader_->bytes_in();
        return Block{std::move(**block), &files_[at_]};
      }
      bytes_before_ += reader_->bytes_in();
      bytes_ = bytes_before_;
      reader_.reset();
      ++at_;
    }
  }
  bool done() const { return done_; }
  int64_t bytes() const { return bytes_; }

 private:
  const std::vector<GroupFile>& files_;
  fhir::DecodeLimits limits_;
  std::mutex mutex_;
  size_t at_ = 0;
  std::unique_ptr<fhir::RecordReader> reader_;
  int64_t bytes_before_ = 0;
  std::atomic<int64_t> bytes_ = 0;
  std::atomic<bool> done_ = false;
};

GroupStage::GroupStage(lake::Lake& lake, const StagerContext& context, const lake::LedgerRun& run,
                       std::filesystem::path folder, bool dry_run)
    : lake_(lake), context_(context), run_(run), folder_(std::move(folder)), dry_run_(dry_run) {
  const std::string suffix = fmt::format("{:08x}", lake.random().Next() & 0xFFFFFFFF);
  for (size_t i = 0; i < kSilverCount; ++i) {
    tables_.silver[i] = fmt::format("staged_{}_{}", i, suffix);
  }
  tables_.quarantine = "staged_quarantine_" + suffix;
  tables_.issue = "staged_issue_" + suffix;
}

GroupStage::~GroupStage() {
  if (!connection_) return;
  for (const std::string& table : {tables_.silver[0], tables_.silver[1], tables_.silver[2],
                                   tables_.quarantine, tables_.issue}) {
    // Only memory is at stake, and the engine goes with the process.
    (void)connection_->Execute("DROP TABLE IF EXISTS " + table);
  }
}

Status GroupStage::Prepare() {
  VL_TRY(engine::Connection connection, lake_.engine().Connect());
  connection_ = std::make_unique<engine::Connection>(std::move(connection));
  for (const auto& [table, columns] : {std::pair(tables_.quarantine, &QuarantineColumns()),
                                       std::pair(tables_.issue, &IssueColumns())}) {
    VL_RETURN_IF_ERROR(connection_->Execute(engine::CreateTableSql(table, *columns)));
  }
  return {};
}

Status GroupStage::CreateSilverTables() {
  for (size_t i = 0; i < kSilverCount; ++i) {
    VL_RETURN_IF_ERROR(
        lake::CreateStagingTable(*connection_, tables_.silver[i], context_.views[i]));
  }
  return {};
}

Status GroupStage::FlushSilverTables(const Wait& wait) {
  for (size_t i = 0; i < kSilverCount; ++i) {
    const lake::SilverView& view = context_.views[i];
    engine::ParquetOptions options;
    options.sort_by = view.clustered_by;
    options.stats_columns = view.clustered_by;
    auto files = engine::WriteParquet(*connection_,
                                      view.RowsSql(tables_.silver[i], lake_.clock().NowMicros()),
                                      folder_, options, wait);
    if (!files) return Because(std::move(files).error(), fmt::format("table {}", view.table));
    std::ranges::move(*files, std::back_inserter(staged_[i].files));
    VL_RETURN_IF_ERROR(connection_->Execute("DROP TABLE " + tables_.silver[i], wait));
  }
  return {};
}

void GroupStage::Merge(const RecordStager& stager) {
  for (const auto& [ordinal, tally] : stager.tallies()) {
    FileTally& sum = tallies_[ordinal];
    sum.received += tally.received;
    sum.quarantined += tally.quarantined;
    sum.out_of_scope += tally.out_of_scope;
    for (size_t i = 0; i < kSilverCount; ++i) {
      sum.home[i] += tally.home[i];
      staged_[i].records += tally.staged[i];
      staged_[i].deletes += tally.deletes[i];
    }
  }
  for (const auto& [reason, count] : stager.reasons()) reasons_[reason] += count;
  for (const std::string& problem : stager.problems()) {
    if (problems_.size() < context_.problems_kept) problems_.push_back(problem);
  }
  issues_ += stager.issues();
}

Status GroupStage::FillTables(Input& input, const Wait& wait) {
  const int threads = std::max(1, lake_.engine().options().threads);
  std::vector<std::unique_ptr<RecordStager>> stagers;
  for (int i = 0; i < threads; ++i) {
    VL_TRY(auto stager,
           RecordStager::Make(lake_.engine(), context_, dry_run_ ? nullptr : &tables_));
    stagers.push_back(std::move(stager));
  }
  std::atomic<bool> stop = false;
  std::vector<Status> results(stagers.size());
  {
    std::vector<std::jthread> workers;
    for (size_t i = 0; i < stagers.size(); ++i) {
      workers.emplace_back([&, i] {
        RecordStager& stager = *stagers[i];
        results[i] = [&]() -> Status {
          while (!stop && stager.rows() < kPartRows / threads) {
            VL_RETURN_IF_ERROR(wait.Check(lake_.clock(), "reading"));
            VL_TRY(auto block, input.Next());
            if (!block) break;
            const RecordSource source{&run_, block->file->file, block->file->partition};
            VL_RETURN_IF_ERROR(stager.StageBlock(block->records, source));
          }
          return stager.Close();
        }();
        if (!results[i]) stop = true;
      });
    }
  }
  for (Status& result : results) VL_RETURN_IF_ERROR(std::move(result));
  for (const auto& stager : stagers) Merge(*stager);
  return {};
}

Status GroupStage::Read(const std::vector<GroupFile>& files,
                        const std::function<void(int64_t, int64_t)>& progress, const Wait& wait) {
  VL_RETURN_IF_ERROR(Prepare());
  for (const GroupFile& file : files) {
    tallies_[file.file->ordinal];
    partitions_[file.file->ordinal] = file.partition;
  }
  Input input(files, context_.limits);
  while (!input.done()) {
    if (!dry_run_) VL_RETURN_IF_ERROR(CreateSilverTables());
    VL_RETURN_IF_ERROR(FillTables(input, wait));
    if (!dry_run_) VL_RETURN_IF_ERROR(FlushSilverTables(wait));
    int64_t records = 0;
    for (const auto& [ordinal, tally] : tallies_) records += tally.received;
    if (progress) progress(input.bytes(), records);
  }
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

std::string GroupStage::QuarantineRows() const { return "SELECT * FROM " + tables_.quarantine; }

std::string GroupStage::IssueRows() const { return "SELECT * FROM " + tables_.issue; }

Status GroupStage::QuarantineRefused(const std::vector<lake::RefusedRecord>& refused,
                                     const std::vector<GroupFile>& files) {
  if (refused.empty()) return {};
  std::map<std::pair<std::string_view, int64_t>, const lake::RefusedRecord*> wanted;
  for (const auto& record : refused) {
    wanted[{record.source_partition, record.source_offset}] = &record;
  }
  std::vector<GroupFile> affected;
  for (const GroupFile& file : files) {
    if (std::ranges::any_of(refused,
                            [&](const auto& r) { return r.source_partition == file.partition; }))
      affected.push_back(file);
  }
  VL_RETURN_IF_ERROR(CreateSilverTables());
  VL_TRY(auto stager, RecordStager::Make(lake_.engine(), context_, &tables_));
  Input input(affected, context_.limits);
  for (;;) {
    VL_TRY(auto block, input.Next());
    if (!block) break;
    const RecordSource source{&run_, block->file->file, block->file->partition};
    VL_RETURN_IF_ERROR(stager->QuarantineOf(block->records, source, [&](int64_t offset) {
      const auto found = wanted.find({source.partition, offset});
      return found == wanted.end() ? nullptr : found->second;
    }));
  }
  VL_RETURN_IF_ERROR(stager->Close());
  for (const auto& [reason, count] : stager->reasons()) reasons_[reason] += count;
  for (const std::string& problem : stager->problems()) {
    if (problems_.size() < context_.problems_kept) problems_.push_back(problem);
  }
  return {};
}

}  // namespace vitalake::ingest
