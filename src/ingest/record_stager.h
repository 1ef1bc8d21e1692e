// RecordStager: records -> staged Parquet files, and what is to be said about each record.
//
// The way of a record: parse, resolve Bundle references, assess (scope, quarantine, quality), key,
// hash, then each view of its home. Its rows wait in memory until there are enough for a file. One
// per thread; only the tables of quarantine and issues are shared.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/json_tree.h"
#include "base/result.h"
#include "clinical/assess.h"
#include "engine/column_appender.h"
#include "engine/parquet_files.h"
#include "engine/row_buffer.h"
#include "fhir/decode.h"
#include "ingest/monitoring/record_watcher.h"
#include "lake/cell_row.h"
#include "lake/ledger.h"
#include "lake/silver_view.h"
#include "lake/upsert.h"

namespace vitalake::ingest {

// The places of the silver views in LoadSilverViews' order.
enum class Silver : size_t { kPatient, kObservation, kVitalSign };
inline constexpr std::array kSilverTables = {Silver::kPatient, Silver::kObservation,
                                             Silver::kVitalSign};
inline constexpr size_t kSilverCount = kSilverTables.size();

// Of staged files. Small enough that writing one row group after the other goes on in the same
// memory.
inline constexpr int64_t kStagedGroupRows = 20'480;

// Where what is staged goes.
struct StagingPlaces {
  std::filesystem::path folder;  // of the Parquet files
  std::string quarantine;        // tables
  std::string issue;
  int64_t buffer_bytes = 0;  // rows held by one stager before they go to files
  Micros ingestion_date = 0;
};

// Counts of one file by one stager. `home` counts records staged per home table.
struct FileTally {
  int64_t received = 0;
  int64_t quarantined = 0;
  int64_t out_of_scope = 0;
  std::array<int64_t, kSilverCount> home = {};

  FileTally& operator+=(const FileTally& other) {
    received += other.received;
    quarantined += other.quarantined;
    out_of_scope += other.out_of_scope;
    for (size_t i = 0; i < kSilverCount; ++i) home[i] += other.home[i];
    return *this;
  }
  FileTally& operator-=(const FileTally& other) {
    received -= other.received;
    quarantined -= other.quarantined;
    out_of_scope -= other.out_of_scope;
    for (size_t i = 0; i < kSilverCount; ++i) home[i] -= other.home[i];
    return *this;
  }
};

// What all records of one file, or of one message of a stream, share.
//
// A record of a file lies at its byte offset (source_partition = bronze path of the copy,
// source_offset = byte offset). All records of a message have the message's offset; those of an
// array, a Bundle or several lines are told apart by "#<n>" (six digits, from 0) behind the
// partition, where n counts the message's records.
struct RecordSource {
  // Of one message: its offset, and when it was received.
  struct Message {
    int64_t offset = 0;
    Micros received_at = 0;
  };

  const lake::LedgerRun* run = nullptr;
  const lake::LedgerFile* file = nullptr;
  std::string partition;  // source_partition
  std::optional<Message> message = std::nullopt;
};

// Columns of the staging tables of ops.quarantine and ops.issue, in CellRow order.
const std::vector<view::ColumnSpec>& QuarantineColumns();
const std::vector<view::ColumnSpec>& IssueColumns();

// Retractions of a code that no silver table holds. What they retract may be there under another
// code, by their key: then they count (GroupStage::Close), else they are out of scope, as which the
// stager counts them.
struct StrayRetractions {
  struct Record {
    std::string id_space, key;
    uint64_t hash = 0;  // KeyHash of the two
    int64_t ordinal = 0;
    int64_t offset = 0;  // of the message, or in the file
  };
  std::vector<engine::WrittenFile> files;  // rows of silver.vital_sign
  std::vector<Record> records;
};

struct StagerContext {
  const std::vector<lake::SilverView>& views;
  clinical::AssessContext assess;  // `received` is set per file
  fhir::DecodeLimits limits;
  size_t problems_kept = 20;  // first problems to report by text
  // Which records to take, by source partition and byte offset; empty: all.
  std::function<bool(const std::string& partition, int64_t offset)> wanted = {};
  bool watched = false;  // gather what a stream's monitor is told (RecordStager::TakeWatched)
};

using FindRefusal = std::function<const lake::RefusedRecord*(const std::string& source_partition,
                                                             int64_t source_offset)>;

class RecordStager {
 public:
  // `engine` has the tables of `places`, `writer` writes the files. With `places` null nothing is
  // staged, only counted: a dry run.
  static Result<std::unique_ptr<RecordStager>> Make(engine::Engine& engine, engine::Engine& writer,
                                                    const StagerContext& context,
                                                    const StagingPlaces* places);
  // Begins anew, after Close: keeps memory and what was compiled, forgets all else.
  Status Reuse(const StagingPlaces& places);

