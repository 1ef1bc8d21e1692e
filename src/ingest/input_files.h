// The files of a batch run: found, measured, hashed, named in bronze.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ingest/batch_run.h"
#include "lake/ledger.h"

namespace vitalake::ingest {

// Paths, folders (searched whole, for .json, .ndjson and both with .gz or .zst) and globs, as files
// in a fixed order, each once. kNotFound naming the argument when one means no file; an empty
// folder means none and is fine.
Result<std::vector<std::string>> FindFiles(const std::vector<std::string>& paths);

struct FileMeasure {
  int64_t bytes = 0;
  Micros modified_at = 0;
};
// nullopt when there is no such file, or none that may be looked at.
std::optional<FileMeasure> MeasureFile(const std::string& path);

using HashFile = std::function<Result<std::string>(const lake::LedgerFile& file)>;

// One ledger entry per file: size, time, hash, source, bronze path. A file that cannot be read has
// an empty sha256 and a message. `started_at` names the day folder; bronze paths that are taken, in
// the store or by an earlier file of the list, get the run's name in theirs. `hash` reads the file
// and gives its SHA-256; what ends the run there is an error, all else the file's own trouble.
Result<std::vector<lake::LedgerFile>> DescribeFiles(lake::Lake& lake, const BatchOptions& options,
                                                    const RunId& run, Micros started_at,
                                                    const std::vector<std::string>& paths,
                                                    const HashFile& hash);

// "patient", "observation", or "mixed", by the first resource in the file's first 64 KB.
std::string PeekSource(const std::string& path);

// The other bronze path of a file, for when `bronze_path` turns out to be taken.
std::string OwnBronzePath(std::string_view bronze_path, const RunId& run, int64_t ordinal);

}  // namespace vitalake::ingest
