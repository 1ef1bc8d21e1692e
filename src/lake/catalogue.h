// The catalogue: every table Vitalake keeps, with its columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "lake/silver_view.h"
#include "lake/table_spec.h"

namespace vitalake::lake {

// Tables whose columns are fixed: bronze.observation_stream and ops.*.
const std::vector<TableSpec>& FixedTables();
// One of them, e.g. "ops.ledger"; another name is a bug.
const TableSpec& FixedTable(std::string_view name);

// The spec of the table a silver view makes.
Result<TableSpec> SilverSpec(engine::Engine& engine, const SilverView& view);

// Whether `name` can name a table or view without quotes: a-z, 0-9 and _, not empty.
bool IsPlainName(std::string_view name);

// "silver.patient" -> "silver/patient"; kNotFound unless the name is schema.table of plain
// characters in one of our schemas.
Result<std::string> TablePath(std::string_view name);

}  // namespace vitalake::lake
