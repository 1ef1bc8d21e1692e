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

constexpr size_t kViewGroupRows = 61'440;
constexpr int kRecordsBetweenChecks = 256;

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
      for (size_t i = 0; i < columns_.size(); ++i) group.PutCell(i, row[i]);
    };
    for (int records = 0; !stop_; ++records) {
      if (records % kRecordsBetweenChecks == 0) {
        VL_RETURN_IF_ERROR(wait_.Check(clock_, "running a view"));
      }
      VL_TRY(const bool more, run.Next(on_row));
      if (!more) break;
      if (group.rows() >= kViewGroupRows) VL_RETURN_IF_ERROR(EndGroup(group));
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
  std::vector<ParquetColumn> columns = ColumnsOfCells(input.view->columns());
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
