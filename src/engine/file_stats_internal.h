// DuckDB's statistics of a written Parquet file as Delta's. For this module alone.
// Source: Delta PROTOCOL, "Per-file Statistics".
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/json_tree.h"
#include "engine/engine.h"

namespace vitalake::engine {

// `statistics`: object of quoted column name -> {"min","max","null_count","has_nan"}, values as
// text. `columns`: name and type of those wanted. See WrittenFile::stats_json.
std::string DeltaStats(JsonValue statistics, int64_t rows, std::span<const ResultColumn> columns);

// A text that no string beginning with the first 32 characters of `text` is below / above. Texts of
// up to 32 characters come back as they are. The upper bound is nullopt when there is none.
std::string LowerBound(std::string_view text);
std::optional<std::string> UpperBound(std::string_view text);

}  // namespace vitalake::engine
