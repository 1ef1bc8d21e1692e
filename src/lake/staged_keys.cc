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

Result<StagedKeys> KeysOf(engine::Connection& connection, const StagedRecords& staged,
                          const Wait& wait) {
  StagedKeys keys;
  if (staged.files.empty()) return keys;
  if (!staged.key_hashes.empty()) {
    keys.hashes = staged.key_hashes;
    SortDistinct(keys.hashes);
  } else {
    VL_TRY(keys.hashes, HashKeys(connection, StagedRows(staged), wait));
  }
  keys.repeated = static_cast<int64_t>(keys.hashes.size()) < staged.records;
  return keys;
}

std::vector<uint64_t> Union(std::span<const uint64_t> a, std::span<const uint64_t> b) {
  std::vector<uint64_t> out;
  std::ranges::set_union(a, b, std::back_inserter(out));
  return out;
}

}  // namespace vitalake::lake
