#include "engine/parquet_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "base/random.h"
#include "engine/file_stats_internal.h"
#include "engine/parquet_sink_internal.h"

namespace vitalake::engine {
namespace fs = std::filesystem;
namespace {

// Takes the files of a failed write away again.
void RemoveMarked(const fs::path& folder, const std::string& mark) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().filename().string().find(mark) != std::string::npos) {
      fs::remove(entry.path(), error);
    }
  }
}

std::string SortedSql(const std::string& select_sql, const ParquetOptions& options) {
  if (options.sort_by.empty()) return select_sql;
  return fmt::format("SELECT * FROM ({}) ORDER BY {}", select_sql,
                     fmt::join(options.sort_by, ", "));
}

Result<std::vector<WrittenFile>> WriteToSink(Connection& connection, const std::string& select_sql,
                                             std::vector<ParquetColumn> columns,
                                             const fs::path& folder, const std::string& mark,
                                             const ParquetOptions& options, const Wait& wait) {
  ParquetSink sink(std::move(columns), folder, mark, options);
  connection.engine().parquet_sinks().Add(&sink);
  const auto copied = connection.Execute(
      fmt::format("COPY ({}) TO {} (FORMAT {}, USE_TMP_FILE false)", SortedSql(select_sql, options),
                  QuoteLiteral(sink.FilePath(0).string()), kSinkFormat),
      wait);
  connection.engine().parquet_sinks().Remove(&sink);
  if (!copied) return std::unexpected(copied.error());
  return sink.Finish();
}

std::string CopySql(const std::string& select_sql, const fs::path& folder, const std::string& mark,
                    const ParquetOptions& options) {
  const std::string source = SortedSql(select_sql, options);
  const bool rotate = options.max_rows_per_file > 0;
  const int64_t group_rows =
      rotate ? std::min(options.row_group_rows, options.max_rows_per_file) : options.row_group_rows;
  std::string format(kParquetFormat);
  if (!options.values_repeat) {
    constexpr std::string_view kDictionary = "DICTIONARY_SIZE_LIMIT 4096";
    format.replace(format.find(kDictionary), kDictionary.size(), "DICTIONARY_SIZE_LIMIT 1");
  }
  const fs::path target =
      rotate ? folder : folder / fmt::format("{}-0-{}.parquet", options.name_prefix, mark);
  std::string sql = fmt::format("COPY ({}) TO {} ({}, ROW_GROUP_SIZE {}, RETURN_STATS", source,
                                QuoteLiteral(target.string()), format, group_rows);
  if (rotate) {
    sql += fmt::format(", ROW_GROUPS_PER_FILE {}, OVERWRITE_OR_IGNORE, FILENAME_PATTERN {}",
                       options.max_rows_per_file / group_rows,
                       QuoteLiteral(fmt::format("{}-{{i}}-{}", options.name_prefix, mark)));
  } else {
    sql += ", USE_TMP_FILE false";
  }
  return sql + ")";
}

// Types of the wanted columns, as the file has them.
Result<std::vector<ResultColumn>> StatsColumns(Connection& connection, const fs::path& file,
                                               const std::vector<std::string>& names) {
  std::vector<ResultColumn> columns;
  if (names.empty()) return columns;
  VL_TRY(QueryResult none,
         connection.Query(fmt::format("SELECT * FROM read_parquet({}) LIMIT 0", QuotePath(file))));
  for (const std::string& name : names) {
    if (const auto place = none.Find(name)) columns.push_back(none.columns()[*place]);
  }
  return columns;
}

Result<std::vector<WrittenFile>> ReadCopyResult(QueryResult& result,
                                                std::vector<std::string>& statistics) {
  std::vector<WrittenFile> files;
  while (true) {
    VL_TRY(const bool more, result.Next());
    if (!more) return files;
    WrittenFile file;
    file.path = result.Text(0);
    file.rows = std::stoll(result.Text(1));
    file.size_bytes = std::stoll(result.Text(2));
    if (file.rows == 0) {
      std::error_code ignored;
      fs::remove(file.path, ignored);
      continue;
    }
    files.push_back(std::move(file));
    result.AppendJson(4, statistics.emplace_back());
  }
}

