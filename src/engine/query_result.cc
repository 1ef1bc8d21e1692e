#include <fmt/format.h>

#include "base/check.h"
#include "engine/query_result_internal.h"

namespace vitalake::engine {
namespace {

ValueKind KindOf(duckdb_type id) {
  switch (id) {
    case DUCKDB_TYPE_BOOLEAN:
      return ValueKind::kBoolean;
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
      return ValueKind::kInteger;
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
      return ValueKind::kDouble;
    case DUCKDB_TYPE_VARCHAR:
    case DUCKDB_TYPE_BLOB:
      return ValueKind::kString;
    case DUCKDB_TYPE_DATE:
      return ValueKind::kDate;
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return ValueKind::kTimestamp;
    case DUCKDB_TYPE_DECIMAL:
      return ValueKind::kDecimal;
    default:
      return ValueKind::kOther;
  }
}

}  // namespace

Status QueryResult::Impl::DescribeColumns() {
  const uint64_t count = duckdb_column_count(&result);
  types.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    OwnedType type(duckdb_column_logical_type(&result, i));
    types.push_back(TypeInfo::Of(type.get()));
    columns.push_back({duckdb_column_name(&result, i), KindOf(types[i].id), types[i].sql});
    public_types.push_back(types[i].Public());
    if (std::string name = types[i].Unshowable(); !name.empty()) {
      return Fail(ErrorKind::kUnsupported,
                  fmt::format("column {} has type {}, which has no text here: cast it to VARCHAR",
                              columns[i].name, name));
    }
  }
  return {};
}

// A statement that is left before its end would go on behind its reader's back, and only the next
// one would wait for it.
QueryResult::Impl::~Impl() {
  if (running && statement == connection->statements) {
    OwnedPrepared nothing;
    duckdb_interrupt(connection->handle.get());
    duckdb_prepare(connection->handle.get(), "", nothing.out());  // waits for what ran
  }
  duckdb_destroy_result(&result);
}

Result<bool> QueryResult::Impl::FetchChunk() {
  constexpr std::string_view kReading = "reading a query's rows";
  SystemClock clock;
  VL_RETURN_IF_ERROR(wait.Check(clock, kReading));
  {
    const StatementWatch watch(*connection->watcher, connection->handle.get(), wait);
    chunk = OwnedChunk(duckdb_fetch_chunk(result));
  }
  row = 0;
  chunk_size = chunk ? duckdb_data_chunk_get_size(chunk.get()) : 0;
  if (chunk_size == 0) {
    running = false;
    const char* error = duckdb_result_error(&result);
    if (!error || !*error) return false;
    VL_RETURN_IF_ERROR(wait.Check(clock, kReading));
    return std::unexpected(ErrorFromDuckDb(error));
  }
  views.clear();
  for (uint64_t i = 0; i < types.size(); ++i) {
    views.emplace_back(types[i], duckdb_data_chunk_get_vector(chunk.get(), i));
  }
  return true;
}

QueryResult::QueryResult() : impl_(std::make_unique<Impl>()) {}
QueryResult::~QueryResult() = default;
QueryResult::QueryResult(QueryResult&&) noexcept = default;
QueryResult& QueryResult::operator=(QueryResult&&) noexcept = default;

const std::vector<ResultColumn>& QueryResult::columns() const { return impl_->columns; }

const std::vector<ResultType>& QueryResult::types() const { return impl_->public_types; }

ResultCell QueryResult::Cell(size_t column) const {
  const VectorView& view = impl_->views[column];
  return {view.type, view.vector, view.data, view.validity, impl_->row};
}

std::optional<size_t> QueryResult::Find(std::string_view name) const {
  for (size_t i = 0; i < impl_->columns.size(); ++i) {
    if (impl_->columns[i].name == name) return i;
  }
  return std::nullopt;
}

void QueryResult::SetWait(const Wait& wait) { impl_->wait = wait; }

Result<bool> QueryResult::Next() {
  if (impl_->row + 1 < impl_->chunk_size) {
    ++impl_->row;
    return true;
  }
  return impl_->FetchChunk();
}

bool QueryResult::IsNull(size_t column) const {
  return impl_->types[column].id == DUCKDB_TYPE_SQLNULL || impl_->views[column].IsNull(impl_->row);
}

bool QueryResult::GetBool(size_t column) const {
  VL_CHECK(impl_->columns[column].kind == ValueKind::kBoolean);
  return !IsNull(column) && impl_->views[column].At<bool>(impl_->row);
}

int64_t QueryResult::GetInt64(size_t column) const {
  const ValueKind kind = impl_->columns[column].kind;
  VL_CHECK(kind == ValueKind::kInteger || kind == ValueKind::kDate ||
           kind == ValueKind::kTimestamp);
  return IsNull(column) ? 0 : impl_->views[column].Integer(impl_->row);
}

double QueryResult::GetDouble(size_t column) const {
  const ValueKind kind = impl_->columns[column].kind;
  VL_CHECK(kind == ValueKind::kDouble || kind == ValueKind::kDecimal);
  return IsNull(column) ? 0 : impl_->views[column].Number(impl_->row);
}

std::string_view QueryResult::GetString(size_t column) const {
  VL_CHECK(impl_->columns[column].kind == ValueKind::kString);
  return IsNull(column) ? std::string_view{} : impl_->views[column].String(impl_->row);
}

std::string QueryResult::Text(size_t column) const {
  std::string out;
  AppendText(column, out);
  return out;
}

void QueryResult::AppendText(size_t column, std::string& out) const {
  AppendCellText(impl_->views[column], impl_->row, out);
}

void QueryResult::AppendJson(size_t column, std::string& out) const {
  AppendCellJson(impl_->views[column], impl_->row, out);
}

}  // namespace vitalake::engine
