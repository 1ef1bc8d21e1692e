// Observation/$stats.
// Source: FHIR R4, observation-operation-stats.html.
#pragma once

#include "serve/fhir/page.h"
#include "serve/http/message.h"

namespace vitalake::serve {

// Parameters with one Observation per code and unit, a component per statistic. 400 without
// subject, code and statistic, and for a statistic that is not served.
Result<Response> FhirStats(const FhirPlace& place, const Request& request);

}  // namespace vitalake::serve
