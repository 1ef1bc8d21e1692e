#include "engine/row_buffer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <type_traits>

#include "base/check.h"
#include "base/page_arena.h"
#include "engine/cell_writer_internal.h"
#include "engine/clean_text_internal.h"
#include "engine/row_buffer_internal.h"

namespace vitalake::engine {
namespace {

// Rows whose values lie together, a column after the other.
constexpr size_t kChunkRows = 256;
// Keeps the columns' places in a chunk from falling on the same lines of the processor's cache.
constexpr size_t kColumnGap = 64;

size_t WidthOf(view::ColumnType type) {
  switch (type) {
    case view::ColumnType::kBoolean:
      return sizeof(bool);
    case view::ColumnType::kInteger:
    case view::ColumnType::kDate:
      return sizeof(int32_t);
    case view::ColumnType::kBigint:
    case view::ColumnType::kTimestamp:
      return sizeof(int64_t);
    case view::ColumnType::kDouble:
      return sizeof(double);
    case view::ColumnType::kVarchar:
      return sizeof(duckdb_string_t);
  }
  return 0;
}

std::string_view TextOf(const duckdb_string_t& value) {
  const uint32_t size = value.value.inlined.length;
  return {size <= 12 ? value.value.inlined.inlined : value.value.pointer.ptr, size};
}

}  // namespace

// One column: its values side by side, chunk by chunk, as DuckDB's vectors hold them; those of
// nulls mean nothing.
class RowBufferColumn {
 public:
  // `place`: of its values in a chunk.
  RowBufferColumn(view::ColumnSpec spec, size_t place) : spec(std::move(spec)), place_(place) {}

  // Where its values in a chunk end.
  size_t end() const { return place_ + kChunkRows * WidthOf(spec.type); }

  template <class T>
  const T& Value(const std::vector<char*>& chunks, size_t row) const {
    return reinterpret_cast<const T*>(chunks[row / kChunkRows] + place_)[row % kChunkRows];
  }

  // `texts` null: texts are borrowed.
  void Put(char* chunk, size_t row, const view::Cell& cell, PageArena* texts,
           std::string& scratch) {
    ++present_;
    switch (spec.type) {
      case view::ColumnType::kBoolean:
        return Set(chunk, row, cell.boolean);
      case view::ColumnType::kInteger:
      case view::ColumnType::kDate:
        return Set(chunk, row, static_cast<int32_t>(cell.integer));
      case view::ColumnType::kBigint:
      case view::ColumnType::kTimestamp:
        return Set(chunk, row, cell.integer);
      case view::ColumnType::kDouble:
        return Set(chunk, row, cell.number);
      case view::ColumnType::kVarchar:
        return Set(chunk, row, TextValue(cell.text, texts, scratch));
    }
  }

  void Clear() {
    present_ = 0;
    last_ = {};
    text_bytes_ = 0;
  }

  size_t present() const { return present_; }  // values that are not null
  int64_t text_bytes() const { return text_bytes_; }

  const view::ColumnSpec spec;

 private:
  template <class T>
  void Set(char* chunk, size_t row, const T& value) {
    reinterpret_cast<T*>(chunk + place_)[row % kChunkRows] = value;
  }

  // Runs of one text share its bytes.
  const duckdb_string_t& TextValue(std::string_view text, PageArena* texts, std::string& scratch) {
    if (text.size() > 12 && TextOf(last_) == text) return last_;
    if (texts != nullptr) text = CleanText(text, scratch);
    last_ = {};
    last_.value.inlined.length = static_cast<uint32_t>(text.size());
    if (text.size() <= 12) {
      std::memcpy(last_.value.inlined.inlined, text.data(), text.size());
    } else {
      const char* kept = text.data();
      if (texts != nullptr) {
        char* const copy = texts->Allocate(text.size());
        std::memcpy(copy, text.data(), text.size());
        kept = copy;
      }
      std::memcpy(last_.value.pointer.prefix, text.data(), 4);
      last_.value.pointer.ptr = const_cast<char*>(kept);  // DuckDB only reads it
      text_bytes_ += static_cast<int64_t>(text.size());
    }
    return last_;
  }

