#include "engine/result_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/json_writer.h"
#include "engine/parquet_files.h"
#include "engine/text_width.h"

namespace vitalake::engine {
namespace {

constexpr size_t kPieceBytes = 64 << 10;
// Half of DuckDB's own: the last groups, which few threads write, are shorter.
constexpr int64_t kRowGroupRows = 61'440;

// Gathers text and hands it on in pieces.
class Piece {
 public:
  explicit Piece(const TextSink& sink) : sink_(sink) {}
  std::string text;
  Status MayFlush() { return text.size() < kPieceBytes ? Status{} : Flush(); }
  Status Flush() {
    if (text.empty()) return {};
    VL_RETURN_IF_ERROR(sink_(text));
    text.clear();
    return {};
  }

 private:
  const TextSink& sink_;
};

void AppendCsvField(std::string_view field, std::string& out) {
  if (!field.empty() && field.find_first_of(",\"\r\n") == field.npos) {
    out += field;
    return;
  }
  out += '"';
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

// Moves to row `rows` (from 0) unless that is one too many.
Result<bool> NextOf(QueryResult& result, int64_t rows, const FormatOptions& options) {
  if (options.max_rows > 0 && rows == options.max_rows) return false;
  return result.Next();
}

Result<int64_t> WriteCsv(QueryResult& result, const TextSink& sink, const FormatOptions& options) {
  Piece piece(sink);
  for (size_t i = 0; i < result.columns().size(); ++i) {
    if (i) piece.text += ',';
    AppendCsvField(result.columns()[i].name, piece.text);
  }
  piece.text += '\n';
  std::string field;
  for (int64_t rows = 0;; ++rows) {
    VL_TRY(const bool more, NextOf(result, rows, options));
    if (!more) {
      VL_RETURN_IF_ERROR(piece.Flush());
      return rows;
    }
    for (size_t i = 0; i < result.columns().size(); ++i) {
      if (i) piece.text += ',';
      if (result.IsNull(i)) continue;
      field.clear();
      result.AppendText(i, field);
      AppendCsvField(field, piece.text);
    }
    piece.text += '\n';
    VL_RETURN_IF_ERROR(piece.MayFlush());
  }
}

void AppendObject(const QueryResult& result, const std::vector<std::string>& keys,
                  std::string& out) {
  out += '{';
  for (size_t i = 0; i < keys.size(); ++i) {
    if (i) out += ',';
    out += keys[i];
    result.AppendJson(i, out);
  }
  out += '}';
}

Result<int64_t> WriteObjects(QueryResult& result, bool as_array, const TextSink& sink,
                             const FormatOptions& options) {
  std::vector<std::string> keys;
  for (const ResultColumn& column : result.columns()) {
    AppendJsonString(keys.emplace_back(), column.name);
    keys.back() += ':';
  }
  Piece piece(sink);
  if (as_array) piece.text += '[';
  for (int64_t rows = 0;; ++rows) {
    VL_TRY(const bool more, NextOf(result, rows, options));
    if (!more) {
      if (as_array) piece.text += rows ? "\n]\n" : "]\n";
      VL_RETURN_IF_ERROR(piece.Flush());
      return rows;
    }
    if (as_array) piece.text += rows ? ",\n" : "\n";
    AppendObject(result, keys, piece.text);
    if (!as_array) piece.text += '\n';
    VL_RETURN_IF_ERROR(piece.MayFlush());
  }
}

bool IsNumeric(ValueKind kind) {
  return kind == ValueKind::kInteger || kind == ValueKind::kDouble || kind == ValueKind::kDecimal;
}

// A cell on one line: control characters as spaces, cut to `width`.
std::string TableCell(std::string text, size_t width) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 32 || c == 127) c = ' ';
  }
  return CutToWidth(text, width);
}

struct TableColumn {
  std::vector<std::string> cells;  // the name first
  size_t width = 0;
  bool right = false;

