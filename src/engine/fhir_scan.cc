// How a scan runs:
//  1. bind: expand the paths, compile the view, tell DuckDB the columns.
//  2. init, once: which columns are used; the list of files.
//  3. each thread: take the next block of the current file (opening the next file when it ends),
//     split it into records, parse each, run the view, write the rows into DuckDB's vectors.
#include "engine/fhir_scan.h"

#include <fmt/format.h>

#include <atomic>
#include <deque>
#include <fstream>
#include <iterator>
#include <optional>

#include "engine/cell_writer_internal.h"
#include "engine/column_appender.h"
#include "engine/fhir_run_internal.h"
#include "engine/path_pattern.h"
#include "view/view.h"

namespace vitalake::engine {
namespace {

struct GlobalState {
  explicit GlobalState(const FhirInput& input) : source(input) {}
  FhirBlocks source;
  std::vector<size_t> columns;  // view column of each output column; view's count: none
  std::vector<bool> needed;
};

// Rows that did not fit into a chunk, with copies of their text.
struct HeldRow {
  std::vector<view::Cell> cells;
  std::vector<std::string> texts;
};

// One thread's part of a scan.
class Worker {
 public:
  Worker(const FhirInput& input, GlobalState& global)
      : input_(input),
        global_(global),
        run_(input, global.source, global.needed),
        on_row_([this](std::span<const view::Cell> row) { TakeRow(row); }) {}

  // Fills one chunk; an empty one when nothing is left.
  Status Fill(duckdb_data_chunk chunk) {
    writers_.clear();
    for (size_t i = 0; i < global_.columns.size(); ++i) {
      const size_t column = global_.columns[i];
      if (column >= input_.view->columns().size()) continue;
      writers_.push_back({column, CellWriter(input_.view->columns()[column].type,
                                             duckdb_data_chunk_get_vector(chunk, i))});
    }
    rows_ = 0;
    while (rows_ < capacity_ && !held_.empty()) {
      Put(held_.front().cells);
      held_.pop_front();
    }
    while (rows_ < capacity_) {
      VL_TRY(const bool more, run_.Next(on_row_));
      if (!more) break;
    }
    duckdb_data_chunk_set_size(chunk, rows_);
    return {};
  }

 private:
  struct Writer {
    size_t column;
    CellWriter cells;
  };

  void TakeRow(std::span<const view::Cell> row) {
    if (rows_ < capacity_) {
      Put(row);
    } else {
      Hold(row);
    }
  }

  void Put(std::span<const view::Cell> row) {
    for (Writer& writer : writers_) writer.cells.Put(rows_, row[writer.column]);
    ++rows_;
  }

  void Hold(std::span<const view::Cell> row) {
    HeldRow& held = held_.emplace_back();
    held.cells.assign(row.begin(), row.end());
    held.texts.reserve(row.size());  // so that no text moves
    for (view::Cell& cell : held.cells) {
      if (!cell.is_null && cell.text.data()) cell.text = held.texts.emplace_back(cell.text);
    }
  }