Result<std::vector<WrittenFile>> WriteByDuckDb(Connection& connection,
                                               const std::string& select_sql,
                                               const fs::path& folder, const std::string& mark,
                                               const ParquetOptions& options, const Wait& wait) {
  VL_TRY(QueryResult result,
         connection.Query(CopySql(select_sql, folder, mark, options), {}, wait));
  std::vector<std::string> statistics;
  VL_TRY(auto files, ReadCopyResult(result, statistics));
  if (files.empty()) return files;
  VL_TRY(const auto columns, StatsColumns(connection, files.front().path, options.stats_columns));
  JsonParser parser;
  for (size_t i = 0; i < files.size(); ++i) {
    VL_RETURN_IF_ERROR(CheckParquetFile(files[i].path, files[i].size_bytes));
    const auto tree = parser.Parse(statistics[i]);
    if (!tree) return Fail(ErrorKind::kInternal, "statistics of a file are no JSON");
    files[i].stats_json = DeltaStats(files[i].rows, SaidBounds(*tree, columns));
  }
  std::ranges::sort(files, {}, &WrittenFile::path);
  return files;
}

Result<std::vector<WrittenFile>> Write(Connection& connection, const std::string& select_sql,
                                       const fs::path& folder, const std::string& mark,
                                       const ParquetOptions& options, const Wait& wait) {
  std::vector<ParquetColumn> columns = options.columns;
  if (columns.empty()) {
    VL_TRY(columns, WritableColumns(connection, select_sql, wait));
  }
  if (columns.empty()) return WriteByDuckDb(connection, select_sql, folder, mark, options, wait);
  return WriteToSink(connection, select_sql, std::move(columns), folder, mark, options, wait);
}

}  // namespace

Result<std::vector<ParquetColumn>> WritableColumns(Connection& connection,
                                                   const std::string& select_sql,
                                                   const Wait& wait) {
  VL_TRY(QueryResult described, connection.Query("DESCRIBE " + select_sql, {}, wait));
  std::vector<ParquetColumn> columns;
  for (;;) {
    VL_TRY(const bool more, described.Next());
    if (!more) return columns;
    const auto type = WritableType(described.GetString(1));
    if (!type) return std::vector<ParquetColumn>();
    columns.push_back({std::string(described.GetString(0)), *type});
  }
}

Status CheckParquetFile(const fs::path& file, int64_t size_bytes) {
  const auto corrupt = [&](std::string_view what) {
    return Fail(ErrorKind::kCorrupt,
                fmt::format("{} is no whole Parquet file: {}", file.string(), what));
  };
  std::error_code error;
  const auto found = fs::file_size(file, error);
  if (error) {
    return Fail(
        error == std::errc::no_such_file_or_directory ? ErrorKind::kNotFound : ErrorKind::kIo,
        fmt::format("{}: {}", file.string(), error.message()));
  }
  if (static_cast<int64_t>(found) != size_bytes) {
    return corrupt(fmt::format("it has {} bytes, not {}", found, size_bytes));
  }
  if (found < 12) return corrupt("it is too short");
  std::ifstream in(file, std::ios::binary);
  char head[4];
  char tail[8];
  in.read(head, sizeof(head));
  in.seekg(-8, std::ios::end);
  in.read(tail, sizeof(tail));
  if (!in) return Fail(ErrorKind::kIo, file.string() + " cannot be read");
  if (std::memcmp(head, "PAR1", 4) != 0 || std::memcmp(tail + 4, "PAR1", 4) != 0) {
    return corrupt("its magic bytes are missing");
  }
  uint32_t footer = 0;
  std::memcpy(&footer, tail, 4);
  if (footer == 0 || footer + 12 > found) return corrupt("its footer does not fit");
  return {};
}

Result<std::vector<WrittenFile>> WriteParquet(Connection& connection, const std::string& select_sql,
                                              const fs::path& folder, const ParquetOptions& options,
                                              const Wait& wait) {
  if (options.row_group_rows <= 0 || options.max_rows_per_file < 0) {
    return Fail(ErrorKind::kInvalidArgument, "a Parquet file needs a positive number of rows");
  }
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    return Fail(ErrorKind::kIo, fmt::format("{}: {}", folder.string(), error.message()));
  }
  const std::string mark = SystemRandom().Uuid();
  auto files = Write(connection, select_sql, folder, mark, options, wait);
  if (!files) RemoveMarked(folder, mark);
  return files;
}

}  // namespace vitalake::engine
