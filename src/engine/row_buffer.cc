#include "engine/row_buffer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <compare>
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

// Rows of a column whose values lie together.
constexpr size_t kChunkRows = 256;
// Keeps the columns' chunks from falling on the same lines of the processor's cache.
constexpr size_t kChunkGap = 64;
// Rows ahead of the one that is read for which memory is asked: rows in another order than they
// came in are all over the memory.
constexpr size_t kReadAhead = 16;

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

}  // namespace

// One column: its values chunk by chunk, as DuckDB's vectors hold them; those of nulls mean
// nothing. Only chunks with a value have memory.
class RowBufferColumn {
 public:
  explicit RowBufferColumn(view::ColumnSpec spec) : spec(std::move(spec)) {}

  // Of a row that has a value here.
  template <class T>
  const T& Value(size_t row) const {
    return reinterpret_cast<const T*>(chunks_[row / kChunkRows])[row % kChunkRows];
  }
  // Asks for the memory of a row's value; any row.
  template <class T>
  void Prefetch(size_t row) const {
    const size_t chunk = row / kChunkRows;
    if (chunk < chunks_.size() && chunks_[chunk] != nullptr) __builtin_prefetch(&Value<T>(row));
  }

  // `texts` null: texts are borrowed.
  void Put(size_t row, const view::Cell& cell, PageArena& values, PageArena* texts,
           std::string& scratch) {
    switch (spec.type) {
      case view::ColumnType::kBoolean:
        return Set(row, cell.boolean, values);
      case view::ColumnType::kInteger:
      case view::ColumnType::kDate:
        return Set(row, static_cast<int32_t>(cell.integer), values);
      case view::ColumnType::kBigint:
      case view::ColumnType::kTimestamp:
        return Set(row, cell.integer, values);
      case view::ColumnType::kDouble:
        return Set(row, cell.number, values);
      case view::ColumnType::kVarchar:
        return Set(row, TextValue(cell.text, texts, scratch), values);
    }
  }

  void Clear() {
    chunks_.clear();
    present_ = 0;
    runs_ = 0;
    last_ = {};
    bytes_ = 0;
  }

  size_t present() const { return present_; }  // values that are not null
  // Whether all of its values are one text.
  bool is_one_text() const { return spec.type == view::ColumnType::kVarchar && runs_ == 1; }
  std::string_view last_text() const { return TextOf(last_); }
  int64_t bytes() const { return bytes_; }  // of memory taken

  const view::ColumnSpec spec;

 private:
  template <class T>
  void Set(size_t row, const T& value, PageArena& values) {
    const size_t chunk = row / kChunkRows;
    if (chunk >= chunks_.size()) chunks_.resize(chunk + 1);
    if (chunks_[chunk] == nullptr) {
      constexpr size_t kBytes = kChunkRows * sizeof(T) + kChunkGap;
      chunks_[chunk] = values.Allocate(kBytes, 64);
      bytes_ += static_cast<int64_t>(kBytes);
    }
    reinterpret_cast<T*>(chunks_[chunk])[row % kChunkRows] = value;
    ++present_;
  }

  // Runs of one text share its bytes.
  const duckdb_string_t& TextValue(std::string_view text, PageArena* texts, std::string& scratch) {
    if (runs_ > 0 && TextOf(last_) == text) return last_;
    if (texts != nullptr) text = CleanText(text, scratch);
    ++runs_;
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
      bytes_ += static_cast<int64_t>(text.size());
    }
    return last_;
  }

  std::vector<char*> chunks_;  // null: no value yet
  size_t present_ = 0;
  size_t runs_ = 0;  // of one text each
  int64_t bytes_ = 0;
  duckdb_string_t last_{};  // the last text put
};

struct RowBufferData {
  std::vector<RowBufferColumn> columns;
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
  PageArena values;  // the columns' chunks
  PageArena texts;
  bool borrows = false;
  std::string scratch;
};

