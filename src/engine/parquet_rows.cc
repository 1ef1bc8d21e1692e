#include "engine/parquet_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

#include "engine/column_appender.h"
#include "engine/parquet_fields_internal.h"
#include "engine/parquet_source_internal.h"

namespace vitalake::engine {
namespace {

// The wanted values of one column in one row group.
struct WantedCells {
  std::vector<char> texts;  // what the cells point into; stays where it is when moved
  std::vector<view::Cell> cells;
};

view::Cell CellOf(std::string_view value, view::ColumnType type) {
  view::Cell cell;
  cell.is_null = false;
  switch (type) {
    case view::ColumnType::kBoolean:
      cell.boolean = value[0] != 0;
      break;
    case view::ColumnType::kDouble:
      std::memcpy(&cell.number, value.data(), sizeof(cell.number));
      break;
    case view::ColumnType::kVarchar:
      cell.text = value;
      break;
    default:
      if (value.size() == sizeof(int32_t)) {
        int32_t number = 0;
        std::memcpy(&number, value.data(), sizeof(number));
        cell.integer = number;
      } else {
        std::memcpy(&cell.integer, value.data(), sizeof(cell.integer));
      }
  }
  return cell;
}

WantedCells Gather(const ColumnChunk& chunk, std::span<const int64_t> rows, int64_t first_row,
                   view::ColumnType type) {
  WantedCells wanted;
  const bool text = type == view::ColumnType::kVarchar;
  size_t bytes = 0;
  for (const int64_t row : rows) {
    if (const auto value = chunk.At(row - first_row); value && text) bytes += value->size();
  }
  wanted.texts.reserve(bytes);  // never to grow
  wanted.cells.reserve(rows.size());
  for (const int64_t row : rows) {
    auto value = chunk.At(row - first_row);
    if (value && text) {
      const size_t at = wanted.texts.size();
      wanted.texts.insert(wanted.texts.end(), value->begin(), value->end());
      value = std::string_view(wanted.texts.data() + at, value->size());
    }
    wanted.cells.push_back(value ? CellOf(*value, type) : view::Cell{});
  }
  return wanted;
}

class RowReader {
 public:
  RowReader(ParquetSource source, std::span<const RowColumn> columns)
      : source_(std::move(source)), columns_(columns) {}

  Status CheckTypes() const {
    for (const RowColumn& column : columns_) {
      if (!source_.HasColumn(column.name)) continue;
      const ThriftValue* element = source_.FlatElement(column.name);
      if (!element || !HoldsType(*element, SqlType(column.type))) {
        return Fail(ErrorKind::kUnsupported,
                    fmt::format("column {} is no {}", column.name, SqlType(column.type)));
      }
    }
    return {};
  }

  template <class Row>
  Status Run(std::span<const int64_t> rows, const Row& row) {
    int64_t from = 0;
    for (const ThriftValue& row_group : source_.groups()) {
      const int64_t count = row_group.Int(group::kRows).value_or(0);
      const auto end = std::ranges::lower_bound(rows, from + count);
      const auto wanted = rows.first(static_cast<size_t>(end - rows.begin()));
      rows = rows.subspan(wanted.size());
      if (!wanted.empty()) VL_RETURN_IF_ERROR(ReadGroup(row_group, wanted, from, count, row));
      from += count;
    }
    if (!rows.empty()) return Fail(ErrorKind::kUnsupported, "a row that the file lacks");
    return {};
  }

 private:
  template <class Row>
  Status ReadGroup(const ThriftValue& row_group, std::span<const int64_t> rows, int64_t first_row,
                   int64_t count, const Row& row) {
    std::vector<WantedCells> by_column;
    for (const RowColumn& column : columns_) {
      VL_TRY(by_column.emplace_back(), ReadColumn(row_group, column, rows, first_row, count));
    }
    std::vector<view::Cell> cells(columns_.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      for (size_t c = 0; c < cells.size(); ++c) cells[c] = by_column[c].cells[i];
      VL_RETURN_IF_ERROR(row(rows[i], cells));
    }
    return {};
  }

