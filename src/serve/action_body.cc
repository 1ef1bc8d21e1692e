#include "serve/action_body.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "base/nearest.h"
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

// A mistyped member would be taken for an absent one: as for anybody.
Status CheckMembers(JsonValue json, std::span<const std::string_view> own) {
  std::vector<std::string> known = {"actor", "reason"};
  known.insert(known.end(), own.begin(), own.end());
  for (const JsonValue member : json.children()) {
    const std::string name(member.key());
    if (member.duplicate_key()) {
      return Fail(ErrorKind::kInvalidArgument, fmt::format("`{}` is there twice", name));
    }
    if (std::ranges::find(known, name) != known.end()) continue;
    const std::string nearest = Nearest(name, known);
    return Fail(ErrorKind::kInvalidArgument,
                nearest.empty()
                    ? fmt::format("`{}` is not known; known are {}", name, fmt::join(known, ", "))
                    : fmt::format("`{}` is not known; did you mean `{}`?", name, nearest));
  }
  return {};
}

}  // namespace

std::optional<Response> RefuseOtherTypes(const Request& request) {
  if (request.body.empty() || SendsJson(request)) return std::nullopt;
  return ProblemResponse(
      {415, "Send application/json: {\"actor\":\"nurse-7\", ...}", request.path});
}

Result<ActionBody> ReadActionBody(JsonParser& parser, const Request& request,
                                  std::span<const std::string_view> own) {
  const auto json = parser.Parse(request.body);
  if (!json || !json->is_object()) {
    return Fail(ErrorKind::kInvalidArgument,
                "The body must be a JSON object, like {\"actor\": \"nurse-7\"}");
  }
  VL_RETURN_IF_ERROR(CheckMembers(*json, own));
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
