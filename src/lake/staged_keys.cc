#include "lake/staged_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "lake/key_index.h"
#include "lake/sql_text.h"

namespace vitalake::lake {
namespace {

void SortDistinct(std::vector<uint64_t>& hashes) {
  std::ranges::sort(hashes);
  hashes.erase(std::ranges::unique(hashes).begin(), hashes.end());
}

}  // namespace

std::string StagedRows(const StagedRecords& staged) {
  std::vector<std::string> paths;
  for (const engine::WrittenFile& file : staged.files) paths.push_back(file.path.string());
  return ReadParquetSql(paths);
}

Result<std::vector<uint64_t>> HashKeys(engine::Connection& connection, const std::string& select,
                                       const Wait& wait) {
  VL_TRY(engine::QueryResult rows,
         connection.Stream(fmt::format("SELECT id_space, id FROM ({})", select), {}, wait));
  std::vector<uint64_t> hashes;
  for (;;) {
    VL_TRY(const bool more, rows.Next());
    if (!more) break;
    hashes.push_back(KeyHash(rows.GetString(0), rows.GetString(1)));
  }
  SortDistinct(hashes);
  return hashes;
}

std::shared_ptr<const StagedKeys> StagedKeys::Of(std::vector<uint64_t> hashes) {
  auto keys = std::make_shared<StagedKeys>();
  std::ranges::sort(hashes);
  for (size_t i = 1; i < hashes.size(); ++i) {
    if (hashes[i] == hashes[i - 1]) keys->repeats.push_back(hashes[i]);
  }
  SortDistinct(keys->repeats);
  keys->repeated = !keys->repeats.empty();
  keys->hashes = std::move(hashes);
  SortDistinct(keys->hashes);
  return keys;
}

Result<std::shared_ptr<const StagedKeys>> KeysOf(engine::Connection& connection,
                                                 const StagedRecords& staged, const Wait& wait) {
  if (staged.keys) return staged.keys;
  auto keys = std::make_shared<StagedKeys>();
  if (staged.files.empty()) return keys;
  VL_TRY(keys->hashes, HashKeys(connection, StagedRows(staged), wait));
  keys->repeated = static_cast<int64_t>(keys->hashes.size()) < staged.records;
  return keys;
}

std::shared_ptr<const std::vector<uint64_t>> Union(const std::shared_ptr<const StagedKeys>& a,
                                                   const std::shared_ptr<const StagedKeys>& b) {
  if (std::ranges::includes(a->hashes, b->hashes)) return {a, &a->hashes};
  if (std::ranges::includes(b->hashes, a->hashes)) return {b, &b->hashes};
  auto both = std::make_shared<std::vector<uint64_t>>();
  std::ranges::set_union(a->hashes, b->hashes, std::back_inserter(*both));
  return both;
}

}  // namespace vitalake::lake
