// Statements over resources, run over the few rows they can be about where these are found by their
// ids (lake/row_index.h), else over the tables.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "serve/fhir/page.h"
#include "serve/fhir/search_sql.h"

namespace vitalake::serve {

// A statement of fhir/search_sql.h over these tables.
using FhirStatement = std::function<Result<SqlQuery>(const FhirTables& tables)>;

// Runs the statement; `keys` as search_sql.h says of the same one. Any other statement on the
// session ends the result.
Result<engine::QueryResult> RunFhirQuery(const FhirPlace& place, const FhirStatement& statement,
                                         const std::optional<FhirKeys>& keys);

// All rows of a statement that gives kRowColumns.
Result<std::vector<ResourceRow>> RowsFound(const FhirPlace& place, FhirType type,
                                           const FhirStatement& statement,
                                           const std::optional<FhirKeys>& keys);

}  // namespace vitalake::serve
