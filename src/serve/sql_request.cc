#include "serve/sql_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/json_tree.h"

namespace vitalake::serve {
namespace {

using engine::ResultFormat;

constexpr std::array kMediaTypes = {
    std::pair{ResultFormat::kJson, std::string_view("application/json")},
    std::pair{ResultFormat::kNdjson, std::string_view("application/x-ndjson")},
    std::pair{ResultFormat::kCsv, std::string_view("text/csv")},
    std::pair{ResultFormat::kParquet, std::string_view("application/vnd.apache.parquet")},
};

std::unexpected<Error> Wrong(std::string message) {
  return Fail(ErrorKind::kInvalidArgument, std::move(message));
}

// The first of the accepted types that we have; JSON when the client takes anything.
ResultFormat FormatOfAccept(const Request& request) {
  const std::string* const accept = request.Header("accept");
  size_t best = std::string::npos;
  ResultFormat format = ResultFormat::kJson;
  for (const auto& [kind, type] : kMediaTypes) {
    const size_t at = accept == nullptr ? std::string::npos : accept->find(type);
    if (at < best) {
      best = at;
      format = kind;
    }
  }
  return format;
}

Result<engine::Parameter> ParameterOf(JsonValue value) {
  if (value.is_null()) return engine::Parameter();
  if (value.is_bool()) return engine::Parameter(value.type() == JsonType::kTrue);
  if (value.is_string()) return engine::Parameter(std::string(value.text()));
  if (const auto number = value.AsInt(); number && value.is_number()) {
    return engine::Parameter(*number);
  }
  if (const auto number = value.AsDouble(); number && value.is_number()) {
    return engine::Parameter(*number);
  }
  return Wrong("`parameters` holds null, true, false, numbers and strings");
}

Status ReadMember(JsonValue member, SqlRequest& sql, bool& has_format) {
  if (member.key() == "query" && member.is_string()) {
    sql.query = member.text();
  } else if (member.key() == "parameters" && member.is_array()) {
    for (const JsonValue value : member.children()) {
      VL_TRY(engine::Parameter parameter, ParameterOf(value));
      sql.parameters.push_back(std::move(parameter));
    }
  } else if (member.key() == "format" && member.is_string()) {
    VL_TRY(sql.format, engine::ParseResultFormat(member.text()));
    if (sql.format == ResultFormat::kTable)
      return Wrong("`format` is json, ndjson, csv or parquet");
    has_format = true;
  } else if (member.key() == "limit" && member.AsInt().value_or(0) > 0) {
    sql.limit = *member.AsInt();
  } else {
    return Wrong(
        fmt::format("`{}` is unknown or of the wrong type; the body has `query` (string), "
                    "`parameters` (array), `format` (string), `limit` (above 0)",
                    member.key().substr(0, 100)));
  }
  return {};
}

}  // namespace

std::string_view MediaTypeOf(ResultFormat format) {
  return std::ranges::find(kMediaTypes, format, &decltype(kMediaTypes)::value_type::first)->second;
}

Result<SqlRequest> ReadSqlRequest(const Request& request) {
  JsonParser parser;
  const auto body = parser.Parse(request.body);
  if (!body) {
    return Wrong(fmt::format("the body is not JSON: {} (byte {})", body.error().message,
                             body.error().offset));
  }
  if (!body->is_object()) return Wrong("the body is a JSON object with `query`");
  SqlRequest sql;
  bool has_format = false;
  for (const JsonValue member : body->children()) {
    VL_RETURN_IF_ERROR(ReadMember(member, sql, has_format));
  }
  if (!has_format) sql.format = FormatOfAccept(request);
  if (sql.query.empty()) return Wrong("`query` is missing");
  return sql;
}

}  // namespace vitalake::serve
