// GoldModel: one gold table as SQL, read from models/<name>.sql.
//
// The file is one SELECT over tables of silver and ops by name. Lines of its leading comment are
// read:
//   -- key: patient_id, day          columns that name a row
//   -- person: patient_id            the column that holds the person a row belongs to
//   -- source: silver.observation(patient_id)   a table it reads, and that table's person column
//   -- day: day                      optional: the column that holds the day a row belongs to; each
//                                    source but silver.patient then says its own, as in
//                                    silver.observation(patient_id, effective_date)
//   -- clustered: patient_id         order of the rows in files; the time first, where there is
//   one,
//                                    so that what comes late changes few files
//   -- view                          a plain view, not a table (then nothing else is needed)
// A row must depend only on source rows of its own person; so a change in the sources touches the
// rows of the persons changed, and no others. With a day, it must depend only on rows of its own
// person and day, and may know of silver.patient only whom a patient counts for. `person_link`
// (patient_id, person_id) is there as one more relation: whom a patient's readings count for after
// merges.
#pragma once

#include <compare>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "lake/table_spec.h"

namespace vitalake::lake {

// Rows of a gold file at most. Small, so that a change rewrites little; with the time first in a
// model's order, late arrivals of a day lie in one or two files.
inline constexpr int64_t kGoldRowsPerFile = 40'960;

struct GoldSource {
  std::string table;          // "silver.observation"
  std::string person_column;  // "patient_id"
  std::string day_column;     // "effective_date"; "" when the model has no day
  auto operator<=>(const GoldSource&) const = default;
};

struct GoldModel {
  std::string table;  // "gold.bp_daily"
  std::string sql;
  std::vector<std::string> key;
  std::string person_column;
  std::string day_column;  // "day"; "" when a row depends on all of its person's days
  std::vector<GoldSource> sources;
  std::vector<std::string> clustered_by;
  bool is_view = false;
};

// All models, built-in and of `folder`, by name. kInvalidArgument names file and what is missing.
Result<std::vector<GoldModel>> LoadGoldModels(const std::filesystem::path& folder);

// `model_sql` with every source table replaced by what `relation` (parallel to model.sources) says,
// and person_link by `person_link_sql`.
std::string BindSources(const GoldModel& model, const std::vector<std::string>& relations,
                        std::string_view person_link_sql);

// Whether the model's SQL reads the source table; some are there for person_link alone.
bool ReadsTable(const GoldModel& model, std::string_view table);

// Those of a source table's `columns` that the model's SQL may name; all when it has a `*`.
std::vector<std::string> ColumnsRead(const GoldModel& model,
                                     const std::vector<std::string>& columns);

}  // namespace vitalake::lake
