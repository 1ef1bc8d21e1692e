// Running a view over the records of FHIR files, by several threads. For this module alone.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/json_tree.h"
#include "engine/fhir_scan.h"
#include "fhir/decode.h"
#include "view/view.h"

namespace vitalake::engine {

struct FhirInput {
  std::vector<std::string> files;
  std::shared_ptr<const view::View> view;
  std::shared_ptr<const FhirScanOptions> options;
};

// The blocks of the files, for whichever thread asks next. Thread-safe.
class FhirBlocks {
 public:
  // `input` must outlive it.
  explicit FhirBlocks(const FhirInput& input) : input_(input) {}

  struct Block {
    std::shared_ptr<const std::string> path;
    fhir::RecordBlock records;
  };
  // nullopt when all files are read.
  Result<std::optional<Block>> Take();

 private:
  struct OpenFile {
    std::shared_ptr<const std::string> path;
    std::unique_ptr<fhir::RecordReader> reader;
  };

  Result<std::shared_ptr<OpenFile>> Current();
  void Finish(const std::shared_ptr<OpenFile>& file);

  const FhirInput& input_;
  std::mutex mutex_;
  size_t next_file_ = 0;
  std::shared_ptr<OpenFile> current_;
};

// One thread's part. Both arguments must outlive it.
class FhirRun {
 public:
  // `needed`: as ViewRunner.
  FhirRun(const FhirInput& input, FhirBlocks& blocks, std::vector<bool> needed);

  // Gives the rows of the next record; false when there is none. A record without rows for a fault
  // is told to the report.
  Result<bool> Next(const view::RowCallback& row);

 private:
  Result<bool> NextBlock();
  void Report(const fhir::Record& record, std::string message);

  const FhirInput& input_;
  FhirBlocks& blocks_;
  JsonParser parser_;
  JsonLimits limits_;
  view::ViewRunner runner_;
  FhirBlocks::Block block_;
  std::vector<fhir::Record> records_;
  size_t next_ = 0;
};

}  // namespace vitalake::engine
