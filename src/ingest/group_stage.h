// GroupStage: the records of a group of files or messages, staged as Parquet ready to commit.
//
// Each thread takes blocks of the input and stages their records by itself, into files of its own.
// Rows in memory are bounded by a share of the engine's memory, so it does not grow with the input.
// Quarantine and issues stay in tables until the commit. Messages of a stream may come piece by
// piece; files and counts are there once all input is in.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "ingest/record_stager.h"
#include "ingest/stager_pool.h"
#include "ingest/stream/message.h"
#include "lake/lake.h"
#include "lake/outcome.h"
#include "lake/upsert.h"

namespace vitalake::ingest {

// One file to read: what the ledger says of it and where its bytes are.
struct GroupFile {
  const lake::LedgerFile* file = nullptr;
  std::string partition;             // source_partition of its records
  std::filesystem::path local_path;  // of the bronze copy
};

// Counts of one message.
struct MessageTally {
  int32_t partition = 0;
  int64_t offset = 0;
  FileTally tally;
};

// By partition of the stream.
using MessageSources = std::map<int32_t, RecordSource>;

class GroupStage {
 public:
  // Files go to `folder`. With `dry_run` nothing is staged, only counted. `pool` must outlive the
  // stage; null: the stage has one of its own.
  GroupStage(lake::Lake& lake, const StagerContext& context, const lake::LedgerRun& run,
             std::filesystem::path folder, bool dry_run, StagerPool* pool = nullptr);
  ~GroupStage();

  // All input is in: writes what waits in memory, and takes in what retracts rows under a code that
  // is out of scope. Read does so itself.
  Status Close(const Wait& wait);

  // Reads the files to their end. `progress` gets the bytes read and the records met so far.
  Status Read(const std::vector<GroupFile>& files,
              const std::function<void(int64_t bytes, int64_t records)>& progress,
              const Wait& wait);

  // Takes the messages of a stream in. `sources` by partition; each message's own offset and time
  // are set here. Records of one message stay together on a thread; messages do not keep an order.
  // May be called again until Close. `sources` must be the same each time.
  Status AddMessages(std::span<const StreamMessage> messages, const MessageSources& sources,
                     const Wait& wait);

  // What the monitor is told of the messages taken in by the last call, in the order of partition,
  // offset and entry. Nothing unless the context asks for it.
  const std::vector<WatchedRecord>& watched() const { return watched_; }
  // Has AddMessages count each message by itself, too. Call before it.
  void CountMessages() { counts_messages_ = true; }

  // What follows is there after Close.
  const std::array<lake::StagedRecords, kSilverCount>& staged() const { return staged_; }
  const std::map<int64_t, FileTally>& tallies() const { return tallies_; }
  const std::map<std::string, int64_t>& reasons() const { return reasons_; }
  const std::vector<std::string>& problems() const { return problems_; }
  int64_t issues() const { return issues_; }
  // With CountMessages; in no order.
  const std::vector<MessageTally>& message_tallies() const { return message_tallies_; }
  // SELECTs of the staged rows of ops.quarantine and ops.issue.
  std::string QuarantineRows() const;
  std::string IssueRows() const;
  engine::Connection& connection() { return *connection_; }

  // What to ask of lake::Upsert for one table. The stage must outlive it.
  lake::UpsertRequest Request(
      Silver table,
      std::function<lake::CommitNote(const std::map<std::string, lake::Exceptions>&)> note) const {
    const size_t at = static_cast<size_t>(table);
    lake::UpsertRequest request{context_.views[at], staged_[at], std::move(note)};
    // A blood-pressure panel's key may come as a single value, at home in silver.vital_sign.
    if (table == Silver::kObservation) {
      request.elsewhere = &context_.views[static_cast<size_t>(Silver::kVitalSign)];
      request.staged_elsewhere = &staged_[static_cast<size_t>(Silver::kVitalSign)];
    }
    return request;
  }
  // Once both tables of Observations have been committed to (lake::SettleHomes). A default result
  // stands for a table that was not asked.
  Status SettleHomes(const lake::UpsertResult& observation, const lake::UpsertResult& vital_sign,
                     const Wait& wait) const;
  // Adds the outcomes of the records at home in `table` to `counts`, by file ordinal.
  void CountHome(Silver table, const std::map<std::string, lake::Exceptions>& exceptions,
                 std::map<int64_t, lake::OutcomeCounts>& counts) const;

  // Moves refused records to quarantine: reads them again from the files, or the messages, they lie
  // in.
  Status QuarantineRefused(const std::vector<lake::RefusedRecord>& refused,
                           const std::vector<GroupFile>& files, const Wait& wait);
  Status QuarantineRefused(const std::vector<lake::RefusedRecord>& refused,
                           std::span<const StreamMessage> messages, const MessageSources& sources,
                           const Wait& wait);

 private:
  class Input;

  // Has one stager take the next piece of the input; false at the end of it.
  using StageNext = std::function<Result<bool>(RecordStager&)>;

  Status Prepare();
  // Has so many stagers, each on a thread, take the input.
  Status Stage(size_t threads, const StageNext& next, const Wait& wait);
  // Quarantines what `next` finds.
  Status StageRefused(const std::vector<lake::RefusedRecord>& refused,
                      const std::function<Status(RecordStager&, const FindRefusal&)>& find,
                      const Wait& wait);
  void Merge(const RecordStager& stager);
  // Stray retractions whose keys silver has, or this stage (`hashes`: of its vital signs), are
  // staged as any other record. Cost without any: none; else a look at the key index of
  // silver.vital_sign.
  Status JoinStrays(const StrayRetractions& strays, std::vector<uint64_t>& hashes,
                    const Wait& wait);
  Result<std::vector<uint64_t>> KnownOf(const StrayRetractions& strays,
                                        const std::vector<uint64_t>& hashes, const Wait& wait);
  // Writes the rows of those that have such a key.
  Result<std::vector<engine::WrittenFile>> WriteKnown(const StrayRetractions& strays,
                                                      const std::vector<uint64_t>& known,
                                                      const Wait& wait);
  void GatherWatched();
  void MergeProblems(const RecordStager& stager);

  lake::Lake& lake_;
  StagerContext context_;
  const lake::LedgerRun& run_;
  bool dry_run_;
  std::unique_ptr<StagerPool> own_pool_;
  StagerPool* pool_;
  std::unique_ptr<engine::Connection> connection_;
  StagingPlaces places_;
  std::vector<std::unique_ptr<RecordStager>> stagers_;
  std::map<int64_t, std::string> partitions_;  // by file ordinal
  std::array<lake::StagedRecords, kSilverCount> staged_;
  std::map<int64_t, FileTally> tallies_;
  bool counts_messages_ = false;
  std::vector<MessageTally> message_tallies_;
  std::map<std::string, int64_t> reasons_;
  std::vector<std::string> problems_;
  std::vector<WatchedRecord> watched_;
  int64_t issues_ = 0;
};

}  // namespace vitalake::ingest
