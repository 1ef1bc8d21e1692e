// The operations: Patient/$everything, Observation/$lastn, Observation/$stats.
// Source: FHIR R4, patient-operation-everything.html, observation-operation-lastn.html.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "serve/fhir/page.h"
#include "serve/http/routes.h"

namespace vitalake::serve {

struct FhirOperation {
  std::string_view path;
  std::string_view summary;
  std::vector<QueryParameter> query;
  std::function<Result<Response>(const FhirPlace& place, const Request& request)> run;
};

const std::vector<FhirOperation>& FhirOperations();

}  // namespace vitalake::serve