  const FhirInput& input_;
  GlobalState& global_;
  FhirRun run_;
  view::RowCallback on_row_;
  std::deque<HeldRow> held_;
  std::vector<Writer> writers_;
  uint64_t rows_ = 0;
  const uint64_t capacity_ = duckdb_vector_size();
};

template <class T>
void DeleteAs(void* pointer) {
  delete static_cast<T*>(pointer);
}

using SharedOptions = std::shared_ptr<const FhirScanOptions>;

std::string TextOf(duckdb_value value) { return TakeText(duckdb_get_varchar(value)); }

Result<std::vector<std::string>> FilesOf(duckdb_value argument) {
  if (duckdb_is_null_value(argument)) {
    return Fail(ErrorKind::kInvalidArgument, "read_fhir wants a path or a list of paths");
  }
  const duckdb_type type = duckdb_get_type_id(duckdb_get_value_type(argument));
  std::vector<std::string> patterns;
  if (type == DUCKDB_TYPE_LIST) {
    for (uint64_t i = 0; i < duckdb_get_list_size(argument); ++i) {
      OwnedValue item(duckdb_get_list_child(argument, i));
      patterns.push_back(TextOf(item.get()));
    }
  } else {
    patterns.push_back(TextOf(argument));
  }
  std::vector<std::string> files;
  for (const std::string& pattern : patterns) {
    VL_TRY(auto found, ExpandPaths(pattern));
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

Result<std::string> ViewText(const std::string& view, const FhirScanOptions& options) {
  if (view.find_first_not_of(" \t\r\n") != view.npos &&
      view[view.find_first_not_of(" \t\r\n")] == '{') {
    return view;
  }
  if (options.view_by_name) {
    auto text = options.view_by_name(view);
    if (text || text.error().kind != ErrorKind::kNotFound) return text;
  }
  std::ifstream in(view, std::ios::binary);
  if (!in) {
    return Fail(ErrorKind::kNotFound,
                fmt::format("No such file or directory: the view \"{}\" is neither a known name, a "
                            "readable file nor a ViewDefinition's text",
                            view));
  }
  return std::string(std::istreambuf_iterator<char>(in), {});
}

Result<std::unique_ptr<FhirInput>> MakeBinding(duckdb_bind_info info,
                                               const SharedOptions& options) {
  auto binding = std::make_unique<FhirInput>();
  binding->options = options;
  OwnedValue path(duckdb_bind_get_parameter(info, 0));
  OwnedValue view(duckdb_bind_get_named_parameter(info, "view"));
  if (!view) {
    return Fail(ErrorKind::kInvalidArgument,
                "read_fhir needs a view: read_fhir(path, view := ...)");
  }
  VL_TRY(binding->files, FilesOf(path.get()));
  VL_TRY(const std::string text, ViewText(TextOf(view.get()), *options));
  VL_TRY(binding->view, view::View::Compile(text));
  return binding;
}

void Bind(duckdb_bind_info info) {
  auto binding = MakeBinding(info, *static_cast<SharedOptions*>(duckdb_bind_get_extra_info(info)));
  if (!binding) {
    duckdb_bind_set_error(info, binding.error().ToString().c_str());
    return;
  }
  for (const view::ColumnSpec& column : (*binding)->view->columns()) {
    OwnedType type(duckdb_create_logical_type(NativeType(column.type)));
    duckdb_bind_add_result_column(info, column.name.c_str(), type.get());
  }
  duckdb_bind_set_bind_data(info, binding->release(), DeleteAs<FhirInput>);
}

void Init(duckdb_init_info info) {
  const auto& binding = *static_cast<FhirInput*>(duckdb_init_get_bind_data(info));
  auto global = std::make_unique<GlobalState>(binding);
  const size_t view_columns = binding.view->columns().size();
  global->needed.assign(view_columns, false);
  bool any = false;
  for (uint64_t i = 0; i < duckdb_init_get_column_count(info); ++i) {
    const uint64_t column = duckdb_init_get_column_index(info, i);
    global->columns.push_back(std::min<uint64_t>(column, view_columns));
    if (column >= view_columns) continue;
    global->needed[column] = true;
    any = true;
  }
  // An empty mask would mean every column; count(*) needs rows alone, and the first column does.
  if (!any && view_columns > 0) global->needed[0] = true;
  duckdb_init_set_max_threads(info, 1024);  // the engine's thread count is the limit
  duckdb_init_set_init_data(info, global.release(), DeleteAs<GlobalState>);
}

struct LocalState {
  std::unique_ptr<Worker> worker;  // made at first use: the shared state is not known before
};

void InitLocal(duckdb_init_info info) {
  duckdb_init_set_init_data(info, new LocalState(), DeleteAs<LocalState>);
}

void Scan(duckdb_function_info info, duckdb_data_chunk output) {
  auto& local = *static_cast<LocalState*>(duckdb_function_get_local_init_data(info));
  if (!local.worker) {
    local.worker =
        std::make_unique<Worker>(*static_cast<FhirInput*>(duckdb_function_get_bind_data(info)),
                                 *static_cast<GlobalState*>(duckdb_function_get_init_data(info)));
  }
  const Status filled = local.worker->Fill(output);
  if (!filled) duckdb_function_set_error(info, filled.error().ToString().c_str());
}

}  // namespace

void ScanReport::AddRecords(int64_t records) {
  std::lock_guard lock(mutex_);
  records_ += records;
}

void ScanReport::AddFault(ScanFault fault) {
  std::lock_guard lock(mutex_);
  ++faults_;
  if (first_.size() < keep_first_) first_.push_back(std::move(fault));
}

int64_t ScanReport::records() const {
  std::lock_guard lock(mutex_);
  return records_;
}

int64_t ScanReport::faults() const {
  std::lock_guard lock(mutex_);
  return faults_;
}

std::vector<ScanFault> ScanReport::first() const {
  std::lock_guard lock(mutex_);
  return first_;
}

void ScanReport::Reset() {
  std::lock_guard lock(mutex_);
  records_ = 0;
  faults_ = 0;
  first_.clear();
}

Status RegisterReadFhir(Connection& connection, FhirScanOptions options) {
  OwnedTableFunction function(duckdb_create_table_function());
  OwnedType any(duckdb_create_logical_type(DUCKDB_TYPE_ANY));
  OwnedType text(duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR));
  duckdb_table_function_set_name(function.get(), "read_fhir");
  duckdb_table_function_add_parameter(function.get(), any.get());
  duckdb_table_function_add_named_parameter(function.get(), "view", text.get());
  duckdb_table_function_set_extra_info(
      function.get(),
      new SharedOptions(std::make_shared<const FhirScanOptions>(std::move(options))),
      DeleteAs<SharedOptions>);
  duckdb_table_function_set_bind(function.get(), Bind);
  duckdb_table_function_set_init(function.get(), Init);
  duckdb_table_function_set_local_init(function.get(), InitLocal);
  duckdb_table_function_set_function(function.get(), Scan);
  duckdb_table_function_supports_projection_pushdown(function.get(), true);
  if (duckdb_register_table_function(Native(connection), function.get()) != DuckDBSuccess) {
    return Fail(ErrorKind::kInternal, "read_fhir cannot be registered");
  }
  return {};
}

}  // namespace vitalake::engine
