#include "serve/fhir/operation_body.h"

#include <fmt/format.h>

#include "base/json_tree.h"

namespace vitalake::serve {
namespace {

constexpr std::string_view kValue = "value";

// "" where it has no value that is text.
std::string ValueOf(JsonValue parameter) {
  for (const JsonValue member : parameter.children()) {
    if (!member.key().starts_with(kValue)) continue;
    if (member.is_object()) return std::string(member.String("reference"));
    if (member.is_string() || member.is_number() || member.is_bool()) {
      return std::string(member.text());
    }
  }
  return {};
}

}  // namespace

Result<QueryList> ReadParametersResource(std::string_view json) {
  JsonParser parser;
  const auto tree = parser.Parse(json);
  if (!tree || tree->String("resourceType") != "Parameters") {
    return Fail(ErrorKind::kInvalidArgument, "The body is no Parameters resource in JSON");
  }
  QueryList query;
  for (const JsonValue parameter : tree->Find("parameter").children()) {
    std::string name(parameter.String("name"));
    std::string value = ValueOf(parameter);
    if (name.empty() || value.empty()) {
      return Fail(ErrorKind::kInvalidArgument,
                  fmt::format("The parameter {} has no value of a type that is taken: a string, "
                              "code, date, number, flag or Reference",
                              name));
    }
    query.emplace_back(std::move(name), std::move(value));
  }
  return query;
}

}  // namespace vitalake::serve
