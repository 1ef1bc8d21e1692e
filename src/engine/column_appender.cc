#include "engine/column_appender.h"

#include <fmt/format.h>

#include <vector>

#include "base/check.h"
#include "engine/cell_writer_internal.h"
#include "engine/clean_text_internal.h"

namespace vitalake::engine {
namespace {

constexpr int64_t kFlushBytes = 8 << 20;  // of text held by one appender

}  // namespace

duckdb_type NativeType(view::ColumnType type) {
  switch (type) {
    case view::ColumnType::kBoolean:
      return DUCKDB_TYPE_BOOLEAN;
    case view::ColumnType::kInteger:
      return DUCKDB_TYPE_INTEGER;
    case view::ColumnType::kBigint:
      return DUCKDB_TYPE_BIGINT;
    case view::ColumnType::kDouble:
      return DUCKDB_TYPE_DOUBLE;
    case view::ColumnType::kVarchar:
      return DUCKDB_TYPE_VARCHAR;
    case view::ColumnType::kDate:
      return DUCKDB_TYPE_DATE;
    case view::ColumnType::kTimestamp:
      return DUCKDB_TYPE_TIMESTAMP_TZ;
  }
  return DUCKDB_TYPE_INVALID;
}

std::string_view SqlType(view::ColumnType type) {
  switch (type) {
    case view::ColumnType::kBoolean:
      return "BOOLEAN";
    case view::ColumnType::kInteger:
      return "INTEGER";
    case view::ColumnType::kBigint:
      return "BIGINT";
    case view::ColumnType::kDouble:
      return "DOUBLE";
    case view::ColumnType::kVarchar:
      return "VARCHAR";
    case view::ColumnType::kDate:
      return "DATE";
    case view::ColumnType::kTimestamp:
      return "TIMESTAMP WITH TIME ZONE";
  }
  return "";
}

std::string CreateTableSql(std::string_view table, std::span<const view::ColumnSpec> columns) {
  std::string sql = fmt::format("CREATE TABLE {} (", table);
  for (size_t i = 0; i < columns.size(); ++i) {
    sql +=
        fmt::format("{}{} {}", i ? ", " : "", QuoteName(columns[i].name), SqlType(columns[i].type));
  }
  return sql + ")";
}

struct ColumnAppender::Impl {
  OwnedAppender appender;
  OwnedChunk chunk;
  std::vector<view::ColumnType> types;
  std::vector<CellWriter> writers;
  uint64_t capacity = 0;
  uint64_t used = 0;
  int64_t rows = 0;
  int64_t text_bytes = 0;  // since the last flush
  std::string clean;

  Error TakeError() {
    duckdb_error_data data = duckdb_appender_error_data(appender.get());
    const char* message = duckdb_error_data_message(data);
    Error error = ErrorFromDuckDb(message ? message : "rows could not be appended");
    duckdb_destroy_error_data(&data);
    return error;
  }

  void BeginChunk() {
    writers.clear();
    for (size_t i = 0; i < types.size(); ++i) {
      writers.emplace_back(types[i], duckdb_data_chunk_get_vector(chunk.get(), i));
    }
    used = 0;
  }

  Status HandOverChunk() {
    if (used == 0) return {};
    duckdb_data_chunk_set_size(chunk.get(), used);
    if (duckdb_append_data_chunk(appender.get(), chunk.get()) != DuckDBSuccess) {
      return std::unexpected(TakeError());
    }
    duckdb_data_chunk_reset(chunk.get());
    BeginChunk();
    if (text_bytes < kFlushBytes) return {};
    text_bytes = 0;
    if (duckdb_appender_flush(appender.get()) != DuckDBSuccess) return std::unexpected(TakeError());
    return {};
  }

  void Put(size_t column, const view::Cell& cell) {
    if (types[column] != view::ColumnType::kVarchar || cell.is_null) {
      writers[column].Put(used, cell);
      return;
    }
    text_bytes += static_cast<int64_t>(cell.text.size());
    view::Cell copy = cell;
    copy.text = CleanText(cell.text, clean);
    writers[column].Put(used, copy);
  }
};

ColumnAppender::ColumnAppender() : impl_(std::make_unique<Impl>()) {}
ColumnAppender::~ColumnAppender() {
  // DuckDB would flush what is left when the appender is destroyed; unclosed rows are not wanted.
  if (impl_ && impl_->appender) duckdb_appender_clear(impl_->appender.get());
}
ColumnAppender::ColumnAppender(ColumnAppender&&) noexcept = default;
ColumnAppender& ColumnAppender::operator=(ColumnAppender&&) noexcept = default;

Result<ColumnAppender> ColumnAppender::Make(Connection& connection, std::string_view table,
                                            std::span<const view::ColumnType> types) {
  ColumnAppender made;
  Impl& impl = *made.impl_;
  const size_t dot = table.rfind('.');
  const std::string schema(dot == table.npos ? std::string_view{} : table.substr(0, dot));
  const std::string name(dot == table.npos ? table : table.substr(dot + 1));
  if (duckdb_appender_create_ext(Native(connection), nullptr,
                                 schema.empty() ? nullptr : schema.c_str(), name.c_str(),
                                 impl.appender.out()) != DuckDBSuccess) {
    return Because({ErrorKind::kInvalidArgument, impl.TakeError().message, {}},
                   fmt::format("table {}", table));
  }
  const uint64_t columns = duckdb_appender_column_count(impl.appender.get());
  bool fits = columns == types.size();
  std::vector<OwnedType> owned;
  std::vector<duckdb_logical_type> native;
  for (uint64_t i = 0; fits && i < columns; ++i) {
    owned.emplace_back(duckdb_appender_column_type(impl.appender.get(), i));
    native.push_back(owned.back().get());
    fits = duckdb_get_type_id(native.back()) == NativeType(types[i]);
  }
  if (!fits) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("table {} does not have the columns to be appended", table));
  }
  impl.types.assign(types.begin(), types.end());
  impl.chunk = OwnedChunk(duckdb_create_data_chunk(native.data(), native.size()));
  impl.capacity = duckdb_vector_size();
  impl.BeginChunk();
  return made;
}

Status ColumnAppender::Append(std::span<const view::Cell> row, std::span<const view::Cell> rest) {
  VL_CHECK(row.size() + rest.size() == impl_->types.size());
  for (size_t i = 0; i < row.size(); ++i) impl_->Put(i, row[i]);
  for (size_t i = 0; i < rest.size(); ++i) impl_->Put(row.size() + i, rest[i]);
  ++impl_->rows;
  if (++impl_->used < impl_->capacity) return {};
  return impl_->HandOverChunk();
}

int64_t ColumnAppender::rows() const { return impl_->rows; }

Status ColumnAppender::Close() {
  VL_RETURN_IF_ERROR(impl_->HandOverChunk());
  if (duckdb_appender_close(impl_->appender.get()) != DuckDBSuccess) {
    return std::unexpected(impl_->TakeError());
  }
  impl_->appender.Reset();
  return {};
}

}  // namespace vitalake::engine
