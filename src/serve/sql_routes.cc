#include "serve/sql_routes.h"

#include <fmt/format.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/json_writer.h"
#include "engine/result_format.h"
#include "ingest/pause.h"
#include "serve/http/fields.h"
#include "serve/http/problem.h"
#include "serve/sql_answer.h"
#include "serve/sql_request.h"

namespace vitalake::serve {
namespace {

constexpr int64_t kSqlBodyBytes = 1 << 20;
constexpr int64_t kUsualRows = 10'000;
constexpr std::chrono::seconds kSqlPatience{40};  // past the statement's own time
// How often the size of a file in the making is looked at.
constexpr std::chrono::milliseconds kLookAtFile{50};

std::string_view WithoutEnd(std::string_view statement) {
  const size_t last = statement.find_last_not_of("; \t\r\n");
  return statement.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

// Gathers rows as text, and gives them on in pieces of this size.
constexpr size_t kTextBytes = 64 << 10;

// {"columns":[...],"rows":[[...],...],"row_count":n,"truncated":false}
Status WriteJson(engine::QueryResult& result, int64_t most, const engine::TextSink& sink) {
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
    if (text.size() < kTextBytes) continue;
    VL_RETURN_IF_ERROR(sink(text));
    text.clear();
  }
  return sink(text + fmt::format("],\n\"row_count\":{},\"truncated\":{}}}\n", rows, more));
}

Result<SqlAnswer::Rows> WriteRows(engine::QueryResult& result, engine::ResultFormat format,
                                  int64_t most, const engine::TextSink& sink) {
  if (format == engine::ResultFormat::kJson) {  // which says itself whether there are more
    VL_RETURN_IF_ERROR(WriteJson(result, most, sink));
    return SqlAnswer::Rows::kAll;
  }
  VL_TRY(const int64_t rows, engine::WriteResult(result, format, sink, {.max_rows = most}));
  if (rows < most) return SqlAnswer::Rows::kAll;
  VL_TRY(const bool more, result.Next());
  return more ? SqlAnswer::Rows::kSome : SqlAnswer::Rows::kAll;
}

Status AnswerText(const SqlRequest& sql, QueryTurn& turn, SqlAnswer& answer) {
  VL_TRY(engine::QueryResult result, turn.session().Query(sql.query, sql.parameters, turn.wait()));
  const auto sink = [&](std::string_view piece) -> Status {
    VL_RETURN_IF_ERROR(answer.Write(piece));
    result.SetWait(turn.wait());
    return {};
  };
  VL_TRY(const SqlAnswer::Rows rows,
         WriteRows(result, sql.format, sql.limit.value_or(kUsualRows), sink));
  return answer.End(rows);
}

// The bytes of a file, piece by piece.
Status AnswerFile(const std::filesystem::path& path, SqlAnswer& answer) {
  answer.EndStatement();
  std::ifstream file(path, std::ios::binary);
  std::string piece(kTextBytes, '\0');
  while (file) {
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    VL_RETURN_IF_ERROR(
        answer.Write(std::string_view(piece).substr(0, static_cast<size_t>(file.gcount()))));
  }
  if (!file.eof()) return Fail(ErrorKind::kIo, fmt::format("cannot read {}", path.string()));
  return answer.End(SqlAnswer::Rows::kAll);
}

// Ends the wait of a statement whose file grows past a bound.
class FileBound {
 public:
  FileBound(const std::filesystem::path& file, int64_t most_bytes, const Wait& wait)
      : file_(file),
        most_bytes_(most_bytes),
        until_(wait.until),
        when_stopped_(wait.stop, [this] { stop_.request_stop(); }),
        looking_([this](const std::stop_token& ended) { Look(ended); }) {}

  Wait wait() const { return {until_, stop_.get_token()}; }
  // Also of a file that is gone with its statement.
  bool was_exceeded() const { return exceeded_ || IsExceeded(); }

 private:
  bool IsExceeded() const {
    std::error_code none_yet;
    const uintmax_t bytes = std::filesystem::file_size(file_, none_yet);
    return !none_yet && bytes > static_cast<uintmax_t>(most_bytes_);
  }
  void Look(const std::stop_token& ended) {
    while (!ended.stop_requested() && !stop_.stop_requested()) {
      if (IsExceeded()) {
        exceeded_ = true;
        stop_.request_stop();
      }
      ingest::PauseUntilStop(ended, kLookAtFile);
    }
  }

