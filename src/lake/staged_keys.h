// The keys of staged records, as hashes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "engine/engine.h"
#include "lake/upsert.h"

namespace vitalake::lake {

struct StagedKeys {
  std::vector<uint64_t> hashes;  // ascending, each once
  bool repeated = false;         // two records have one key (or, hardly ever, one hash)
};

// A SELECT of the staged rows; there must be files.
std::string StagedRows(const StagedRecords& staged);

// From the records' own hashes, else from the id columns of the files. Cost: 8 bytes a record.
Result<StagedKeys> KeysOf(engine::Connection& connection, const StagedRecords& staged,
                          const Wait& wait);

// The distinct key hashes of a SELECT of id_space and id.
Result<std::vector<uint64_t>> HashKeys(engine::Connection& connection, const std::string& select,
                                       const Wait& wait);

// What is in either; both ascending, each once.
std::vector<uint64_t> Union(std::span<const uint64_t> a, std::span<const uint64_t> b);

}  // namespace vitalake::lake