namespace {

// <0, 0, >0; nulls last.
int Compare(const RowBufferData& data, size_t key, uint32_t a, uint32_t b) {
  const bool no_a = data.IsNull(a, key), no_b = data.IsNull(b, key);
  if (no_a || no_b) return no_a - no_b;
  const RowBufferColumn& column = data.columns[key];
  const auto order = [&]<class T>(std::type_identity<T>) {
    const T& left = column.Value<T>(a);
    const T& right = column.Value<T>(b);
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
      return TextOf(column.Value<duckdb_string_t>(a))
          .compare(TextOf(column.Value<duckdb_string_t>(b)));
  }
  return 0;
}

// Orders as Compare does, as far as it goes: rows with the same beginning may still differ.
struct KeyBegin {
  bool null = false;
  uint64_t high = 0, low = 0;
  auto operator<=>(const KeyBegin&) const = default;
};

KeyBegin BeginOf(const RowBufferData& data, size_t key, uint32_t row) {
  const RowBufferColumn& column = data.columns[key];
  if (data.IsNull(row, key)) return {.null = true};
  if (column.spec.type != view::ColumnType::kVarchar) return {};
  const std::string_view text = TextOf(column.Value<duckdb_string_t>(row));
  std::array<unsigned char, 16> bytes{};
  std::memcpy(bytes.data(), text.data(), std::min(text.size(), bytes.size()));
  const auto word = [&](size_t at) {
    uint64_t value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return __builtin_bswap64(value);  // so that numbers compare as texts do
  };
  return {.high = word(0), .low = word(8)};
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
    impl_->data.columns.emplace_back(std::move(columns[i]));
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
  PageArena* const texts = impl.borrows ? nullptr : &impl.texts;
  for (const Impl::Held& held : impl.held) {
    const view::Cell& cell = held.cell < row.size() ? row[held.cell] : rest[held.cell - row.size()];
    if (cell.is_null) continue;
    present[held.column / 64] |= uint64_t{1} << (held.column % 64);
    impl.data.columns[held.column].Put(impl.data.rows, cell, impl.values, texts, impl.scratch);
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
  if (keys.empty()) return {};
  // Most rows differ in the beginning of their first key, which lies at hand.
  struct Entry {
    KeyBegin begin;
    uint32_t row;
  };
  std::vector<Entry> entries(data.rows);
  for (uint32_t row = 0; row < data.rows; ++row) {
    entries[row] = {BeginOf(data, keys.front(), row), row};
  }
  std::ranges::sort(entries, [&](const Entry& a, const Entry& b) {
    if (a.begin != b.begin) return a.begin < b.begin;
    for (const size_t key : keys) {
      if (const int order = Compare(data, key, a.row, b.row); order != 0) return order < 0;
    }
    return a.row < b.row;
  });
  std::ranges::transform(entries, data.order.begin(), &Entry::row);
  return {};
}

void RowBuffer::Clear() {
  for (RowBufferColumn& column : impl_->data.columns) column.Clear();
  impl_->values.Clear();
  impl_->texts.Clear();
  impl_->data.present.clear();
  impl_->data.order.clear();
  impl_->data.rows = 0;
}

void RowBuffer::Shrink() {
  Clear();
  impl_->values.Shrink();
  impl_->texts.Shrink();
}

int64_t RowBuffer::rows() const { return static_cast<int64_t>(impl_->data.rows); }

int64_t RowBuffer::bytes() const {
  const auto rows = static_cast<int64_t>(impl_->data.rows);
  int64_t bytes = rows * static_cast<int64_t>(impl_->data.words * sizeof(uint64_t));
  for (const RowBufferColumn& column : impl_->data.columns) bytes += column.bytes();
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
  const RowBufferData& data = slice.data;
  const RowBufferColumn& column = data.columns[slice.column];
  const size_t end = slice.from + slice.count;
  const auto read_ahead = [&](size_t place) {
    if (!data.order.empty() && place + kReadAhead < end) {
      column.Prefetch<T>(data.order[place + kReadAhead]);
    }
  };
  if (column.present() == data.rows) {
    for (size_t place = slice.from; place < end; ++place) {
      read_ahead(place);
      into[place - slice.from] = column.Value<T>(data.RowAt(place));
    }
    return;
  }
  duckdb_vector_ensure_validity_writable(out);
  uint64_t* const valid = duckdb_vector_get_validity(out);
  for (size_t i = 0; i < slice.count; ++i) {
    read_ahead(slice.from + i);
    const size_t row = data.RowAt(slice.from + i);
    if (data.IsNull(row, slice.column)) {
      into[i] = T{};
      valid[i / 64] &= ~(uint64_t{1} << (i % 64));
    } else {
      into[i] = column.Value<T>(row);
    }
  }
}

void GatherColumn(const Slice& slice, duckdb_vector out) {
  const RowBufferColumn& column = slice.data.columns[slice.column];
  if (column.present() == 0) {
    OwnedValue null(duckdb_create_null_value());
    duckdb_vector_reference_value(out, null.get());
    return;
  }
  if (column.present() == slice.data.rows && column.is_one_text()) {
    const std::string_view text = column.last_text();
    OwnedValue value(duckdb_create_varchar_length(text.data(), text.size()));
    duckdb_vector_reference_value(out, value.get());
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
