#include "engine/row_buffer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <numeric>

#include "base/check.h"
#include "engine/cell_writer_internal.h"
#include "engine/clean_text_internal.h"
#include "engine/row_buffer_internal.h"

namespace vitalake::engine {
namespace {

constexpr size_t kBlockBytes = 256 << 10;

// Where long texts lie; they never move.
class TextHeap {
 public:
  const char* Keep(std::string_view text) {
    if (text.size() > kBlockBytes / 4) {
      large_.emplace_back(text);
      bytes_ += static_cast<int64_t>(text.size());
      return large_.back().data();
    }
    if (used_ + text.size() > kBlockBytes) NextBlock();
    char* at = blocks_[block_].get() + used_;
    std::memcpy(at, text.data(), text.size());
    used_ += text.size();
    bytes_ += static_cast<int64_t>(text.size());
    return at;
  }
  void Clear() {
    large_.clear();
    block_ = 0;
    used_ = blocks_.empty() ? kBlockBytes : 0;
    bytes_ = 0;
  }
  int64_t bytes() const { return bytes_; }

 private:
  void NextBlock() {
    if (!blocks_.empty()) ++block_;
    if (block_ == blocks_.size()) {
      blocks_.push_back(std::make_unique_for_overwrite<char[]>(kBlockBytes));
    }
    used_ = 0;
  }

  std::vector<std::unique_ptr<char[]>> blocks_;
  std::deque<std::string> large_;
  size_t block_ = 0;
  size_t used_ = kBlockBytes;
  int64_t bytes_ = 0;
};

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

// One column: its values side by side as DuckDB's vectors hold them, and which of them are null.
class RowBufferColumn {
 public:
  explicit RowBufferColumn(view::ColumnSpec spec) : spec(std::move(spec)) {}

  void Reserve(size_t rows) {
    values_.resize(rows * WidthOf(spec.type));
    nulls_.resize(rows, 1);
  }

  // `row` was never put before; rows that are not put are null.
  void Put(size_t row, const view::Cell& cell, TextHeap& heap, std::string& scratch) {
    nulls_[row] = 0;
    ++present_;
    switch (spec.type) {
      case view::ColumnType::kBoolean:
        return Set(row, cell.boolean);
      case view::ColumnType::kInteger:
      case view::ColumnType::kDate:
        return Set(row, static_cast<int32_t>(cell.integer));
      case view::ColumnType::kBigint:
      case view::ColumnType::kTimestamp:
        return Set(row, cell.integer);
      case view::ColumnType::kDouble:
        return Set(row, cell.number);
      case view::ColumnType::kVarchar:
        return SetText(row, CleanText(cell.text, scratch), heap);
    }
  }

  void Clear(size_t rows) {
    std::fill_n(nulls_.begin(), rows, uint8_t{1});
    present_ = 0;
    last_ = {};
  }

  bool IsNull(size_t row) const { return nulls_[row] != 0; }
  size_t present() const { return present_; }  // values that are not null
  template <class T>
  const T* values() const {
    return reinterpret_cast<const T*>(values_.data());
  }

  const view::ColumnSpec spec;

 private:
  template <class T>
  void Set(size_t row, const T& value) {
    reinterpret_cast<T*>(values_.data())[row] = value;
  }

  // Runs of one text share its bytes.
  void SetText(size_t row, std::string_view text, TextHeap& heap) {
    if (text.size() > 12 && TextOf(last_) == text) return Set(row, last_);
    last_ = {};
    last_.value.inlined.length = static_cast<uint32_t>(text.size());
    if (text.size() <= 12) {
      std::memcpy(last_.value.inlined.inlined, text.data(), text.size());
    } else {
      std::memcpy(last_.value.pointer.prefix, text.data(), 4);
      last_.value.pointer.ptr = const_cast<char*>(heap.Keep(text));  // only read from here on
    }
    Set(row, last_);
  }

