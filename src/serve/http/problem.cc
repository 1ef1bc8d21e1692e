#include "serve/http/problem.h"

#include <algorithm>
#include <array>

#include "base/json_writer.h"
#include "base/log.h"

namespace vitalake::serve {
namespace {

struct StatusWords {
  int status;
  std::string_view phrase;
  std::string_view issue;  // FHIR issue type
};

constexpr std::array kStatuses = {
    StatusWords{200, "OK", "informational"},
    StatusWords{202, "Accepted", "informational"},
    StatusWords{204, "No Content", "informational"},
    StatusWords{304, "Not Modified", "informational"},
    StatusWords{400, "Bad Request", "structure"},
    StatusWords{401, "Unauthorized", "login"},
    StatusWords{403, "Forbidden", "forbidden"},
    StatusWords{404, "Not Found", "not-found"},
    StatusWords{405, "Method Not Allowed", "not-supported"},
    StatusWords{406, "Not Acceptable", "not-supported"},
    StatusWords{408, "Request Timeout", "timeout"},
    StatusWords{409, "Conflict", "conflict"},
    StatusWords{410, "Gone", "deleted"},
    StatusWords{413, "Content Too Large", "too-long"},
    StatusWords{415, "Unsupported Media Type", "not-supported"},
    StatusWords{417, "Expectation Failed", "not-supported"},
    StatusWords{421, "Misdirected Request", "forbidden"},
    StatusWords{422, "Unprocessable Content", "conflict"},
    StatusWords{429, "Too Many Requests", "throttled"},
    StatusWords{431, "Request Header Fields Too Large", "too-long"},
    StatusWords{500, "Internal Server Error", "exception"},
    StatusWords{503, "Service Unavailable", "transient"},
    StatusWords{504, "Gateway Timeout", "timeout"},
};

const StatusWords* Find(int status) {
  const auto found = std::ranges::find(kStatuses, status, &StatusWords::status);
  return found == kStatuses.end() ? nullptr : &*found;
}

std::string ProblemJson(const Problem& problem) {
  JsonWriter json;
  json.BeginObject().Key("type").String("about:blank");
  json.Key("title").String(StatusPhrase(problem.status)).Key("status").Int(problem.status);
  if (!problem.detail.empty()) json.Key("detail").String(problem.detail);
  if (!problem.instance.empty()) json.Key("instance").String(problem.instance);
  return json.EndObject().Take();
}

}  // namespace

std::string_view StatusPhrase(int status) {
  const StatusWords* const words = Find(status);
  return words == nullptr ? "" : words->phrase;
}

std::string OutcomeJson(const std::vector<OutcomeIssue>& issues) {
  JsonWriter json;
  json.BeginObject().Key("resourceType").String("OperationOutcome").Key("issue").BeginArray();
  for (const OutcomeIssue& issue : issues) {
    json.BeginObject().Key("severity").String(issue.severity).Key("code").String(issue.code);
    json.Key("diagnostics").String(issue.diagnostics);
    if (!issue.expression.empty()) {
      json.Key("expression").BeginArray();
      for (const std::string& path : issue.expression) json.String(path);
      json.EndArray();
    }
    json.EndObject();
  }
  return json.EndArray().EndObject().Take();
}

bool SpeaksFhir(std::string_view path) {
  for (const std::string_view root : {"/fhir", "/ingest"}) {
    if (path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/')) {
      return true;
    }
  }
  return false;
}

Response ProblemResponse(const Problem& problem) {
  Response response;
  response.status = problem.status;
  response.headers = problem.headers;
  response.headers.emplace_back("Cache-Control", "no-store");
  if (SpeaksFhir(problem.instance)) {
    const StatusWords* const words = Find(problem.status);
    const std::string detail =
        problem.detail.empty() ? std::string(StatusPhrase(problem.status)) : problem.detail;
    response.content_type = "application/fhir+json; charset=utf-8";
    response.body = OutcomeJson(
        {{"error", std::string(words == nullptr ? "processing" : words->issue), detail, {}}});
  } else {
    response.content_type = "application/problem+json";
    response.body = ProblemJson(problem);
  }
  return response;
}

// Source: RFC 6750, 3.
Response UnauthorizedResponse(const std::string& path, const std::string& detail) {
  return ProblemResponse({401, detail, path, {{"WWW-Authenticate", R"(Bearer realm="vitalake")"}}});
}

int HttpStatusOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidArgument:
    case ErrorKind::kUnsupported:
      return 400;
    case ErrorKind::kPermission:
      return 403;
    case ErrorKind::kNotFound:
      return 404;
    case ErrorKind::kAlreadyExists:
      return 409;
    case ErrorKind::kLimit:
      return 422;
    case ErrorKind::kConflict:
    case ErrorKind::kCancelled:
      return 503;
    case ErrorKind::kDeadline:
      return 504;
    default:
      return 500;
  }
}

Response ErrorResponse(const Error& error, const std::string& path) {
  const int status = HttpStatusOf(error.kind);
  if (status == 500) {
    log::Fault("http: {}: {}", path, error.ToString());
    return ProblemResponse({500, "The server could not do it; its log says why", path});
  }
  if (error.kind == ErrorKind::kConflict) {  // somebody else was faster
    return ProblemResponse({status, error.message, path, {{"Retry-After", "1"}}});
  }
  if (status == 503) {
    return ProblemResponse({503, "The server is ending", path, {{"Retry-After", "5"}}});
  }
  if (status == 504) {
    return ProblemResponse(
        {504, "The time for it is up: ask for less, or again later", path, {{"Retry-After", "1"}}});
  }
  return ProblemResponse({status, error.ToString(), path});
}

}  // namespace vitalake::serve
