#include "serve/fhir/exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "base/percent.h"
#include "base/utf8.h"
#include "serve/fhir/operation_body.h"
#include "serve/http/fields.h"
#include "serve/http/problem.h"
#include "serve/http/routes.h"

namespace vitalake::serve {
namespace {

constexpr std::string_view kFhirJson = "application/fhir+json; charset=utf-8";
constexpr std::string_view kParameters = "application/fhir+json";
constexpr std::string_view kForm = "application/x-www-form-urlencoded";

std::string LowerText(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

bool MeansJson(std::string_view type) {
  return type.empty() || type.find("json") != type.npos || type.find("*/*") != type.npos ||
         type.find("application/*") != type.npos;
}

bool IsHost(std::string_view host) {
  return !host.empty() && std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == ':' || c == '[' || c == ']' || c == '_';
  });
}

}  // namespace

std::optional<Response> TakeFhirBody(Request& request) {
  if (request.method != "POST" || request.body.empty()) return std::nullopt;
  const std::string* const sent = request.Header("content-type");
  const std::string type = sent == nullptr ? "" : LowerText(*sent);
  if (type.starts_with(kForm)) {
    Request form;
    if (!ParseTarget("/?" + request.body, form)) {
      return FhirError(400, "The form is not percent-encoded as it should be");
    }
    std::ranges::move(form.query, std::back_inserter(request.query));
    return std::nullopt;
  }
  const bool search = request.path.ends_with("/_search");
  if (search || !(type.starts_with(kParameters) || SendsJson(request))) {
    return FhirError(415, search
                              ? fmt::format("A search is sent as {}", kForm)
                              : fmt::format("Parameters are sent as {} or {}", kParameters, kForm));
  }
  auto parameters = ReadParametersResource(request.body);
  if (!parameters) return FhirError(400, parameters.error().message);
  std::ranges::move(*parameters, std::back_inserter(request.query));
  return std::nullopt;
}

std::optional<Response> FhirRefusal(const Request& request) {
  const std::string* const format = request.Query("_format");
  const std::string* const accept = request.Header("accept");
  // _format overrides Accept.
  const std::string wanted = format != nullptr ? *format : accept != nullptr ? *accept : "";
  if (!MeansJson(LowerText(wanted))) {
    return FhirError(406, "Only JSON is served: ask for application/fhir+json");
  }
  const auto is_text = [](const auto& named) { return IsValidUtf8(named.second); };
  if (!std::ranges::all_of(request.parameters, is_text)) {
    return FhirError(400, "The id is no text in UTF-8");
  }
  const auto wrong = std::ranges::find_if_not(request.query, is_text);
  if (wrong != request.query.end()) {
    return FhirError(400, fmt::format("The value of {} is no text in UTF-8",
                                      ValidUtf8(std::string_view(wrong->first).substr(0, 100))));
  }
  return std::nullopt;
}

std::string FhirBase(const Request& request) {
  const std::string* const host = request.Header("host");
  return host != nullptr && IsHost(*host)
             ? fmt::format("{}://{}{}", request.scheme, *host, kFhirRoot)
             : std::string(kFhirRoot);
}

bool IsStrict(const Request& request) {
  const std::string* const prefer = request.Header("prefer");
  return prefer != nullptr && LowerText(*prefer).find("handling=strict") != std::string::npos;
}

std::string QueryText(const QueryList& parameters) {
  std::string text;
  for (const auto& [name, value] : parameters) {
    text += fmt::format("{}{}={}", text.empty() ? '?' : '&', PercentEncoded(name),
                        PercentEncoded(value));
  }
  return text;
}

Response FhirAnswer(std::string json) {
  return {200, std::string(kFhirJson), std::move(json), {{"Cache-Control", "no-store"}}};
}

Response ResourceAnswer(const Request& request, const ResourceRow& row, std::string json) {
  const std::string tag = fmt::format("W/\"{}\"", row.ServedVersion());
  Response response = FhirAnswer(std::move(json));
  response.headers = {{"Cache-Control", "no-cache"},
                      {"ETag", tag},
                      {"Last-Modified", HttpDate(row.ServedUpdated())}};
  if (KnowsTag(request, tag)) {
    response.status = 304;
    response.body.clear();
  }
  return response;
}

Response FhirError(int status, const std::string& detail) {
  return ProblemResponse({status, detail, std::string(kFhirRoot)});
}

}  // namespace vitalake::serve
