// 1. The rows go to a Parquet file in the store's staging folder.
// 2. The table is made (version 0), the file moved into it durably, and named by version 1.
#include "cli/delta_output.h"

#include <fmt/format.h>

#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "delta/table.h"
#include "delta/transaction.h"
#include "engine/parquet_files.h"
#include "engine/parquet_io.h"
#include "lake/table_writer.h"
#include "storage/local_store.h"

namespace vitalake::cli {
namespace {

namespace fs = std::filesystem;

delta::TypeKind KindOf(view::ColumnType type) {
  switch (type) {
    case view::ColumnType::kBoolean:
      return delta::TypeKind::kBoolean;
    case view::ColumnType::kInteger:
      return delta::TypeKind::kInteger;
    case view::ColumnType::kBigint:
      return delta::TypeKind::kLong;
    case view::ColumnType::kDouble:
      return delta::TypeKind::kDouble;
    case view::ColumnType::kDate:
      return delta::TypeKind::kDate;
    case view::ColumnType::kTimestamp:
      return delta::TypeKind::kTimestamp;
    case view::ColumnType::kVarchar:
      break;
  }
  return delta::TypeKind::kString;
}

delta::CreateOptions CreateOptionsOf(const view::View& view) {
  std::vector<delta::Column> columns;
  for (const view::ColumnSpec& column : view.columns()) {
    columns.push_back({column.name, delta::DeltaType(KindOf(column.type)), true});
  }
  delta::CreateOptions options;
  options.schema = delta::Schema::Flat(columns);
  if (!view.name().empty()) options.name = view.name();
  options.configuration["delta.enableChangeDataFeed"] = "false";
  return options;
}

Status Commit(delta::Table& table, delta::SnapshotPtr snapshot, const engine::WrittenFile& file,
              const std::string& path, const Wait& wait) {
  delta::Transaction transaction(table, std::move(snapshot));
  transaction.ReadNothing();
  transaction.SetOperation("WRITE", {{"mode", "Append"}},
                           {{"numFiles", "1"}, {"numOutputRows", fmt::to_string(file.rows)}});
  transaction.Add(lake::AddOf(file, path));
  VL_TRY(const delta::CommitResult result, transaction.Commit(wait));
  if (const auto* conflict = std::get_if<delta::Conflict>(&result)) {
    return Fail(ErrorKind::kConflict, conflict->message);
  }
  return {};
}

// What lies in the parent folder while a table is written; taken away when it goes out of scope:
// the table only between OwnTable and KeepTable, as it may be another's before.
class Scaffold {
 public:
  explicit Scaffold(const NewTableFolder& folder)
      : store_folder_(folder.parent() / "_vitalake"),
        table_(folder.parent() / folder.name()),
        table_was_there_(fs::exists(table_, ignored_)) {}
  Scaffold(const Scaffold&) = delete;
  Scaffold& operator=(const Scaffold&) = delete;
  ~Scaffold() {
    if (own_table_) RemoveTable();
    if (!staged_.empty()) fs::remove_all(staged_, ignored_);
    fs::remove(store_folder_ / "staging", ignored_);  // fails when there is something in it
    fs::remove(store_folder_, ignored_);
  }

  void set_staged(fs::path folder) { staged_ = std::move(folder); }
  void OwnTable() { own_table_ = true; }
  void KeepTable() { own_table_ = false; }

 private:
  void RemoveTable() {
    if (!table_was_there_) {
      fs::remove_all(table_, ignored_);
      return;
    }
    for (const auto& entry : fs::directory_iterator(table_, ignored_)) {
      fs::remove_all(entry.path(), ignored_);
    }
  }

  std::error_code ignored_;
  fs::path store_folder_, table_, staged_;
  bool table_was_there_;
  bool own_table_ = false;
};

}  // namespace

Result<NewTableFolder> NewTableFolder::At(const fs::path& path) {
  std::error_code error;
  fs::path whole = fs::absolute(path, error).lexically_normal();
  if (!whole.has_filename()) whole = whole.parent_path();
  NewTableFolder folder;
  folder.parent_ = whole.parent_path();
  folder.name_ = whole.filename().string();
  if (folder.name_.empty()) {
    return Fail(ErrorKind::kInvalidArgument, fmt::format("{} names no folder", path.string()));
  }
  const fs::file_status status = fs::status(whole, error);
  if (!fs::exists(status)) return folder;
  if (!fs::is_directory(status)) {
    return Fail(ErrorKind::kAlreadyExists, fmt::format("{} is a file: a new Delta table needs a "
                                                       "new or an empty folder",
                                                       path.string()));
  }
  const bool empty = fs::is_empty(whole, error);
  if (error) {
    return Fail(ErrorKind::kIo, fmt::format("{}: {}", path.string(), error.message()));
  }
  if (empty) return folder;
  return Fail(ErrorKind::kAlreadyExists,
              fmt::format("{} is not empty: a new Delta table needs a new or an empty folder",
                          path.string()));
}

Result<int64_t> WriteDeltaTable(engine::Engine& engine, const view::View& view,
                                const WriteViewFile& write, const NewTableFolder& folder,
                                Clock& clock, Random& random, const Wait& wait) {
  VL_TRY(auto store, storage::LocalStore::Open(folder.parent()));
  Scaffold scaffold(folder);
  VL_TRY(const fs::path staging, store->StagingFolder());
  const fs::path staged = staging / ("view-" + random.Uuid());
  scaffold.set_staged(staged);
  std::error_code error;
  fs::create_directories(staged, error);
  if (error) return Fail(ErrorKind::kIo, fmt::format("{}: {}", staged.string(), error.message()));
  const std::string name = fmt::format("part-0-{}.parquet", random.Uuid());
  VL_TRY(const engine::WrittenFile file, write(staged / name));

  engine::EngineParquetIo parquet(engine);
  const auto table = delta::Table::Open({*store, parquet, clock, random}, folder.name());
  VL_TRY(delta::SnapshotPtr snapshot, table->Create(CreateOptionsOf(view), wait));
  scaffold.OwnTable();
  if (file.rows > 0) {
    VL_RETURN_IF_ERROR(store->PutFile(folder.name() + "/" + name, file.path));
    const Status done = Commit(*table, std::move(snapshot), file, name, wait);
    if (!done && done.error().kind == ErrorKind::kUnknownOutcome) scaffold.KeepTable();
    VL_RETURN_IF_ERROR(done);
  }
  scaffold.KeepTable();
  return file.rows;
}

}  // namespace vitalake::cli
