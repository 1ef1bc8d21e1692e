#include "serve/action_body.h"

#include <fmt/format.h>

#include "serve/http/fields.h"
#include "serve/http/problem.h"

namespace vitalake::serve {
namespace {

constexpr size_t kLongestActor = 200, kLongestReason = 4'000;

Result<std::string> TextMember(JsonValue json, std::string_view name, size_t longest) {
  const JsonValue value = json.Find(name);
  if (!value || value.is_null()) return std::string();
  if (!value.is_string() || value.text().size() > longest) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("`{}` must be a text of at most {} bytes", name, longest));
  }
  return std::string(value.text());
}

}  // namespace

std::optional<Response> RefuseOtherTypes(const Request& request) {
  if (request.body.empty() || SendsJson(request)) return std::nullopt;
  return ProblemResponse(
      {415, "Send application/json: {\"actor\":\"nurse-7\", ...}", request.path});
}

Result<ActionBody> ReadActionBody(JsonParser& parser, const Request& request) {
  const auto json = parser.Parse(request.body);
  if (!json || !json->is_object()) {
    return Fail(ErrorKind::kInvalidArgument,
                "The body must be a JSON object, like {\"actor\": \"nurse-7\"}");
  }
  ActionBody body;
  body.json = *json;
  VL_TRY(body.actor, TextMember(*json, "actor", kLongestActor));
  VL_TRY(body.reason, TextMember(*json, "reason", kLongestReason));
  if (body.actor.empty()) {
    return Fail(ErrorKind::kInvalidArgument, "`actor` must say who does it");
  }
  return body;
}

}  // namespace vitalake::serve
