// FhirExchange: what every FHIR interaction shares: what the client sends and takes, the address
// links begin with, answers and errors as FHIR has them.
// Source: FHIR R4, http.html.
#pragma once

#include <optional>
#include <string>

#include "serve/fhir/resources.h"
#include "serve/fhir/search.h"
#include "serve/http/message.h"

namespace vitalake::serve {

inline constexpr std::string_view kFhirRoot = "/fhir";

// Adds what a POST brings in its body, a form or (not of a search) a Parameters resource, to the
// query. Why that cannot be: the body is none we read (415), or malformed (400); else nothing.
std::optional<Response> TakeFhirBody(Request& request);
// Why the request cannot be answered in JSON (406), or an id or a value is no text (400); else
// nothing.
std::optional<Response> FhirRefusal(const Request& request);
// "http://host:port/fhir", with the scheme and the Host the client asked.
std::string FhirBase(const Request& request);
// `Prefer: handling=strict`.
bool IsStrict(const Request& request);
// "?a=b&c=d", "" when there are none.
std::string QueryText(const QueryList& parameters);

Response FhirAnswer(std::string json);
// One resource, or 304 when the client has this version.
Response ResourceAnswer(const Request& request, const ResourceRow& row, std::string json);
// An OperationOutcome of one error.
Response FhirError(int status, const std::string& detail);

}  // namespace vitalake::serve
