// StreamWriter: batches of messages into the lake's tables, exactly once.
//
// Bronze first; silver, quarantine, issues and the ledger follow it. Each commit states, per
// partition, the position it starts from, and fails (kConflict) on a table that is elsewhere; who
// gets any error reads the positions anew and lets the tables follow bronze (Follow) before the
// next batch. So a batch that comes again, behind a later one, or from another process, changes
// nothing.
//
// Steps of a batch, whose messages were decoded, judged and staged as they came:
//  1. the messages are appended to bronze, while what is staged is written to files (some may be
//     there already: KeepInBronze);
//  2. silver tables, one upsert each; a table that gets no rows is left where it is; then a look at
//     what other processes put into them meanwhile (lake/settle_homes.h);
//  3. quarantine and issues;
//  4. the counts are kept for the ledger, which is written now and then (FlushLedger), last.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "ingest/group_stage.h"
#include "ingest/staged_batch.h"
#include "ingest/stream/outcomes.h"
#include "ingest/stream/position.h"
#include "lake/lake.h"
#include "lake/silver_view.h"

namespace vitalake::ingest {

// Most messages and bytes of one batch read back from bronze.
inline constexpr int64_t kFollowMessages = 50'000;
inline constexpr int64_t kFollowBytes = 64 << 20;

// Not thread-safe; but OpenBatch may be called beside Write, as may KeepInBronze.
class StreamWriter {
 public:
  // `views` must outlive it.
  StreamWriter(lake::Lake& lake, StreamSettings settings,
               const std::vector<lake::SilverView>& views)
      : lake_(lake), settings_(std::move(settings)), views_(views), positions_(lake) {}

  // Lets every table catch up with bronze in this partition: re-reads what it lacks from there.
  // Call before its first batch and after any error. kCorrupt: a table is ahead of bronze (bronze
  // was restored or replaced): nothing may be written there.
  Status Follow(const StreamPartition& partition, const Wait& wait);
  // No batch of it will come.
  void Forget(const StreamPartition& partition);

  // A batch to fill with messages of `partitions` and to Write. It must not outlive the writer.
  Result<std::unique_ptr<StagedBatch>> OpenBatch(const std::vector<StreamPartition>& partitions);

  // All steps for messages that no table has, but bronze perhaps. After an error some tables may
  // have them.
  Status Write(StagedBatch& staged, const Wait& wait);
  // Appends to bronze alone what it lacks of a batch that may still grow, and is written later.
  // Bronze must have the batch before.
  Status KeepInBronze(StagedBatch& staged, const Wait& wait);

  // Writes the ledger for all batches since the last time.
  Status FlushLedger(const Wait& wait);
  // Has tables that got no rows lately say how far they are, where that is `messages` or more.
  Status CatchUp(int64_t messages, const Wait& wait);

  // Judges again a batch that bronze has, and tells the listener. Commits nothing.
  Status Retell(StreamBatch batch, const Wait& wait);

  // Bronze's next offset; nullopt before the first message.
  std::optional<int64_t> position(const StreamPartition& partition) const {
    return positions_.Of(kBronzeStream, partition.AppId());
  }
  // Of the records written so far.
  const lake::OutcomeCounts& outcomes() const { return outcomes_; }

 private:
  // Which followers a batch is new to.
  using Tables = std::set<std::string, std::less<>>;
  struct Segment {
    int64_t first, end;
    Tables lacking;
  };

  std::vector<Segment> SegmentsOf(const std::string& app) const;
  Status FollowSegment(const StreamPartition& partition, const Segment& segment, const Wait& wait);
  Result<std::unique_ptr<StagedBatch>> Staged(StreamBatch batch, const Wait& wait);
  // To bronze, what it lacks of the batch.
  Status AppendRest(StagedBatch& staged, const Wait& wait);
  enum class Purpose {
    kNew,     // no table has the batch, but bronze some of it perhaps
    kFollow,  // bronze has it
    kRetell,  // so have all; nothing is committed
  };
  // What Write does, for the followers that lack the batch.
  Status WriteTo(StagedBatch& staged, const Tables& lacking, Purpose purpose, const Wait& wait);
  Status WriteFollowers(StagedBatch& staged, const Tables& lacking, Purpose purpose,
                        const Wait& wait);
  struct Upserted {
    Silver table;
    bool lacks;  // it lacked the batch
    lake::UpsertResult result;
  };
  // The silver tables at a time; of those that have the batch, only if the ledger lacks it.
  Result<std::vector<Upserted>> UpsertIntoAll(StagedBatch& staged, const Tables& lacking,
                                              bool to_ledger, const Wait& wait);
  static Status SettleHomes(StagedBatch& staged, const std::vector<Upserted>& upserted,
                            const Wait& wait);
  void KeepFilesFew(const std::vector<std::string>& tables, const Wait& wait);
  // Thread-safe for different tables.
  void KeepFilesFew(const std::string& table, const Wait& wait);
  // `vital_signs`: silver.vital_sign before this batch.
  Result<lake::UpsertResult> UpsertInto(Silver table, StagedBatch& staged, bool lacks,
                                        const delta::SnapshotPtr& vital_signs, const Wait& wait);
  Status AppendTo(std::string_view table, const std::string& rows, StagedBatch& staged,
                  const Wait& wait);
  std::string CommitName() const;

  lake::Lake& lake_;
  const StreamSettings settings_;
  const std::vector<lake::SilverView>& views_;
  std::unique_ptr<StagerPool> stagers_;  // of OpenBatch
  StreamPositions positions_;
  OutcomesByApp ledger_;                           // what the ledger lacks
  std::map<std::string, OutcomesByApp> unstated_;  // by silver table: since its last commit
  lake::OutcomeCounts outcomes_;
};

}  // namespace vitalake::ingest