  size_t place_;
  size_t present_ = 0;
  int64_t text_bytes_ = 0;
  duckdb_string_t last_{};  // the last text put
};

struct RowBufferData {
  std::vector<RowBufferColumn> columns;
  std::vector<char*> chunks;  // memory of kChunkRows rows each, for those there are and later ones
  // Row by row, a bit per column: whether it has a value. Together, so that adding a row touches
  // few places in memory.
  std::vector<uint64_t> present;
  size_t words = 0;             // of `present` per row
  std::vector<uint32_t> order;  // of rows; empty: as appended
  size_t rows = 0;

  bool IsNull(size_t row, size_t column) const {
    return !(present[row * words + column / 64] >> (column % 64) & 1);
  }
  size_t RowAt(size_t place) const { return order.empty() ? place : order[place]; }
};

struct RowBuffer::Impl {
  // One that is kept, of the cells of a row.
  struct Held {
    size_t cell;
    size_t column;
  };

  std::shared_ptr<RowBuffers> known;
  int64_t id = 0;
  RowBufferData data;
  std::vector<Held> held;
  size_t cells = 0;
  size_t chunk_bytes = 0;
  PageArena values;  // the chunks
  PageArena texts;
  bool borrows = false;
  std::string scratch;

  // The chunk of the next row.
  char* Chunk() {
    const size_t chunk = data.rows / kChunkRows;
    if (chunk == data.chunks.size()) data.chunks.push_back(values.Allocate(chunk_bytes, 64));
    return data.chunks[chunk];
  }
};

namespace {

// <0, 0, >0; nulls last.
int Compare(const RowBufferData& data, size_t key, uint32_t a, uint32_t b) {
  const bool no_a = data.IsNull(a, key), no_b = data.IsNull(b, key);
  if (no_a || no_b) return no_a - no_b;
  const RowBufferColumn& column = data.columns[key];
  const auto order = [&]<class T>(std::type_identity<T>) {
    const T& left = column.Value<T>(data.chunks, a);
    const T& right = column.Value<T>(data.chunks, b);
    return left < right ? -1 : right < left ? 1 : 0;
  };
  switch (column.spec.type) {
    case view::ColumnType::kBoolean:
      return order(std::type_identity<bool>());
    case view::ColumnType::kInteger:
    case view::ColumnType::kDate:
      return order(std::type_identity<int32_t>());
    case view::ColumnType::kBigint:
    case view::ColumnType::kTimestamp:
      return order(std::type_identity<int64_t>());
    case view::ColumnType::kDouble:
      return order(std::type_identity<double>());
    case view::ColumnType::kVarchar:
      return TextOf(column.Value<duckdb_string_t>(data.chunks, a))
          .compare(TextOf(column.Value<duckdb_string_t>(data.chunks, b)));
  }
  return 0;
}

}  // namespace

RowBuffer::RowBuffer(Engine& engine, std::vector<view::ColumnSpec> columns, std::vector<bool> held,
                     Texts texts)
    : impl_(std::make_unique<Impl>()) {
  impl_->borrows = texts == Texts::kBorrowed;
  impl_->cells = columns.size();
  held.resize(columns.size(), held.empty());
  for (size_t i = 0; i < columns.size(); ++i) {
    if (!held[i]) continue;
    impl_->held.push_back({i, impl_->data.columns.size()});
    impl_->data.columns.emplace_back(std::move(columns[i]), impl_->chunk_bytes);
    impl_->chunk_bytes = impl_->data.columns.back().end() + kColumnGap;
  }
  impl_->data.words = (impl_->data.columns.size() + 63) / 64;
  impl_->known = engine.row_buffers();
  impl_->id = impl_->known->Add(&impl_->data);
}

RowBuffer::~RowBuffer() { impl_->known->Remove(impl_->id); }

void RowBuffer::Append(std::span<const view::Cell> row, std::span<const view::Cell> rest) {
  Impl& impl = *impl_;
  VL_CHECK(row.size() + rest.size() == impl.cells && impl.data.order.empty());
  impl.data.present.resize((impl.data.rows + 1) * impl.data.words);
  uint64_t* const present = impl.data.present.data() + impl.data.rows * impl.data.words;
  char* const chunk = impl.Chunk();
  PageArena* const texts = impl.borrows ? nullptr : &impl.texts;
  for (const Impl::Held& held : impl.held) {
    const view::Cell& cell = held.cell < row.size() ? row[held.cell] : rest[held.cell - row.size()];
    if (cell.is_null) continue;
    present[held.column / 64] |= uint64_t{1} << (held.column % 64);
    impl.data.columns[held.column].Put(chunk, impl.data.rows, cell, texts, impl.scratch);
  }
  ++impl.data.rows;
}

Status RowBuffer::SortBy(std::span<const std::string> columns) {
  RowBufferData& data = impl_->data;
  std::vector<size_t> keys;
  for (const std::string& name : columns) {
    const auto found = std::ranges::find_if(
        data.columns, [&](const RowBufferColumn& column) { return column.spec.name == name; });
    if (found == data.columns.end()) {
      return Fail(ErrorKind::kInvalidArgument,
                  fmt::format("rows cannot be sorted by {}: there is no such column", name));
    }
    keys.push_back(static_cast<size_t>(found - data.columns.begin()));
  }
  data.order.resize(data.rows);
  std::iota(data.order.begin(), data.order.end(), 0u);
  std::ranges::stable_sort(data.order, [&](uint32_t a, uint32_t b) {
    for (const size_t key : keys) {
      if (const int order = Compare(data, key, a, b); order != 0) return order < 0;
    }
    return false;
  });
  return {};
}

void RowBuffer::Clear() {
  for (RowBufferColumn& column : impl_->data.columns) column.Clear();
  impl_->texts.Clear();
  impl_->data.present.clear();
  impl_->data.order.clear();
  impl_->data.rows = 0;
}

int64_t RowBuffer::rows() const { return static_cast<int64_t>(impl_->data.rows); }

int64_t RowBuffer::bytes() const {
  const auto rows = static_cast<int64_t>(impl_->data.rows);
  int64_t bytes = rows * static_cast<int64_t>(impl_->data.words * sizeof(uint64_t));
  for (const RowBufferColumn& column : impl_->data.columns) {
    bytes += rows * static_cast<int64_t>(WidthOf(column.spec.type)) + column.text_bytes();
  }
  return bytes;
}

std::string RowBuffer::sql() const { return fmt::format("row_buffer({})", impl_->id); }

namespace {

// The rows `from` .. `from + count` of a column, in the buffer's order.
struct Slice {
  const RowBufferData& data;
  size_t column;
  size_t from;
  size_t count;
};

template <class T>
void Gather(const Slice& slice, duckdb_vector out) {
  T* const into = static_cast<T*>(duckdb_vector_get_data(out));
  const RowBufferColumn& column = slice.data.columns[slice.column];
  for (size_t i = 0; i < slice.count; ++i) {
    into[i] = column.Value<T>(slice.data.chunks, slice.data.RowAt(slice.from + i));
  }
  if (column.present() == slice.data.rows) return;
  duckdb_vector_ensure_validity_writable(out);
  uint64_t* const valid = duckdb_vector_get_validity(out);
  for (size_t i = 0; i < slice.count; ++i) {
    if (!slice.data.IsNull(slice.data.RowAt(slice.from + i), slice.column)) continue;
    into[i] = T{};  // may hold what an earlier row left
    valid[i / 64] &= ~(uint64_t{1} << (i % 64));
  }
}

void GatherColumn(const Slice& slice, duckdb_vector out) {
  const RowBufferColumn& column = slice.data.columns[slice.column];
  if (column.present() == 0) {
    OwnedValue null(duckdb_create_null_value());
    duckdb_vector_reference_value(out, null.get());
    return;
  }
  switch (WidthOf(column.spec.type)) {
    case 1:
      Gather<uint8_t>(slice, out);
      break;
    case 4:
      Gather<uint32_t>(slice, out);
      break;
    case 8:
      Gather<uint64_t>(slice, out);
      break;
    default:
      Gather<duckdb_string_t>(slice, out);
  }
}

struct Binding {
  const RowBufferData* data;
};

struct ScanState {
  std::vector<size_t> columns;  // of the buffer, by output column; the buffer's count: none
  size_t next = 0;
};

template <class T>
void DeleteAs(void* pointer) {
  delete static_cast<T*>(pointer);
}

void Bind(duckdb_bind_info info) {
  auto& known = *static_cast<std::shared_ptr<RowBuffers>*>(duckdb_bind_get_extra_info(info));
  OwnedValue argument(duckdb_bind_get_parameter(info, 0));
  const RowBufferData* const data = known->Find(duckdb_get_int64(argument.get()));
  if (data == nullptr) {
    duckdb_bind_set_error(info, "row_buffer: there is no buffer of that number");
    return;
  }
  for (const RowBufferColumn& column : data->columns) {
    OwnedType type(duckdb_create_logical_type(NativeType(column.spec.type)));
    duckdb_bind_add_result_column(info, column.spec.name.c_str(), type.get());
  }
  duckdb_bind_set_cardinality(info, data->rows, false);  // it may be filled again
  duckdb_bind_set_bind_data(info, new Binding{data}, DeleteAs<Binding>);
}

void Init(duckdb_init_info info) {
  auto state = std::make_unique<ScanState>();
  for (uint64_t i = 0; i < duckdb_init_get_column_count(info); ++i) {
    state->columns.push_back(duckdb_init_get_column_index(info, i));
  }
  duckdb_init_set_max_threads(info, 1);
  duckdb_init_set_init_data(info, state.release(), DeleteAs<ScanState>);
}

void Scan(duckdb_function_info info, duckdb_data_chunk output) {
  const auto& data = *static_cast<Binding*>(duckdb_function_get_bind_data(info))->data;
  auto& state = *static_cast<ScanState*>(duckdb_function_get_init_data(info));
  const size_t count = std::min<size_t>(duckdb_vector_size(), data.rows - state.next);
  for (size_t i = 0; i < state.columns.size() && count > 0; ++i) {
    if (state.columns[i] >= data.columns.size()) continue;
    GatherColumn({data, state.columns[i], state.next, count},
                 duckdb_data_chunk_get_vector(output, i));
  }
  state.next += count;
  duckdb_data_chunk_set_size(output, count);
}

}  // namespace

int64_t RowBuffers::Add(const RowBufferData* buffer) {
  const std::lock_guard lock(mutex_);
  buffers_.emplace(++last_, buffer);
  return last_;
}

void RowBuffers::Remove(int64_t id) {
  const std::lock_guard lock(mutex_);
  buffers_.erase(id);
}

const RowBufferData* RowBuffers::Find(int64_t id) const {
  const std::lock_guard lock(mutex_);
  const auto found = buffers_.find(id);
  return found == buffers_.end() ? nullptr : found->second;
}

Status RegisterRowBuffers(Connection& connection, std::shared_ptr<RowBuffers> buffers) {
  OwnedTableFunction function(duckdb_create_table_function());
  OwnedType number(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT));
  duckdb_table_function_set_name(function.get(), "row_buffer");
  duckdb_table_function_add_parameter(function.get(), number.get());
  duckdb_table_function_set_extra_info(function.get(),
                                       new std::shared_ptr<RowBuffers>(std::move(buffers)),
                                       DeleteAs<std::shared_ptr<RowBuffers>>);
  duckdb_table_function_set_bind(function.get(), Bind);
  duckdb_table_function_set_init(function.get(), Init);
  duckdb_table_function_set_function(function.get(), Scan);
  duckdb_table_function_supports_projection_pushdown(function.get(), true);
  if (duckdb_register_table_function(Native(connection), function.get()) != DuckDBSuccess) {
    return Fail(ErrorKind::kInternal, "row_buffer cannot be registered");
  }
  return {};
}

}  // namespace vitalake::engine
