#include "engine/fhir_parquet.h"

#include <atomic>
#include <mutex>

#include "base/clock.h"
#include "base/parallel.h"
#include "engine/fhir_run_internal.h"
#include "engine/parquet_writer.h"
#include "engine/path_pattern.h"

namespace vitalake::engine {
namespace fs = std::filesystem;
namespace {

constexpr size_t kGroupRows = 61'440;
constexpr int kRecordsBetweenChecks = 256;

TypeId TypeOf(view::ColumnType type) {
  switch (type) {
    case view::ColumnType::kBoolean:
      return TypeId::kBoolean;
    case view::ColumnType::kInteger:
      return TypeId::kInteger;
    case view::ColumnType::kBigint:
      return TypeId::kBigInt;
    case view::ColumnType::kDouble:
      return TypeId::kDouble;
    case view::ColumnType::kDate:
      return TypeId::kDate;
    case view::ColumnType::kTimestamp:
      return TypeId::kTimestampTz;
    case view::ColumnType::kVarchar:
      break;
  }
  return TypeId::kVarchar;
}

void PutCell(TypeId type, const view::Cell& cell, ColumnEncoder& column) {
  if (cell.is_null) return column.PutNulls(1);
  switch (type) {
    case TypeId::kBoolean:
      return column.PutBool(cell.boolean);
    case TypeId::kDouble:
      return column.PutDouble(cell.number);
    case TypeId::kVarchar:
      return column.PutText(cell.text);
    default:
      return column.PutInt(cell.integer);
  }
}

class Job {
 public:
  Job(const FhirInput& input, std::vector<ParquetColumn> columns, ParquetWriter writer,
      const Wait& wait)
      : input_(input),
        columns_(std::move(columns)),
        blocks_(input),
        writer_(std::move(writer)),
        wait_(wait) {}

  Result<WrittenFile> Run(size_t threads) {
    std::vector<Status> results(threads);
    ForEachIndex(threads, threads, [&](size_t i) {
      results[i] = Work();
      if (!results[i]) stop_ = true;
      return results[i].has_value();
    });
    for (Status& result : results) VL_RETURN_IF_ERROR(std::move(result));
    std::vector<std::string> names;
    for (const ParquetColumn& column : columns_) names.push_back(column.name);
    return writer_.Finish(names);
  }

 private:
  Status Work() {
    FhirRun run(input_, blocks_, {});
    RowGroup group(columns_, true);
    const view::RowCallback on_row = [&](std::span<const view::Cell> row) {
      for (size_t i = 0; i < columns_.size(); ++i) {
        PutCell(columns_[i].type, row[i], group.column(i));
      }
    };
    for (int records = 0; !stop_; ++records) {
      if (records % kRecordsBetweenChecks == 0) {
        VL_RETURN_IF_ERROR(wait_.Check(clock_, "running a view"));
      }
      VL_TRY(const bool more, run.Next(on_row));
      if (!more) break;
      if (group.rows() >= kGroupRows) VL_RETURN_IF_ERROR(EndGroup(group));
    }
    return group.rows() > 0 ? EndGroup(group) : Status();
  }

  Status EndGroup(RowGroup& group) {
    VL_TRY(auto chunks, group.Finish());
    const std::lock_guard lock(mutex_);
    return writer_.Add(std::move(chunks));
  }

  const FhirInput& input_;
  const std::vector<ParquetColumn> columns_;
  FhirBlocks blocks_;
  std::mutex mutex_;
  ParquetWriter writer_;
  const Wait& wait_;
  SystemClock clock_;
  std::atomic<bool> stop_ = false;
};

}  // namespace

Result<WrittenFile> WriteFhirParquet(const std::vector<std::string>& patterns,
                                     std::shared_ptr<const view::View> view,
                                     const FhirScanOptions& options, const fs::path& target,
                                     int threads, const Wait& wait) {
  FhirInput input;
  for (const std::string& pattern : patterns) {
    VL_TRY(auto found, ExpandPaths(pattern));
    input.files.insert(input.files.end(), found.begin(), found.end());
  }
  input.view = std::move(view);
  input.options = std::make_shared<const FhirScanOptions>(options);
  std::vector<ParquetColumn> columns;
  for (const view::ColumnSpec& column : input.view->columns()) {
    columns.push_back({column.name, TypeOf(column.type)});
  }
  VL_TRY(ParquetWriter writer, ParquetWriter::Create(target, columns));
  auto written = Job(input, std::move(columns), std::move(writer), wait)
                     .Run(static_cast<size_t>(std::max(1, threads)));
  if (!written) {
    std::error_code ignored;
    fs::remove(target, ignored);
  }
  return written;
}

}  // namespace vitalake::engine
