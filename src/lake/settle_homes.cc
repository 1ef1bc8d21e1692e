#include "lake/settle_homes.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "base/log.h"
#include "lake/key_index.h"
#include "lake/staged_keys.h"

namespace vitalake::lake {
namespace {

// The files of `now` that are not in `seen`, but for those of our own commit.
std::vector<delta::AddFilePtr> FilesOfOthers(const delta::Snapshot& now,
                                             const delta::Snapshot& seen,
                                             const UpsertResult& ours) {
  std::vector<delta::AddFilePtr> files;
  const bool is_next = now.version().value == seen.version().value + 1;
  const bool is_ours = ours.committed && ours.version == now.version();
  if (now.version() == seen.version() || (is_next && is_ours)) return files;
  std::ranges::copy_if(now.files(), std::back_inserter(files), [&](const auto& file) {
    return !seen.FindFile(file->path) && !ours.added.contains(file->path);
  });
  return files;
}

class HomeSettler {
 public:
  HomeSettler(Lake& lake, const UpsertRequest& request, const UpsertResult& own,
              const UpsertResult& other, const Wait& wait)
      : lake_(lake), request_(request), own_(own), other_(other), wait_(wait) {}

  Result<int64_t> Run() {
    VL_RETURN_IF_ERROR(FindFiles());
    if (!all_ && here_.empty() && there_.empty()) return 0;
    VL_TRY(const auto staged, KeysOfRecords());
    std::vector<uint64_t> keys = *staged;
    if (!all_) {
      VL_TRY(keys, KeysInFiles(*staged));
    }
    if (keys.empty()) return 0;
    return Compare(std::move(keys));
  }

 private:
  // What others have put into the two tables since they were read.
  Status FindFiles() {
    VL_TRY(now_, lake_.Latest(request_.view.table));
    VL_TRY(other_now_, lake_.Latest(request_.elsewhere->table));
    // Who put nothing in has nothing there that could be superseded.
    const bool looks_there = !own_.read || own_.committed;
    all_ = !own_.read || (looks_there && !own_.read_elsewhere);
    if (all_) return {};
    here_ = FilesOfOthers(*now_, *own_.read, own_);
    if (!looks_there) return {};
    const delta::Snapshot& seen = *own_.read_elsewhere;
    there_ = FilesOfOthers(*other_now_, seen, other_);
    // What the other table's commit rests on may be newer; it may hold that in files of its own.
    if (!other_.read || other_.read->version() <= seen.version()) return {};
    std::ranges::move(FilesOfOthers(*other_.read, seen, other_), std::back_inserter(there_));
    return {};
  }

  Result<std::shared_ptr<const std::vector<uint64_t>>> KeysOfRecords() {
    VL_TRY(engine::Connection connection, lake_.engine().Connect());
    VL_TRY(const auto own, KeysOf(connection, request_.staged, wait_));
    VL_TRY(const auto other, KeysOf(connection, *request_.staged_elsewhere, wait_));
    return Union(own, other);
  }

  Result<std::vector<uint64_t>> KeysInFiles(const std::vector<uint64_t>& wanted) {
    std::vector<uint64_t> keys;
    VL_TRY(const auto here, KeyIndex(lake_, request_.view.table).Find(now_, here_, wanted, wait_));
    VL_TRY(const auto there,
           KeyIndex(lake_, request_.elsewhere->table).Find(other_now_, there_, wanted, wait_));
    for (const auto& hits : {here, there}) {
      for (const KeyHit& hit : hits) keys.push_back(hit.key);
    }
    return keys;
  }

  Result<int64_t> Compare(std::vector<uint64_t> keys) {
    const StagedRecords none;
    UpsertRequest request{request_.view, none, [](const auto&) { return CommitNote(); }};
    request.elsewhere = request_.elsewhere;
    request.staged_elsewhere = &none;
    request.compared = StagedKeys::Of(std::move(keys));
    VL_TRY(const UpsertResult result, Upsert(lake_, request, wait_));
    if (result.committed) {
      log::Info(
          "{}: of versions that another process put into {} meanwhile: {} rows taken out, {} "
          "deleted",
          request.view.table, request.elsewhere->table, result.rows_removed, result.rows_updated);
    }
    return result.rows_removed + result.rows_updated;
  }

  Lake& lake_;
  const UpsertRequest& request_;
  const UpsertResult& own_;
  const UpsertResult& other_;
  const Wait& wait_;
  bool all_ = false;  // keys are to be compared
  delta::SnapshotPtr now_;
  delta::SnapshotPtr other_now_;
  std::vector<delta::AddFilePtr> here_;
  std::vector<delta::AddFilePtr> there_;
};

}  // namespace

Result<int64_t> SettleHomes(Lake& lake, const UpsertRequest& request, const UpsertResult& own,
                            const UpsertResult& other, const Wait& wait) {
  return HomeSettler(lake, request, own, other, wait).Run();
}

}  // namespace vitalake::lake
