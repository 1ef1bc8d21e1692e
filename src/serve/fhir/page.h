// A page of search results, from SQL to the Bundle.
#pragma once

#include <string>
#include <vector>

#include "serve/fhir/bundle.h"
#include "serve/fhir/resource_json.h"
#include "serve/fhir/search.h"

namespace vitalake::serve {

// Where a search is answered.
struct FhirPlace {
  lake::Lake& lake;
  engine::SqlSession& session;
  Wait wait;
  std::string base;  // FhirBase
};

// The rows as entries, in their order; those whose bytes bronze has no longer are left out. kLimit
// when they are too much for one answer.
Result<std::vector<BundleEntry>> LoadEntries(const FhirPlace& place, std::vector<ResourceRow> rows,
                                             std::string_view mode, const ServedParts& parts);
// The Bundle of one page, with its links: `path` is "Patient", "Patient/x/$everything".
Result<FhirBundle> SearchPage(const FhirPlace& place, const FhirSearch& search,
                              const std::string& path);

}  // namespace vitalake::serve
