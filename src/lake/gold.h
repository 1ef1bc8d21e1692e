// Gold: SQL models kept equal to a full recomputation, at the cost of what changed.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "lake/lake.h"

namespace vitalake::lake {

struct GoldResult {
  std::string table;         // "gold.bp_daily"
  bool full = false;         // recomputed whole (first time, or the change feed is gone)
  int64_t keys_touched = 0;  // persons recomputed
  int64_t rows_inserted = 0, rows_updated = 0, rows_deleted = 0;
  int64_t version = -1;  // of the gold table afterwards
  std::map<std::string, int64_t> source_versions;
};

// Brings every gold model up to the latest versions of its sources. A model that is up to date
// costs a look at the versions and gives no result. With `full`, recomputes all from nothing.
Result<std::vector<GoldResult>> RefreshGold(Lake& lake, bool full = false, const Wait& wait = {});

// The views of the catalogue that are no tables (gold.bp_population): name -> SELECT over tables.
Result<std::map<std::string, std::string>> GoldViews(Lake& lake);

// The tables the models make; `tables` gives the shapes of their sources: silver and ops.
Result<std::vector<TableSpec>> GoldSpecs(engine::Connection& connection,
                                         const std::filesystem::path& models_folder,
                                         const std::vector<TableSpec>& tables);

}  // namespace vitalake::lake