  // Stages all records of a block of `source` and counts them. Errors are the engine's (memory,
  // disk).
  Result<int64_t> StageBlock(fhir::RecordBlock& block, const RecordSource& source,
                             const Wait& wait);
  // Quarantines those records of the block that `refused` gives (by source_partition and
  // source_offset) a refusal for.
  Status QuarantineOf(fhir::RecordBlock& block, const RecordSource& source,
                      const FindRefusal& refused);
  // Writes what is left; the stager is spent until it is reused.
  Status Close(const Wait& wait);

  const std::map<int64_t, FileTally>& tallies() const { return tallies_; }  // by file ordinal
  FileTally tally(int64_t ordinal) const {
    const auto found = tallies_.find(ordinal);
    return found == tallies_.end() ? FileTally() : found->second;
  }
  const std::map<std::string, int64_t>& reasons() const { return reasons_; }
  const std::vector<std::string>& problems() const { return problems_; }
  int64_t issues() const { return issues_; }
  // What the monitor is told of the records staged since the last call; nothing unless the context
  // asks for it.
  std::vector<WatchedRecord> TakeWatched();
  // By silver table; their keys are in TakeKeyHashes.
  const std::array<lake::StagedRecords, kSilverCount>& staged() const { return staged_; }
  StrayRetractions TakeStrays() { return std::exchange(strays_, {}); }
  // KeyHash of each staged record's key, in any order; the stager holds them no longer.
  std::vector<uint64_t> TakeKeyHashes(Silver table) {
    return std::exchange(key_hashes_[static_cast<size_t>(table)], {});
  }

 private:
  explicit RecordStager(const StagerContext& context) : context_(context) {}

  Status OpenAppenders();

  struct Refusal {
    std::string reason;
    std::string element_path;
    std::string message;
  };

  Status Stage(const fhir::Record& record, const RecordSource& source);
  Status StageResource(const fhir::Record& record, const RecordSource& source, JsonValue resource);
  Status StageDelete(const fhir::Record& record, const RecordSource& source);
  // A retraction of whatever the resource id names, wherever that is.
  Status StageRetraction(const fhir::Record& record, const RecordSource& source, Silver home,
                         std::string_view id, std::string_view status);
  void StageStray(const fhir::Record& record, const RecordSource& source, JsonValue resource);
  Status StageRows(const fhir::Record& record, const RecordSource& source, JsonValue resource,
                   const clinical::Assessment& assessment);
  Status Quarantine(const fhir::Record& record, const RecordSource& source, const Refusal& refusal);
  Status AppendIssue(const fhir::Record& record, const RecordSource& source,
                     const fhir::Issue& issue, std::string_view type, std::string_view id);
  void AppendRow(size_t table, std::span<const view::Cell> row);
  // One record with rows in that table.
  void CountStaged(size_t table, const RecordSource& source, std::string_view key);
  Status WriteFiles(const Wait& wait);
  // Writes the rows, of the view at this place, and forgets them.
  Status WriteRows(engine::RowBuffer& rows, size_t table, std::vector<engine::WrittenFile>& files,
                   const Wait& wait);
  // Takes over where the record lies: place_. `nth` of its block, from 0.
  void Locate(const fhir::Record& record, const RecordSource& source, int64_t nth);
  WatchedPlace PlaceToWatch(const RecordSource& source) const;
  void Watch(size_t table, std::span<const view::Cell> row);
  void GatherRecordCells(const fhir::Record& record, const RecordSource& source, JsonValue resource,
                         std::string_view key, std::string_view quality, Silver home);

  StagerContext context_;
  JsonParser parser_;
  std::vector<engine::Connection> connections_;  // for files, quarantine, issues
  std::vector<view::ViewRunner> runners_;
  const StagingPlaces* places_ = nullptr;
  std::vector<std::unique_ptr<engine::RowBuffer>> buffers_;  // by silver table; none: a dry run
  std::unique_ptr<engine::RowBuffer> stray_rows_;            // none: a dry run
  // Of the files of each table, asked once: statements of one view have the same.
  std::array<std::vector<engine::ParquetColumn>, kSilverCount> file_columns_;
  std::array<lake::StagedRecords, kSilverCount> staged_;
  std::array<std::vector<uint64_t>, kSilverCount> key_hashes_;
  StrayRetractions strays_;
  std::unique_ptr<engine::ColumnAppender> quarantine_;
  std::unique_ptr<engine::ColumnAppender> issue_;
  std::string hash_text_;
  struct {
    std::string partition;
    int64_t offset = 0;
    int64_t nth = 0;  // of its block
    Micros received_at = 0;
  } place_;  // of the record at hand, as its rows carry it
  lake::CellRow record_cells_;
  std::optional<RecordWatcher> watcher_;
  std::map<int64_t, FileTally> tallies_;
  FileTally* tally_ = nullptr;
  std::map<std::string, int64_t> reasons_;
  std::vector<std::string> problems_;
  int64_t issues_ = 0;
};

}  // namespace vitalake::ingest
