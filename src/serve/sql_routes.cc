#include "serve/sql_routes.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "base/json_writer.h"
#include "engine/result_format.h"
#include "serve/http_problem.h"
#include "serve/sql_request.h"

namespace vitalake::serve {
namespace {

constexpr int64_t kSqlBodyBytes = 1 << 20;
constexpr int64_t kUsualRows = 10'000;
constexpr size_t kAnswerBytes = 64 << 20;
constexpr std::chrono::seconds kSqlPatience{40};  // past the statement's own time

// `detail` of a kLimit error that stands for an answer too large, not for a want of memory.
constexpr std::string_view kTooLarge =
    "The answer is larger than 64 MiB: ask for fewer rows (`limit`) or columns";

std::string_view WithoutEnd(std::string_view statement) {
  const size_t last = statement.find_last_not_of("; \t\r\n");
  return statement.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

// {"columns":[...],"rows":[[...],...],"row_count":n,"truncated":false}
Result<std::string> JsonAnswer(engine::QueryResult& result, int64_t most) {
  JsonWriter head;
  head.BeginObject().Key("columns").BeginArray();
  for (const engine::ResultColumn& column : result.columns()) {
    head.BeginObject().Key("name").String(column.name).Key("type").String(column.type).EndObject();
  }
  std::string text = head.EndArray().Take() + ",\n\"rows\":[";
  int64_t rows = 0;
  bool more = false;
  while (true) {
    VL_TRY(more, result.Next());
    if (!more || rows == most) break;
    text += rows++ == 0 ? "[" : ",\n[";
    for (size_t i = 0; i < result.columns().size(); ++i) {
      if (i > 0) text += ',';
      result.AppendJson(i, text);
    }
    text += ']';
    if (text.size() > kAnswerBytes) return Fail(ErrorKind::kLimit, std::string(kTooLarge));
  }
  text += fmt::format("],\n\"row_count\":{},\"truncated\":{}}}\n", rows, more);
  return text;
}

Response AnswerOf(engine::ResultFormat format, std::string body) {
  return {200,
          std::string(MediaTypeOf(format)) +
              (format == engine::ResultFormat::kParquet ? "" : "; charset=utf-8"),
          std::move(body),
          {{"Cache-Control", "no-store"}}};
}

Result<Response> TextAnswer(engine::SqlSession& session, const SqlRequest& sql, const Wait& wait) {
  VL_TRY(engine::QueryResult result, session.Query(sql.query, sql.parameters, wait));
  const int64_t most = sql.limit.value_or(kUsualRows);
  if (sql.format == engine::ResultFormat::kJson) {
    VL_TRY(std::string body, JsonAnswer(result, most));
    return AnswerOf(sql.format, std::move(body));
  }
  std::string body;
  const auto gather = [&body](std::string_view piece) -> Status {
    body += piece;
    if (body.size() > kAnswerBytes) return Fail(ErrorKind::kLimit, std::string(kTooLarge));
    return {};
  };
  VL_TRY(const int64_t rows, engine::WriteResult(result, sql.format, gather, {.max_rows = most}));
  bool more = false;
  if (rows == most) {
    VL_TRY(more, result.Next());
  }
  Response response = AnswerOf(sql.format, std::move(body));
  if (more) response.headers.emplace_back("Vitalake-Truncated", "true");
  return response;
}

Result<Response> ParquetAnswer(lake::Lake& lake, engine::SqlSession& session, const SqlRequest& sql,
                               const Wait& wait) {
  VL_TRY(const auto folder, lake.MakeWorkFolder("sql"));
  const std::filesystem::path file = folder.path() / "answer.parquet";
  std::string statement(WithoutEnd(sql.query));
  if (sql.limit) {
    statement = fmt::format("SELECT * FROM ({}\n) LIMIT {}", statement, *sql.limit);
  }
  VL_TRY([[maybe_unused]] const int64_t rows,
         session.QueryToParquet(statement, file, wait, sql.parameters));
  std::error_code failed;
  if (std::filesystem::file_size(file, failed) > kAnswerBytes && !failed) {
    return Fail(ErrorKind::kLimit, std::string(kTooLarge));
  }
  std::ostringstream body;
  body << std::ifstream(file, std::ios::binary).rdbuf();
  return AnswerOf(sql.format, std::move(body).str());
}

void AnswerSql(QueryDesk& desk, const Request& request, const Reply& reply) {
  const std::string path = request.path;
  if (!SendsJson(request)) {
    return reply(ProblemResponse({415,
                                  "Send application/json: {\"query\":\"SELECT ...\"}",
                                  path,
                                  {{"Accept-Post", "application/json"}}}));
  }
  auto sql = ReadSqlRequest(request);
  if (!sql) return reply(ErrorResponse(sql.error(), path));
  desk.Run(path, reply,
           [&desk, path, sql = std::move(*sql)](engine::SqlSession& session,
                                                const Wait& wait) -> Result<Response> {
             auto answer = sql.format == engine::ResultFormat::kParquet
                               ? ParquetAnswer(desk.lake(), session, sql, wait)
                               : TextAnswer(session, sql, wait);
             if (answer) return answer;
             if (answer.error().message == kTooLarge) {
               return ProblemResponse({413, std::string(kTooLarge), path});
             }
             // A version that is not there is a fault of the statement: the path was found.
             if (answer.error().kind == ErrorKind::kNotFound) {
               answer.error().kind = ErrorKind::kInvalidArgument;
             }
             return answer;
           });
}

}  // namespace

void AddSqlRoutes(Routes& routes, QueryDesk& desk) {
  Route route = MakeRoute(
      "POST", "/sql", "One SELECT over the tables and views of the lake",
      [&desk](const Request& request, const Reply& reply) { AnswerSql(desk, request, reply); });
  route.takes = {"application/json"};
  route.gives = {"application/json", "application/x-ndjson", "text/csv",
                 "application/vnd.apache.parquet"};
  route.max_body = kSqlBodyBytes;
  route.patience = kSqlPatience;
  routes.Add(std::move(route));
}

}  // namespace vitalake::serve