  const std::filesystem::path file_;
  const int64_t most_bytes_;
  const std::chrono::nanoseconds until_;
  std::atomic<bool> exceeded_ = false;
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> when_stopped_;
  std::jthread looking_;
};

Status AnswerParquet(QueryDesk& desk, const SqlRequest& sql, const SqlLimits& limits,
                     QueryTurn& turn, const Reply& reply, SqlAnswer& answer) {
  VL_TRY(const auto folder, desk.lake().MakeWorkFolder("sql"));
  const std::filesystem::path file = folder.path() / "answer.parquet";
  std::string statement(WithoutEnd(sql.query));
  if (sql.limit) {
    statement = fmt::format("SELECT * FROM ({}\n) LIMIT {}", statement, *sql.limit);
  }
  const FileBound bound(file, limits.parquet_bytes, turn.wait());
  const auto rows = turn.session().QueryToParquet(statement, file, bound.wait(), sql.parameters);
  if (bound.was_exceeded()) {
    reply(ProblemResponse(
        {413,
         fmt::format("The file is larger than {} bytes: ask for fewer rows (`limit`) or columns",
                     limits.parquet_bytes),
         "/sql"}));
    return {};
  }
  if (!rows) return std::unexpected(rows.error());
  return AnswerFile(file, answer);
}

// Compressed columns gain nothing by another coding.
AnswerCoding CodingOf(const Request& request, engine::ResultFormat format) {
  const std::string* const accepted = request.Header("accept-encoding");
  const bool gzip =
      accepted != nullptr && TakesGzip(*accepted) && format != engine::ResultFormat::kParquet;
  return gzip ? AnswerCoding::kGzip : AnswerCoding::kIdentity;
}

void AnswerSql(QueryDesk& desk, const SqlLimits& limits, const Request& request,
               const Reply& reply) {
  const std::string path = request.path;
  if (!SendsJson(request)) {
    return reply(ProblemResponse({415,
                                  "Send application/json: {\"query\":\"SELECT ...\"}",
                                  path,
                                  {{"Accept-Post", "application/json"}}}));
  }
  auto sql = ReadSqlRequest(request);
  if (!sql) return reply(ErrorResponse(sql.error(), path));
  const AnswerCoding coding = CodingOf(request, sql->format);
  desk.RunTelling(path, reply,
                  [&desk, limits, reply, coding, sql = std::move(*sql)](QueryTurn& turn) -> Status {
                    const bool parquet = sql.format == engine::ResultFormat::kParquet;
                    SqlAnswer answer(
                        reply, turn,
                        std::string(MediaTypeOf(sql.format)) + (parquet ? "" : "; charset=utf-8"),
                        coding);
                    Status done = parquet ? AnswerParquet(desk, sql, limits, turn, reply, answer)
                                          : AnswerText(sql, turn, answer);
                    // A version that is not there is a fault of the statement: the path was found.
                    if (!done && done.error().kind == ErrorKind::kNotFound) {
                      done.error().kind = ErrorKind::kInvalidArgument;
                    }
                    return done;
                  });
}

}  // namespace

void AddSqlRoutes(Routes& routes, QueryDesk& desk, const SqlLimits& limits) {
  Route route = MakeRoute("POST", "/sql", "One SELECT over the tables and views of the lake",
                          [&desk, limits](const Request& request, const Reply& reply) {
                            AnswerSql(desk, limits, request, reply);
                          });
  route.takes = {"application/json"};
  route.gives = {"application/json", "application/x-ndjson", "text/csv",
                 "application/vnd.apache.parquet"};
  route.body = shape::Object({{"query", shape::Text()},
                              {"parameters?", shape::List(shape::Anything())},
                              {"format?", shape::TextOf({"json", "ndjson", "csv", "parquet"})},
                              {"limit?", shape::Whole()}});
  const shape::Shape column = shape::Object({{"name", shape::Text()}, {"type", shape::Text()}});
  route.answer = shape::Object({{"columns", shape::List(column)},
                                {"rows", shape::List(shape::List(shape::Anything()))},
                                {"row_count", shape::Whole()},
                                {"truncated", shape::Flag()}});
  route.max_body = kSqlBodyBytes;
  route.patience = kSqlPatience;
  routes.Add(std::move(route));
}

}  // namespace vitalake::serve
