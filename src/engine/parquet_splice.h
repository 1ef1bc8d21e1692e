// Parquet files put together from column chunks of other files, without decoding them.
//
// A file in which some rows get other values in some columns needs those columns encoded anew, in
// the row groups concerned; everything else is copied byte for byte. Of a wide table with a few
// changed columns that is a small part of the work, and it needs no memory.
// Source: Apache Parquet, "File Format" and parquet.thrift.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <vector>

#include "base/result.h"

namespace vitalake::engine {

// Rows of each row group, in order. kCorrupt when the file has no readable footer.
Result<std::vector<int64_t>> RowGroupSizes(const std::filesystem::path& file);

// Writes `target`: the rows of `base` in their order, but in row group n (from 0) the columns that
// patches[n] has, taken from there. A patch has one row group of as many rows as the one it is for,
// in the same order, and flat columns that `base` has too, of one type. Returns the size in bytes
// of `target`, complete but not durable; no file is left after an error.
//   kUnsupported     the files do not go together like that, are encrypted, or a chunk lies in
//                    another file: the rows must be written by other means
//   kCorrupt, kIo, kNoSpace, kNotFound
Result<int64_t> SpliceParquet(const std::filesystem::path& base,
                              const std::map<size_t, std::filesystem::path>& patches,
                              const std::filesystem::path& target);

}  // namespace vitalake::engine
