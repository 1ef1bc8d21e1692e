// Statistics of a written Parquet file as Delta's. For this module alone.
// Source: Delta PROTOCOL, "Per-file Statistics".
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_tree.h"
#include "engine/engine.h"

namespace vitalake::engine {

// What Delta is told of a column; bounds as JSON values, nothing where there is none that is safe.
struct ColumnBounds {
  std::string name;
  std::optional<std::string> min_json = std::nullopt;
  std::optional<std::string> max_json = std::nullopt;
  std::optional<int64_t> nulls = std::nullopt;
};

// Of PLAIN bytes (ColumnEncoder).
ColumnBounds BoundsOf(std::string_view name, TypeId type, const std::optional<std::string>& min,
                      const std::optional<std::string>& max, int64_t nulls);
// Of what DuckDB says: an object of quoted column name -> {"min","max","null_count","has_nan"},
// values as text. `columns`: name and type of those wanted.
std::vector<ColumnBounds> SaidBounds(JsonValue statistics, std::span<const ResultColumn> columns);

// See WrittenFile::stats_json.
std::string DeltaStats(int64_t rows, std::span<const ColumnBounds> columns);

// A text that no string beginning with the first 32 characters of `text` is below / above. Texts of
// up to 32 characters come back as they are. The upper bound is nullopt when there is none.
std::string LowerBound(std::string_view text);
std::optional<std::string> UpperBound(std::string_view text);

}  // namespace vitalake::engine
