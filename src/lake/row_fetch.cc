// Steps:
//  1. of each file the wanted rows are taken out of its column chunks;
//  2. files that have them in a form not known there are scanned by the engine.
#include "lake/row_fetch.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>

#include "base/log.h"
#include "base/parallel.h"
#include "engine/column_appender.h"
#include "engine/parquet_rows.h"
#include "engine/relation.h"
#include "lake/sql_text.h"

namespace vitalake::lake {
namespace {

using engine::QuoteName;

class RowFetcher {
 public:
  RowFetcher(Lake& lake, engine::Connection& connection, const RowRequest& request,
             const Wait& wait)
      : lake_(lake), connection_(connection), request_(request), wait_(wait) {}

  Status Run() {
    const std::vector<FileRows> files = ByFile(request_.hits);
    VL_RETURN_IF_ERROR(CreateTable());
    if (files.empty()) return {};
    VL_TRY(const std::vector<const FileRows*> left, TakeOut(files));
    return left.empty() ? Status() : Scan(left);
  }

 private:
  Status CreateTable() {
    VL_TRY(const std::string none,
           engine::RelationSql(lake_.Files(request_.snapshot, request_.table),
                               {.columns = request_.columns,
                                .with_positions = true,
                                .files = std::vector<std::string>{}}));
    return RunSql(connection_,
                  fmt::format("CREATE OR REPLACE TEMP TABLE {} AS {}", request_.into, none), wait_);
  }

  // Step 1; returns the files that step 2 must read.
  Result<std::vector<const FileRows*>> TakeOut(const std::vector<FileRows>& files) {
    std::vector<const FileRows*> left;
    const auto columns = engine::RowColumns(request_.snapshot->schema(), request_.columns);
    if (!columns) {
      for (const FileRows& file : files) left.push_back(&file);
      return left;
    }
    std::vector<view::ColumnType> types = {view::ColumnType::kVarchar, view::ColumnType::kBigint};
    for (const engine::RowColumn& column : *columns) types.push_back(column.type);
    VL_TRY(auto appender, engine::ColumnAppender::Make(connection_, request_.into, types));
    std::mutex mutex;  // guards the appender
    std::vector<Status> results(files.size());
    const auto threads = static_cast<size_t>(lake_.engine().options().threads);
    ForEachIndex(files.size(), threads, [&](size_t i) {
      results[i] = TakeOut(files[i], *columns, appender, mutex);
      return results[i] || results[i].error().kind == ErrorKind::kUnsupported;
    });
    for (size_t i = 0; i < files.size(); ++i) {
      if (results[i]) continue;
      if (results[i].error().kind != ErrorKind::kUnsupported) {
        return std::unexpected(std::move(results[i]).error());
      }
      log::Debug("{} is scanned: {}", files[i].file->path, results[i].error().ToString());
      left.push_back(&files[i]);
    }
    VL_RETURN_IF_ERROR(appender.Close());
    return left;
  }

  Status TakeOut(const FileRows& wanted, std::span<const engine::RowColumn> columns,
                 engine::ColumnAppender& appender, std::mutex& mutex) {
    VL_RETURN_IF_ERROR(wait_.Check(lake_.clock(), "reading rows"));
    std::vector<view::Cell> place(2);
    for (view::Cell& cell : place) cell.is_null = false;
    place[0].text = wanted.file->path;
    return ReadFileRows(lake_, request_.table, request_.snapshot, wanted, columns,
                        [&](int64_t row, std::span<const view::Cell> cells) -> Status {
                          place[1].integer = row;
                          const std::lock_guard lock(mutex);
                          return appender.Append(place, cells);
                        });
  }

  // Step 2.
  Status Scan(const std::vector<const FileRows*>& files) {
    VL_RETURN_IF_ERROR(
        RunSql(connection_, "CREATE OR REPLACE TEMP TABLE hit (file VARCHAR, row BIGINT)"));
    const std::vector<view::ColumnType> types = {view::ColumnType::kVarchar,
                                                 view::ColumnType::kBigint};
    VL_TRY(auto appender, engine::ColumnAppender::Make(connection_, "hit", types));
    std::vector<view::Cell> cells(2);
    for (view::Cell& cell : cells) cell.is_null = false;
    std::vector<std::string> paths;
    for (const FileRows* file : files) {
      paths.push_back(file->file->path);
      cells[0].text = paths.back();
      for (const int64_t row : file->rows) {
        cells[1].integer = row;
        VL_RETURN_IF_ERROR(appender.Append(cells));
      }
    }
    VL_RETURN_IF_ERROR(appender.Close());
    VL_TRY(const std::string rows,
           engine::RelationSql(
               lake_.Files(request_.snapshot, request_.table),
               {.columns = request_.columns, .with_positions = true, .files = std::move(paths)}));
    // Step 1 may have given some of a file's rows before it gave up.
    return RunSql(connection_,
                  fmt::format("DELETE FROM {0} WHERE _file IN (SELECT file FROM hit); "
                              "INSERT INTO {0} SELECT t.* FROM ({1}) t "
                              "SEMI JOIN hit h ON h.row = t._row AND h.file = t._file",
                              request_.into, rows),
                  wait_);
  }

  Lake& lake_;
  engine::Connection& connection_;
  const RowRequest& request_;
  const Wait& wait_;
};

// A data file whose rows are all there is to know of the table's.
Result<std::filesystem::path> FileOfCells(Lake& lake, std::string_view table,
                                          const delta::SnapshotPtr& snapshot,
                                          const delta::AddFile& file) {
  if (file.deletion_vector || !snapshot->metadata().partition_columns.empty()) {
    return Fail(ErrorKind::kUnsupported, "deleted rows or partitions");
  }
  return lake.Files(snapshot, table).LocalFile(file.path);
}

}  // namespace

std::vector<FileRows> ByFile(const std::vector<KeyHit>& hits) {
  std::vector<FileRows> files;
  for (const KeyHit& hit : hits) {
    if (files.empty() || files.back().file->path != hit.file->path) {
      files.push_back({hit.file, {}});
    }
    files.back().rows.push_back(hit.row);
  }
  for (FileRows& file : files) std::ranges::sort(file.rows);
  return files;
}

Status ReadFileRows(Lake& lake, std::string_view table, const delta::SnapshotPtr& snapshot,
                    const FileRows& wanted, std::span<const engine::RowColumn> columns,
                    const std::function<Status(int64_t, std::span<const view::Cell>)>& row) {
  VL_TRY(const std::filesystem::path local, FileOfCells(lake, table, snapshot, *wanted.file));
  return engine::ReadParquetRows(local, wanted.rows, columns, row);
}

Status ReadAllFileRows(Lake& lake, std::string_view table, const delta::SnapshotPtr& snapshot,
                       const delta::AddFile& file, std::span<const engine::RowColumn> columns,
                       const std::function<Status(int64_t, std::span<const view::Cell>)>& row) {
  VL_TRY(const std::filesystem::path local, FileOfCells(lake, table, snapshot, file));
  return engine::ReadAllParquetRows(local, columns, row);
}

Status FetchRows(Lake& lake, engine::Connection& connection, const RowRequest& request,
                 const Wait& wait) {
  return RowFetcher(lake, connection, request, wait).Run();
}

}  // namespace vitalake::lake