  Result<WantedCells> ReadColumn(const ThriftValue& row_group, const RowColumn& column,
                                 std::span<const int64_t> rows, int64_t first_row, int64_t count) {
    if (!source_.HasColumn(column.name)) {
      return WantedCells{{}, std::vector<view::Cell>(rows.size())};
    }
    const ThriftValue* chunks = row_group.Find(group::kColumns);
    if (!chunks) return Fail(ErrorKind::kUnsupported, "a row group without columns");
    const auto chunk = std::ranges::find(chunks->items, column.name, ColumnOf);
    if (chunk == chunks->items.end()) {
      return Fail(ErrorKind::kUnsupported, fmt::format("a row group without {}", column.name));
    }
    VL_TRY(const ColumnChunk values, source_.Decode(*chunk, count, codec_));
    return Gather(values, rows, first_row, column.type);
  }

  ParquetSource source_;
  std::span<const RowColumn> columns_;
  PageCodec codec_;
};

std::optional<view::ColumnType> TypeOf(delta::TypeKind kind) {
  switch (kind) {
    case delta::TypeKind::kString:
      return view::ColumnType::kVarchar;
    case delta::TypeKind::kLong:
      return view::ColumnType::kBigint;
    case delta::TypeKind::kInteger:
      return view::ColumnType::kInteger;
    case delta::TypeKind::kDouble:
      return view::ColumnType::kDouble;
    case delta::TypeKind::kBoolean:
      return view::ColumnType::kBoolean;
    case delta::TypeKind::kDate:
      return view::ColumnType::kDate;
    case delta::TypeKind::kTimestamp:
      return view::ColumnType::kTimestamp;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<std::vector<RowColumn>> RowColumns(const delta::Schema& schema,
                                                 std::span<const std::string> names) {
  std::vector<RowColumn> columns;
  for (const std::string& name : names) {
    const delta::Field* field = schema.FindField(name);
    const auto type = field ? TypeOf(field->type.kind()) : std::nullopt;
    if (!type) return std::nullopt;
    columns.push_back({name, *type});
  }
  return columns;
}

std::vector<view::ColumnSpec> SpecsOf(std::span<const RowColumn> columns) {
  std::vector<view::ColumnSpec> specs;
  for (const RowColumn& column : columns) specs.push_back({column.name, column.type, {}, {}});
  return specs;
}

std::optional<std::vector<view::ColumnSpec>> CellColumns(const delta::Schema& schema) {
  std::vector<std::string> names;
  for (const delta::Field& field : schema.fields()) names.push_back(field.name);
  const auto columns = RowColumns(schema, names);
  return columns ? std::optional(SpecsOf(*columns)) : std::nullopt;
}

Status ReadParquetRows(
    const std::filesystem::path& file, std::span<const int64_t> rows,
    std::span<const RowColumn> columns,
    const std::function<Status(int64_t place, std::span<const view::Cell> cells)>& row) {
  VL_TRY(ParquetSource source, ParquetSource::Open(file));
  RowReader reader(std::move(source), columns);
  VL_RETURN_IF_ERROR(reader.CheckTypes());
  return reader.Run(rows, row);
}

Status ReadAllParquetRows(
    const std::filesystem::path& file, std::span<const RowColumn> columns,
    const std::function<Status(int64_t place, std::span<const view::Cell> cells)>& row) {
  VL_TRY(ParquetSource source, ParquetSource::Open(file));
  constexpr int64_t kMostRows = std::numeric_limits<uint32_t>::max();
  int64_t count = 0;
  for (const ThriftValue& row_group : source.groups()) {
    count += std::clamp<int64_t>(row_group.Int(group::kRows).value_or(0), 0, kMostRows + 1);
    if (count > kMostRows) {
      return Fail(ErrorKind::kUnsupported, fmt::format("more than {} rows", kMostRows));
    }
  }
  std::vector<int64_t> rows(static_cast<size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  RowReader reader(std::move(source), columns);
  VL_RETURN_IF_ERROR(reader.CheckTypes());
  return reader.Run(rows, row);
}

}  // namespace vitalake::engine
