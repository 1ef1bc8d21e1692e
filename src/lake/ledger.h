// Ledger: what came in, per file, and what became of it. ops.ledger has one row per file of a run.
//
// A run is opened with one commit before its first copy is made: its rows have finished_at null and
// no counts. It is closed with one commit that replaces them. What lies between can be rebuilt from
// the commits of the other tables, so a crash leaves an open run that the next one finishes.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/ids.h"
#include "base/result.h"
#include "lake/lake.h"
#include "lake/outcome.h"
#include "lake/table_writer.h"

namespace vitalake::lake {

struct LedgerFile {
  int64_t ordinal = 0;
  std::string path;  // as given: the ledger's `range`
  std::string source;
  std::string sha256;  // empty when the file could not be read
  int64_t bytes = 0;
  Micros modified_at = 0;
  Micros received_at = 0;   // grows with the ordinal: the later file of a run outranks the earlier
  std::string bronze_path;  // empty: not copied (a repeat, unreadable)
  std::string id_space;
  std::string key_mode;  // "id" or "identifier"
  std::string message;   // why it was not copied
};

struct LedgerRun {
  RunId run;
  Micros started_at = 0;
  std::vector<LedgerFile> files;  // by ordinal
};

// An earlier, finished reception of the same bytes from the same source.
struct KnownFile {
  std::string run;
  std::string path;
  OutcomeCounts counts;
};

class Ledger {
 public:
  explicit Ledger(Lake& lake) : lake_(lake) {}

  // Commits the run's opening.
  Status OpenRun(const LedgerRun& run, const Wait& wait);
  // Runs that were opened and not closed, oldest first.
  Result<std::vector<LedgerRun>> FindOpenRuns();
  // Sizes in bytes of all files taken in so far: a file of another size cannot be a repeat.
  Result<std::set<int64_t>> KnownSizes();
  // The files of finished runs as they were when they were taken in.
  struct TakenFile {
    std::string path;
    int64_t bytes = 0;
    Micros modified_at = 0;
    auto operator<=>(const TakenFile&) const = default;
  };
  Result<std::set<TakenFile>> TakenFiles();
  // Of `files`, those that a finished run took in before, by ordinal: same source, id_space, bytes.
  Result<std::map<int64_t, KnownFile>> FindKnown(const std::vector<LedgerFile>& files);
  // Replaces the run's open rows by final ones; counts by ordinal. kInternal when one of them does
  // not balance: then nothing is written.
  Status CloseRun(const LedgerRun& run, const std::map<int64_t, OutcomeCounts>& counts,
                  const Wait& wait);
  // Appends rows that are final from the start: offset ranges of a stream, each as a file of `run`
  // with the range as its path. kInternal as CloseRun; kConflict where the note's starts do not
  // hold.
  Status AppendFinished(const LedgerRun& run, const std::map<int64_t, OutcomeCounts>& counts,
                        const CommitNote& note, const Wait& wait);

 private:
  Result<std::string> Relation(bool with_positions);
  Status WriteRows(engine::Connection& connection, const LedgerRun& run,
                   const std::map<int64_t, OutcomeCounts>* counts);

  Lake& lake_;
};

}  // namespace vitalake::lake
