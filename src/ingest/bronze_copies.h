// BronzeCopies: a run's files on their way into bronze.
//
// A file is staged (copied and hashed) first, and published (made durable and visible under its
// bronze path) by a thread of its own, while its records are read from the staged copy already. A
// commit that names the file must wait for it.
#pragma once

#include <future>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/deadline.h"
#include "lake/lake.h"
#include "lake/ledger.h"
#include "storage/copy_in.h"

namespace vitalake::ingest {

// What became of one file: its bronze path, or why it has none.
struct BronzeCopy {
  std::string path;     // empty: not taken in
  std::string message;  // why; "" when it was taken in
};

// Deletes what killed runs have left in staging. `locks`: the folder of the run locks.
Status SweepStagedCopies(lake::Lake& lake, const std::filesystem::path& locks);

// Whether an error of copying is more than the one file's trouble.
bool EndsTheRun(const Error& error);

// One thread uses it, besides its own.
class BronzeCopies {
 public:
  BronzeCopies(lake::Lake& lake, RunId run) : lake_(lake), run_(std::move(run)) {}
  ~BronzeCopies();

  // Copies the file to staging; what to write into the ledger is its hash. Errors as StageCopy.
  Result<std::string> Stage(int64_t ordinal, const std::string& path);
  // Where the bytes may be read already; nullopt when the file is not staged.
  std::optional<std::filesystem::path> StagedPath(int64_t ordinal) const;
  // Begins to publish `files`, in order; those not staged are staged first. `recovering`: an
  // earlier try of the run may have published some of them. Once.
  void Publish(std::vector<lake::LedgerFile> files, bool recovering, const Wait& wait);
  // Waits for one of the files given to Publish. An error ends the run: the disk is full, the
  // outcome is not known, the run was stopped.
  Result<BronzeCopy> Await(int64_t ordinal) const;

 private:
  using Promises = std::vector<std::promise<Result<BronzeCopy>>>;

  void PublishAll(const std::vector<lake::LedgerFile>& files, bool recovering, Promises& promises,
                  const Wait& wait) const;
  Result<BronzeCopy> PublishFile(const lake::LedgerFile& file, bool recovering) const;
  // Whether an earlier try of the run has published the file under that path.
  Result<bool> IsPublished(const lake::LedgerFile& file, const std::string& path) const;

  lake::Lake& lake_;
  RunId run_;
  std::map<int64_t, storage::StagedCopy> staged_;
  std::map<int64_t, std::shared_future<Result<BronzeCopy>>> done_;
  std::jthread thread_;
};

}  // namespace vitalake::ingest
