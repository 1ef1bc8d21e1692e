// Errors as clients get them: RFC 9457 problem details, or an OperationOutcome under /fhir and
// /ingest. Texts name no patient.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "serve/http/message.h"

namespace vitalake::serve {

struct Problem {
  int status = 500;
  std::string detail;    // what is wrong and what to do, for people
  std::string instance;  // the request's path
  HeaderList headers = {};
};

// One issue of an OperationOutcome. Source: FHIR R4, operationoutcome.html.
struct OutcomeIssue {
  std::string severity;  // fatal, error, warning, information
  std::string code;      // of the issue-type value set
  std::string diagnostics;
  std::vector<std::string> expression = {};
};

// "Not Found" for 404; "" when it is not one we send.
std::string_view StatusPhrase(int status);

std::string OutcomeJson(const std::vector<OutcomeIssue>& issues);

// Whether errors of that path are OperationOutcomes.
bool SpeaksFhir(std::string_view path);

// As the problem's instance asks for.
Response ProblemResponse(const Problem& problem);

// 401: who is not logged in must send a token (http/login.h).
Response UnauthorizedResponse(const std::string& path, const std::string& detail);

// What a client is told of an error: 400 (its words are off), 403, 404, 409 (what it asks for
// cannot be any more), 422 (the memory does not suffice), 503 (the server is ending) and 504 (the
// time is up) with Retry-After, else 500.
int HttpStatusOf(ErrorKind kind);
// The same as an answer; of a 500 nothing is told, but it is logged.
Response ErrorResponse(const Error& error, const std::string& path);

}  // namespace vitalake::serve
