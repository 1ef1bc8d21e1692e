// Upsert: staged versions of records meet a keyed table, under one conflict rule.
//
// Key = (id_space, id). Versions of a key are ranked, compared left to right, by
//   v (integer versionId, absent -1; a retraction without versionId ranks above all),
//   lastUpdated (absent lowest), retraction over not, received time, position.
// The highest rank wins whatever the order of arrival. A DELETE ranks above every version and
// stays: the row keeps the best version's attributes, loses its measured values and is marked
// deleted. So does a retraction that tells nothing of what it retracts (SilverView::bare), but with
// the rank it has: the rows of the best version that tells more stay, in their table, with the
// retraction's version and source. Content that is already there is a duplicate; if it comes with a
// higher version, the row takes over that version's number, so that a version between the two
// cannot win later.
//
// A key has one row set in all tables that share it: a resource that was a blood-pressure panel and
// becomes a single value leaves silver.observation with the version that wins elsewhere (the change
// feed says delete), and does not enter it with a version that lost elsewhere. Two processes that
// do so at one moment: settle_homes.h.
//
// Steps:
//  1. The key index says which rows may have a staged key. None, and nothing is staged twice: the
//     staged files are the commit.
//  2. Else only those rows are read, and decided per key which version wins; what each staged
//  record
//     became follows from it.
//  3. Files with a changed row are replaced (file_rewrite.h), inserted keys go to files of their
//     own, and the rows before and after to change files.
//  4. One Delta commit. After a lost race the winner's files are searched for the staged keys:
//  where
//     there are none, and no file that was read is gone, the same commit goes on top; else again
//     from 1 on the newer snapshot.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "delta/snapshot.h"
#include "engine/parquet_files.h"
#include "lake/lake.h"
#include "lake/silver_view.h"
#include "lake/table_writer.h"

namespace vitalake::lake {

// The keys of records, as hashes (KeyHash).
struct StagedKeys {
  std::vector<uint64_t> hashes;        // ascending, each once
  bool repeated = false;               // two records have one key (or, hardly ever, one hash)
  std::vector<uint64_t> repeats = {};  // whose these are, ascending; empty where that is not known

  // Of the hashes of all records, in any order. Sorts in place.
  static std::shared_ptr<const StagedKeys> Of(std::vector<uint64_t> hashes);
};

struct StagedRecords {
  std::vector<engine::WrittenFile> files;  // rows as SilverView::RowsSql gives them
  int64_t records = 0;                     // records in them, DELETE entries included
  int64_t deletes = 0;                     // DELETE entries among them
  // Of all records, DELETE entries included; null: not known, they are read from the files.
  std::shared_ptr<const StagedKeys> keys = nullptr;
};

// What became of the staged records of one source partition (file) whose home is this table.
// The others of them were written.
struct Exceptions {
  int64_t superseded = 0;
  int64_t duplicate = 0;
  int64_t refused = 0;

  Exceptions& operator+=(const Exceptions& other) {
    superseded += other.superseded;
    duplicate += other.duplicate;
    refused += other.refused;
    return *this;
  }
};

// The same of the records at one place: of a message, of an entry in it.
struct PlacedExceptions {
  std::string source_partition;
  int64_t source_offset = 0;
  Exceptions exceptions;
};

// A staged record that the table refuses; it belongs in quarantine.
struct RefusedRecord {
  std::string source_partition;
  int64_t source_offset = 0;
  std::string reason;  // "key-conflict", "ambiguous-delete"
  std::string message;
};

struct UpsertRequest {
  const SilverView& view;
  const StagedRecords& staged;
  // Called with the outcomes once they are known, for each try: fills what the commit says.
  std::function<CommitNote(const std::map<std::string, Exceptions>&)> note;
  // The view of the table that holds versions of this one's keys which have their home there (its
  // `home` condition tells which), and the records of this batch staged for it. A DELETE of a key
  // that only that one holds leaves no tombstone here; but a key deleted there is deleted here,
  // too. Null: no such table.
  const SilverView* elsewhere = nullptr;
  const StagedRecords* staged_elsewhere = nullptr;
  // The version of that table to decide by; null: the newest. Where that one takes in the same
  // batch at the same time it must be one from before: else each record is found there, too, and
  // ranked.
  delta::SnapshotPtr elsewhere_at = nullptr;
  // Only finds out what becomes, or became, of the records: nothing is committed.
  bool only_asks = false;
  // Instead of records (`staged` has none): keys whose rows here leave the table where a higher
  // version is in that of `elsewhere`, and are deleted where they are deleted there.
  std::shared_ptr<const StagedKeys> compared = nullptr;
  // Also says of each place what became of its records.
  bool by_place = false;
};

struct UpsertResult {
  bool committed = false;  // false: nothing to change, or the table has this txn already
  Version version;         // of the table afterwards
  int64_t rows_inserted = 0;
  int64_t rows_updated = 0;
  int64_t rows_removed = 0;  // their key's winning version is at home in another table
  std::map<std::string, Exceptions> exceptions;  // by source partition
  std::vector<PlacedExceptions> placed;          // where the request asks for it
  std::vector<RefusedRecord> refused;
  // The versions that were decided on, of the table and of that of `elsewhere`; null: the table had
  // the txn before, or was only asked. (Commits up to `version` have none of the keys.)
  delta::SnapshotPtr read = nullptr;
  delta::SnapshotPtr read_elsewhere = nullptr;
  std::set<std::string, std::less<>> added = {};  // paths of files that the commit added
};

// Commits the staged records to view.table (unless the request only asks); kConflict where the
// note's starts do not hold. When the table already has the note's txn, only finds out what became
// of them (refused records are found again the same way).
Result<UpsertResult> Upsert(Lake& lake, const UpsertRequest& request, const Wait& wait);

}  // namespace vitalake::lake
