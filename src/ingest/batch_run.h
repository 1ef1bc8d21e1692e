// One batch run: files in, bronze copies, silver tables, quarantine, issues, ledger, gold.
//
// Steps (docs/ARCHITECTURE.md, "A batch run"):
//  1. finish runs that a crash left open;
//  2. list the files, hash them, and open the run with one ledger commit;
//  3. copy each file to bronze, durable; only the copy is read from here on;
//  4. decode, check, judge and extract on all threads, into staged Parquet;
//  5. resolve against each table and commit, with txn `batch/<run>` = last file ordinal done;
//  6. refresh gold; close the run in the ledger.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/ids.h"
#include "base/result.h"
#include "fhir/decode.h"
#include "fhir/record_key.h"
#include "lake/lake.h"
#include "lake/outcome.h"

namespace vitalake::ingest {

struct BatchOptions {
  std::vector<std::string> paths;  // files, folders (every .json/.ndjson[.gz|.zst] below), globs
  std::string source;              // empty: patient, observation or mixed, by a peek
  std::string id_space;
  fhir::KeyRule key = fhir::KeyRule::kId;
  bool dry_run = false;  // read and judge everything, write nothing
  bool refresh_gold = true;
  fhir::DecodeLimits limits;
  // Input bytes of the files that share one commit per table; at least one file does.
  int64_t group_bytes = int64_t{1} << 30;
};

// Where a run is, for a progress bar; called about ten times a second, from one thread at a time.
struct BatchProgress {
  std::string_view step;  // "hashing", "copying", "reading", "writing", "gold"
  int64_t bytes_done = 0;
  int64_t bytes_total = 0;
  int64_t records = 0;
};

struct FileResult {
  std::string path;    // as given (or as found below a folder)
  std::string bronze;  // key of the copy; empty when there is none
  lake::OutcomeCounts counts;
  std::string
      message;  // empty, or why the file as a whole could not be used ("same content as ...")
  bool failed = false;  // the file could not be taken in at all (no permission, vanished)
};

struct TableResult {
  std::string table;
  int64_t version_before = -1;  // -1: the table did not exist
  int64_t version_after = -1;
  int64_t rows_inserted = 0, rows_updated = 0;
};

struct BatchSummary {
  std::string run;  // empty when there was nothing to do
  std::vector<FileResult> files;
  std::vector<TableResult> tables;
  lake::OutcomeCounts counts;
  std::map<std::string, int64_t> quarantine_reasons;
  std::vector<std::string> first_problems;  // up to 20 of "place: element: message"
  int64_t issues = 0;
  int64_t recovered_runs = 0;  // runs of an earlier crash that were finished first
  double seconds = 0;
};

// kInvalidArgument: no path given, a path that names nothing. kNoSpace, kPermission, kIo,
// kCancelled: the run stopped; running it again goes on where it was. A bad record or file is no
// error.
Result<BatchSummary> RunBatch(lake::Lake& lake, const BatchOptions& options,
                              const std::function<void(const BatchProgress&)>& progress = {},
                              const Wait& wait = {});

}  // namespace vitalake::ingest
