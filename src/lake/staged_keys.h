// The keys of staged records, as hashes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "engine/engine.h"
#include "lake/upsert.h"

namespace vitalake::lake {

// A SELECT of the staged rows; there must be files.
std::string StagedRows(const StagedRecords& staged);

// The records' own keys, else those in the id columns of the files. Cost: 8 bytes a record.
Result<std::shared_ptr<const StagedKeys>> KeysOf(engine::Connection& connection,
                                                 const StagedRecords& staged, const Wait& wait);

// The distinct key hashes of a SELECT of id_space and id.
Result<std::vector<uint64_t>> HashKeys(engine::Connection& connection, const std::string& select,
                                       const Wait& wait);

// What is in either; both ascending, each once. The one that holds the other is given itself.
std::shared_ptr<const std::vector<uint64_t>> Union(const std::shared_ptr<const StagedKeys>& a,
                                                   const std::shared_ptr<const StagedKeys>& b);

}  // namespace vitalake::lake