  void Add(std::string cell) {
    width = std::max(width, DisplayWidth(cell));
    cells.push_back(std::move(cell));
  }
  void Append(size_t row, bool last, std::string& out) const {
    const std::string& cell = cells[row];
    const std::string padding(width - DisplayWidth(cell), ' ');
    if (right) out += padding;
    out += cell;
    if (!right && !last) out += padding;
  }
};

Result<int64_t> WriteTable(QueryResult& result, const TextSink& sink,
                           const FormatOptions& options) {
  std::vector<TableColumn> columns(result.columns().size());
  for (size_t i = 0; i < columns.size(); ++i) {
    columns[i].right = IsNumeric(result.columns()[i].kind);
    columns[i].Add(TableCell(result.columns()[i].name, options.table_max_width));
  }
  int64_t rows = 0;
  int64_t shown = 0;
  while (true) {
    VL_TRY(const bool more, result.Next());
    if (!more) break;
    ++rows;
    if (options.table_max_rows > 0 && rows > options.table_max_rows) continue;
    ++shown;
    for (size_t i = 0; i < columns.size(); ++i) {
      columns[i].Add(TableCell(result.Text(i), options.table_max_width));
    }
  }
  Piece piece(sink);
  for (int64_t row = 0; row <= shown; ++row) {
    for (size_t i = 0; i < columns.size(); ++i) {
      if (i) piece.text += "  ";
      columns[i].Append(static_cast<size_t>(row), i + 1 == columns.size(), piece.text);
    }
    piece.text += '\n';
    for (size_t i = 0; row == 0 && i < columns.size(); ++i) {
      if (i) piece.text += "  ";
      piece.text.append(columns[i].width, '-');
    }
    if (row == 0) piece.text += '\n';
    VL_RETURN_IF_ERROR(piece.MayFlush());
  }
  const std::string_view unit = rows == 1 ? "row" : "rows";
  piece.text += shown == rows ? fmt::format("({} {})\n", rows, unit)
                              : fmt::format("({} {}, the first {} shown)\n", rows, unit, shown);
  VL_RETURN_IF_ERROR(piece.Flush());
  return rows;
}

}  // namespace

Result<ResultFormat> ParseResultFormat(std::string_view name) {
  if (name == "table") return ResultFormat::kTable;
  if (name == "csv") return ResultFormat::kCsv;
  if (name == "json") return ResultFormat::kJson;
  if (name == "ndjson") return ResultFormat::kNdjson;
  if (name == "parquet") return ResultFormat::kParquet;
  return Fail(ErrorKind::kInvalidArgument,
              fmt::format("unknown format \"{}\": table, csv, json, ndjson or parquet", name));
}

Result<int64_t> WriteResult(QueryResult& result, ResultFormat format, const TextSink& sink,
                            const FormatOptions& options) {
  switch (format) {
    case ResultFormat::kTable:
      return WriteTable(result, sink, options);
    case ResultFormat::kCsv:
      return WriteCsv(result, sink, options);
    case ResultFormat::kJson:
      return WriteObjects(result, true, sink, options);
    case ResultFormat::kNdjson:
      return WriteObjects(result, false, sink, options);
    case ResultFormat::kParquet:
      break;
  }
  return Fail(ErrorKind::kInvalidArgument, "Parquet goes to a file: name one with -o");
}

Result<int64_t> WriteParquetResult(Connection& connection, const std::string& select_sql,
                                   const std::filesystem::path& file, const Wait& wait,
                                   const std::vector<Parameter>& parameters) {
  VL_TRY(QueryResult copied,
         connection.Query(
             fmt::format("COPY ({}) TO {} ({}, ROW_GROUP_SIZE {}, USE_TMP_FILE false)", select_sql,
                         QuoteLiteral(file.string()), kParquetFormat, kRowGroupRows),
             parameters, wait));
  VL_TRY(const bool told, copied.Next());
  return told ? copied.GetInt64(0) : 0;
}

}  // namespace vitalake::engine
