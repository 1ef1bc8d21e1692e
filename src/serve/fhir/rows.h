// Statements over resources, run over the few rows they can be about where these are found by their
// ids (lake/row_index.h), else over the tables.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "serve/fhir/page.h"
#include "serve/fhir/search_sql.h"

namespace vitalake::serve {

// Runs the statement of fhir/search_sql.h; `keys` as it says there of the same statement. Any other
// statement on the session ends the result.
Result<engine::QueryResult> RunFhirQuery(const FhirPlace& place, const SqlQuery& query,
                                         const std::optional<FhirKeys>& keys);

// All rows of a statement that gives kRowColumns.
Result<std::vector<ResourceRow>> RowsFound(const FhirPlace& place, FhirType type,
                                           const SqlQuery& query,
                                           const std::optional<FhirKeys>& keys);

}  // namespace vitalake::serve
