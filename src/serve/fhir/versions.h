// The versions of one resource.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "serve/fhir/page.h"
#include "serve/fhir/resources.h"
#include "serve/http/message.h"

namespace vitalake::serve {

// The resource as it is now, deleted and retracted too; nullopt when it never came in.
Result<std::optional<ResourceRow>> CurrentVersion(const FhirPlace& place, FhirType type,
                                                  const std::string& served_id);

// All versions known, newest first: the current one, and what the change feeds of its tables still
// have. Empty when it never came in. Cost: the commits of the log, and the ids in the change
// files that are left.
Result<std::vector<ResourceRow>> VersionsOf(const FhirPlace& place, FhirType type,
                                            const std::string& served_id);

// GET /fhir/{type}/{id}/_history: versions newest first, those since `_since`, `_count` a page.
// Source: FHIR R4, http.html#history.
Result<Response> FhirHistory(FhirType type, const FhirPlace& place, const Request& request);

}  // namespace vitalake::serve
