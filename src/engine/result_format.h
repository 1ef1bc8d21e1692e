// Writing a result for people and programs: aligned table, CSV, JSON, NDJSON; Parquet by COPY.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "engine/engine.h"

namespace vitalake::engine {

enum class ResultFormat { kTable, kCsv, kJson, kNdjson, kParquet };

// "table", "csv", "json", "ndjson", "parquet"; kInvalidArgument names the choices.
Result<ResultFormat> ParseResultFormat(std::string_view name);

struct FormatOptions {
  size_t table_max_width = 60;  // characters a cell of a table may have before it is cut with "…"
  int64_t table_max_rows = 0;   // rows a table shows before it only counts; 0: all
  // Most rows of CSV, JSON and NDJSON; 0: all. What Next() says then tells whether there are more.
  int64_t max_rows = 0;
};

// Takes the next piece of the output; an error ends the writing.
using TextSink = std::function<Status(std::string_view piece)>;

// Writes all rows of `result`; returns how many. CSV: RFC 4180 with a header line and LF line ends,
// NULL an empty field, an empty string "". JSON: one array of objects. NDJSON: an object a line.
// Table: columns aligned by display width, numbers to the right, NULL as an empty cell, a last line
// "(n rows)". kTable holds all rows in memory; the others stream. kParquet is kInvalidArgument
// here.
Result<int64_t> WriteResult(QueryResult& result, ResultFormat format, const TextSink& sink,
                            const FormatOptions& options = {});

// Runs `select_sql` and writes the rows as one zstd Parquet file; returns how many.
Result<int64_t> WriteParquetResult(Connection& connection, const std::string& select_sql,
                                   const std::filesystem::path& file, const Wait& wait = {},
                                   const std::vector<Parameter>& parameters = {});

}  // namespace vitalake::engine