  std::vector<std::byte> values_;
  std::vector<uint8_t> nulls_;
  size_t present_ = 0;
  duckdb_string_t last_{};  // the last text put
};

struct RowBuffer::Impl {
  std::shared_ptr<RowBuffers> known;
  int64_t id = 0;
  std::vector<RowBufferColumn> columns;
  std::vector<size_t> places;  // by cell: its column, or kNone
  TextHeap heap;
  std::string scratch;
  std::vector<uint32_t> order;  // of rows; empty: as appended
  int64_t rows = 0;
  size_t room = 0;  // rows the columns have place for

  static constexpr size_t kNone = SIZE_MAX;

  void Put(size_t cell, const view::Cell& value) {
    if (value.is_null || places[cell] == kNone) return;
    columns[places[cell]].Put(static_cast<size_t>(rows), value, heap, scratch);
  }
  void Grow() {
    room = std::max<size_t>(1024, room * 2);
    for (RowBufferColumn& column : columns) column.Reserve(room);
  }
};

namespace {

// <0, 0, >0; nulls last.
int Compare(const RowBufferColumn& column, uint32_t a, uint32_t b) {
  if (column.IsNull(a) || column.IsNull(b)) return column.IsNull(a) - column.IsNull(b);
  const auto order = [&]<class T>(const T* values) {
    return values[a] < values[b] ? -1 : values[b] < values[a] ? 1 : 0;
  };
  switch (column.spec.type) {
    case view::ColumnType::kBoolean:
      return order(column.values<bool>());
    case view::ColumnType::kInteger:
    case view::ColumnType::kDate:
      return order(column.values<int32_t>());
    case view::ColumnType::kBigint:
    case view::ColumnType::kTimestamp:
      return order(column.values<int64_t>());
    case view::ColumnType::kDouble:
      return order(column.values<double>());
    case view::ColumnType::kVarchar: {
      const auto* texts = column.values<duckdb_string_t>();
      return TextOf(texts[a]).compare(TextOf(texts[b]));
    }
  }
  return 0;
}

}  // namespace

RowBuffer::RowBuffer(Engine& engine, std::vector<view::ColumnSpec> columns, std::vector<bool> held)
    : impl_(std::make_unique<Impl>()) {
  held.resize(columns.size(), held.empty());
  for (size_t i = 0; i < columns.size(); ++i) {
    impl_->places.push_back(held[i] ? impl_->columns.size() : Impl::kNone);
    if (held[i]) impl_->columns.emplace_back(std::move(columns[i]));
  }
  impl_->known = engine.row_buffers();
  impl_->id = impl_->known->Add({&impl_->columns, &impl_->order, &impl_->rows});
}

RowBuffer::~RowBuffer() { impl_->known->Remove(impl_->id); }

void RowBuffer::Append(std::span<const view::Cell> row, std::span<const view::Cell> rest) {
  VL_CHECK(row.size() + rest.size() == impl_->places.size());
  if (static_cast<size_t>(impl_->rows) == impl_->room) impl_->Grow();
  for (size_t i = 0; i < row.size(); ++i) impl_->Put(i, row[i]);
  for (size_t i = 0; i < rest.size(); ++i) impl_->Put(row.size() + i, rest[i]);
  ++impl_->rows;
}

Status RowBuffer::SortBy(std::span<const std::string> columns) {
  std::vector<const RowBufferColumn*> keys;
  for (const std::string& name : columns) {
    const auto found = std::ranges::find_if(
        impl_->columns, [&](const RowBufferColumn& column) { return column.spec.name == name; });
    if (found == impl_->columns.end()) {
      return Fail(ErrorKind::kInvalidArgument,
                  fmt::format("rows cannot be sorted by {}: there is no such column", name));
    }
    keys.push_back(&*found);
  }
  impl_->order.resize(static_cast<size_t>(impl_->rows));
  std::iota(impl_->order.begin(), impl_->order.end(), 0u);
  std::ranges::stable_sort(impl_->order, [&](uint32_t a, uint32_t b) {
    for (const RowBufferColumn* key : keys) {
      if (const int order = Compare(*key, a, b); order != 0) return order < 0;
    }
    return false;
  });
  return {};
}

void RowBuffer::Clear() {
  for (RowBufferColumn& column : impl_->columns) column.Clear(static_cast<size_t>(impl_->rows));
  impl_->heap.Clear();
  impl_->order.clear();
  impl_->rows = 0;
}

int64_t RowBuffer::rows() const { return impl_->rows; }

int64_t RowBuffer::bytes() const {
  int64_t width = 0;
  for (const RowBufferColumn& column : impl_->columns) {
    width += static_cast<int64_t>(WidthOf(column.spec.type)) + 1;
  }
  return impl_->heap.bytes() + width * impl_->rows;
}

std::string RowBuffer::sql() const { return fmt::format("row_buffer({})", impl_->id); }

namespace {

// Rows `from` .. `from + count` in the buffer's order.
struct Slice {
  std::span<const uint32_t> order;  // empty: as appended
  size_t from = 0;
  size_t count = 0;
  size_t Row(size_t i) const { return order.empty() ? from + i : order[from + i]; }
};

template <class T>
void Gather(const RowBufferColumn& column, const Slice& slice, duckdb_vector out) {
  T* const into = static_cast<T*>(duckdb_vector_get_data(out));
  const T* const values = column.values<T>();
  for (size_t i = 0; i < slice.count; ++i) into[i] = values[slice.Row(i)];
}

void GatherNulls(const RowBufferColumn& column, const Slice& slice, duckdb_vector out) {
  duckdb_vector_ensure_validity_writable(out);
  uint64_t* const valid = duckdb_vector_get_validity(out);
  for (size_t i = 0; i < slice.count; ++i) {
    if (column.IsNull(slice.Row(i))) valid[i / 64] &= ~(uint64_t{1} << (i % 64));
  }
}

void GatherColumn(const RowBufferColumn& column, int64_t rows, const Slice& slice,
                  duckdb_vector out) {
  if (column.present() == 0) {
    OwnedValue null(duckdb_create_null_value());
    duckdb_vector_reference_value(out, null.get());
    return;
  }
  switch (WidthOf(column.spec.type)) {
    case 1:
      Gather<uint8_t>(column, slice, out);
      break;
    case 4:
      Gather<uint32_t>(column, slice, out);
      break;
    case 8:
      Gather<uint64_t>(column, slice, out);
      break;
    default:
      Gather<duckdb_string_t>(column, slice, out);
  }
  if (column.present() < static_cast<size_t>(rows)) GatherNulls(column, slice, out);
}

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
  const auto found = known->Find(duckdb_get_int64(argument.get()));
  if (!found) {
    duckdb_bind_set_error(info, "row_buffer: there is no buffer of that number");
    return;
  }
  for (const RowBufferColumn& column : *found->columns) {
    OwnedType type(duckdb_create_logical_type(NativeType(column.spec.type)));
    duckdb_bind_add_result_column(info, column.spec.name.c_str(), type.get());
  }
  duckdb_bind_set_cardinality(info, static_cast<idx_t>(*found->rows), true);
  duckdb_bind_set_bind_data(info, new RowBufferView(*found), DeleteAs<RowBufferView>);
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
  const auto& buffer = *static_cast<RowBufferView*>(duckdb_function_get_bind_data(info));
  auto& state = *static_cast<ScanState*>(duckdb_function_get_init_data(info));
  const size_t count =
      std::min<size_t>(duckdb_vector_size(), static_cast<size_t>(*buffer.rows) - state.next);
  if (count > 0) {
    for (size_t i = 0; i < state.columns.size(); ++i) {
      if (state.columns[i] >= buffer.columns->size()) continue;
      GatherColumn((*buffer.columns)[state.columns[i]], *buffer.rows,
                   {*buffer.order, state.next, count}, duckdb_data_chunk_get_vector(output, i));
    }
  }
  state.next += count;
  duckdb_data_chunk_set_size(output, count);
}

}  // namespace

int64_t RowBuffers::Add(const RowBufferView& buffer) {
  const std::lock_guard lock(mutex_);
  buffers_.emplace(++last_, buffer);
  return last_;
}

void RowBuffers::Remove(int64_t id) {
  const std::lock_guard lock(mutex_);
  buffers_.erase(id);
}

std::optional<RowBufferView> RowBuffers::Find(int64_t id) const {
  const std::lock_guard lock(mutex_);
  const auto found = buffers_.find(id);
  if (found == buffers_.end()) return std::nullopt;
  return found->second;
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
