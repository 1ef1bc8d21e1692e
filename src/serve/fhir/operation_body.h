// What a POST of a search or an operation brings in its body: the same as in its URL.
// Source: FHIR R4, search.html (2.21.1.2), operations.html (2.22.0.2), parameters.html.
#pragma once

#include "serve/fhir/search.h"

namespace vitalake::serve {

// The parameters of a Parameters resource, each as text: a string, code, date, number or flag as it
// is, a Reference by its `reference`. kInvalidArgument: it is no such resource, or a parameter has
// another value (a part, a resource).
Result<QueryList> ReadParametersResource(std::string_view json);

}  // namespace vitalake::serve
