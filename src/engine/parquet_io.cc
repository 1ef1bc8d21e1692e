#include "engine/parquet_io.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_writer.h"
#include "engine/checkpoint_schema_internal.h"
#include "engine/column_appender.h"
#include "engine/parquet_files.h"

namespace vitalake::engine {
namespace fs = std::filesystem;
namespace {

// What DuckDB says of a file that is no whole Parquet file takes many forms; what is left when the
// outside causes are taken away is the file's own fault.
Error AsCorrupt(Error error, const fs::path& file) {
  const bool of_the_file = error.kind == ErrorKind::kInvalidArgument ||
                           error.kind == ErrorKind::kInternal ||
                           (error.kind == ErrorKind::kIo &&
                            error.message.find("Input/output error") == std::string::npos);
  if (of_the_file) error.kind = ErrorKind::kCorrupt;
  error.context.push_back(file.string());
  return error;
}

std::string ReadSql(const fs::path& file, std::string_view select) {
  return fmt::format("SELECT {} FROM read_parquet({}, hive_partitioning = false)", select,
                     QuotePath(file));
}

// The columns of the file that are wanted, quoted.
Result<std::vector<std::string>> ColumnsThere(Connection& connection, const fs::path& file,
                                              const std::vector<std::string>& wanted) {
  VL_TRY(QueryResult none, connection.Query(ReadSql(file, "*") + " LIMIT 0"));
  std::vector<std::string> there;
  for (const std::string& name : wanted) {
    if (none.Find(name)) there.push_back(name);
  }
  return there;
}

Result<int64_t> RowsSaid(Connection& connection, const fs::path& file) {
  return connection.ScalarInt(
      fmt::format("SELECT num_rows FROM parquet_file_metadata({})", QuotePath(file)));
}

void WriteRow(const QueryResult& result, std::string& json) {
  json = "{";
  for (size_t i = 0; i < result.columns().size(); ++i) {
    if (result.IsNull(i)) continue;
    if (json.size() > 1) json += ',';
    AppendJsonString(json, result.columns()[i].name);
    json += ':';
    result.AppendJson(i, json);
  }
  json += '}';
}

std::string TypedActionsSql(std::string_view table) {
  std::string sql = "SELECT ";
  std::string structure = "{";
  for (const CheckpointColumn& column : kCheckpointColumns) {
    std::string inner(column.structure);
    if (const size_t at = inner.find("$DV"); at != inner.npos) {
      inner.replace(at, 3, kDeletionVectorStructure);
    }
    const bool first = structure.size() == 1;
    structure += fmt::format("{}\"{}\":{}", first ? "" : ",", column.name, inner);
    sql += fmt::format("{}a.\"{}\"", first ? "" : ", ", column.name);
  }
  return fmt::format("{} FROM (SELECT json_transform(line, {}) AS a FROM {})", sql,
                     QuoteLiteral(structure + "}"), table);
}

constexpr std::string_view kLines = "checkpoint_lines";

Status AppendLines(Connection& connection, const std::function<Result<std::string_view>()>& next) {
  VL_TRY([[maybe_unused]] auto made,
         connection.Execute(fmt::format("CREATE TEMP TABLE {} (line VARCHAR)", kLines)));
  const view::ColumnType types[] = {view::ColumnType::kVarchar};
  VL_TRY(ColumnAppender appender, ColumnAppender::Make(connection, kLines, types));
  view::Cell cell;
  cell.is_null = false;
  while (true) {
    VL_TRY(cell.text, next());
    if (cell.text.empty()) return appender.Close();
    VL_RETURN_IF_ERROR(appender.Append({&cell, 1}));
  }
}

}  // namespace

Status EngineParquetIo::ReadActions(const fs::path& file, const std::vector<std::string>& columns,
                                    const std::function<Status(std::string_view json)>& action) {
  VL_TRY(Connection connection, engine_.Connect());
  auto there = ColumnsThere(connection, file, columns);
  if (!there) return std::unexpected(AsCorrupt(std::move(there.error()), file));
  if (there->empty()) return {};
  for (std::string& name : *there) name = QuoteName(name);
  auto rows_said = RowsSaid(connection, file);
  if (!rows_said) return std::unexpected(AsCorrupt(std::move(rows_said.error()), file));
  auto result = connection.Stream(ReadSql(file, fmt::format("{}", fmt::join(*there, ", "))));
  if (!result) return std::unexpected(AsCorrupt(std::move(result.error()), file));
  std::string json;
  int64_t rows = 0;
  while (true) {
    const auto more = result->Next();
    if (!more) return std::unexpected(AsCorrupt(more.error(), file));
    if (!*more) break;
    ++rows;
    WriteRow(*result, json);
    VL_RETURN_IF_ERROR(action(json));
  }
  if (rows == *rows_said) return {};
  return Fail(ErrorKind::kCorrupt, fmt::format("{} gave {} rows and has {} by its footer",
                                               file.string(), rows, *rows_said));
}

Result<int64_t> EngineParquetIo::WriteCheckpoint(
    const fs::path& file, const std::function<Result<std::string_view>()>& next) {
  VL_TRY(Connection connection, engine_.Connect());
  VL_RETURN_IF_ERROR(AppendLines(connection, next));
  const auto copied = connection.Execute(fmt::format("COPY ({}) TO {} ({}, USE_TMP_FILE false)",
                                                     TypedActionsSql(kLines),
                                                     QuoteLiteral(file.string()), kParquetFormat));
  std::error_code error;
  if (!copied) {
    fs::remove(file, error);
    return std::unexpected(copied.error());
  }
  const auto size = fs::file_size(file, error);
  if (error) return Fail(ErrorKind::kIo, fmt::format("{}: {}", file.string(), error.message()));
  VL_RETURN_IF_ERROR(CheckParquetFile(file, static_cast<int64_t>(size)));
  return static_cast<int64_t>(size);
}

}  // namespace vitalake::engine
