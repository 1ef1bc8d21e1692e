// UpsertTry: one try of an upsert against one snapshot (steps 1 to 3 of upsert.h).
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "engine/engine.h"
#include "lake/file_rewrite.h"
#include "lake/key_index.h"
#include "lake/lake.h"
#include "lake/newer_versions.h"
#include "lake/sql_text.h"
#include "lake/staged_keys.h"
#include "lake/table_writer.h"
#include "lake/upsert.h"

namespace vitalake::lake {

// The key hashes of a request's records, the same for all of its tries.
struct RequestKeys {
  std::shared_ptr<const StagedKeys> own;
  std::shared_ptr<const StagedKeys> elsewhere;       // of staged_elsewhere
  std::shared_ptr<const std::vector<uint64_t>> all;  // of both
};

// Everything given must outlive it. Its temporary tables are those of upsert_sql.h and
// file_rewrite.h, on `connection`.
class UpsertTry {
 public:
  UpsertTry(Lake& lake, const UpsertRequest& request, const RequestKeys& keys,
            delta::SnapshotPtr snapshot, engine::Connection& connection, const Wait& wait)
      : lake_(lake),
        request_(request),
        keys_(keys),
        snapshot_(std::move(snapshot)),
        connection_(connection),
        wait_(wait) {}

  // Whether the staged files are the whole change (step 1).
  Result<bool> IsPlainAppend();
  // Step 2: finds what becomes of each key, and the outcomes.
  Status Decide(UpsertResult& result);
  // Step 3: writes files into `folder`; after Decide.
  Result<Rewrite> MakeRewrite(const std::filesystem::path& folder);
  // Says on which files `rewrite` rests.
  void NameWhatWasRead(Rewrite& rewrite);

  const std::vector<SuccessorFile>& successors() const { return successors_; }
  // The version of the table of the request's `elsewhere` that was looked at; null: it was not.
  const delta::SnapshotPtr& elsewhere() const { return elsewhere_; }

 private:
  Status Run(const std::string& sql) { return RunSql(connection_, sql, wait_); }
  Result<std::vector<KeyHit>> FindRows(std::string_view table, const delta::SnapshotPtr& snapshot,
                                       std::span<const uint64_t> wanted);
  Status FetchKnown(std::vector<std::string> columns);
  // One version of it for all of a try.
  Result<delta::SnapshotPtr> Elsewhere();
  Status LoadElsewhere();
  Result<bool> OnlyNewerVersions();
  Status Rank(UpsertResult& result);
  Result<Rewrite> RewriteRanked(const std::filesystem::path& folder);
  Status PointDeletes();
  Status CollectOutcomes(UpsertResult& result);
  std::string ChangedCells() const;
  Status CreateOldRows();
  Status CreateNewRows();
  Status WriteChanges(const std::filesystem::path& folder, Rewrite& out);

  Lake& lake_;
  const UpsertRequest& request_;
  const RequestKeys& keys_;
  delta::SnapshotPtr snapshot_;
  delta::SnapshotPtr elsewhere_;
  engine::Connection& connection_;
  const Wait& wait_;
  std::shared_ptr<const std::vector<uint64_t>> wanted_;  // key hashes that hits_ are of
  std::optional<std::vector<KeyHit>> hits_;  // rows of the table that may have a staged key
  std::optional<NewerVersions> newer_;       // where that is all there is to decide
  bool whole_rows_ = false;                  // known_row has all columns
  std::vector<SuccessorFile> successors_;
};

}  // namespace vitalake::lake
