// read_fhir: FHIR files as a table, through a ViewDefinition, parsed on every thread.
//
//   SELECT * FROM read_fhir('in/*.ndjson', view := 'views/patient.json')
//
// The first argument is a path, a glob, or a list of either (ExpandPaths); `view` is a
// ViewDefinition's text (it begins with '{'), the path of one, or a name the options resolve.
// Columns are the view's, in its order, typed as SqlType (engine/column_appender.h). Only the
// columns a query uses are evaluated. Rows come in no order. Records that cannot be read, and
// resources the view fails on, are left out and counted in the report. Memory: two blocks
// (fhir::DecodeLimits::block_bytes) a thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "fhir/decode.h"

namespace vitalake::engine {

// One record left out: where ("a.ndjson:17") and why.
struct ScanFault {
  std::string place;
  std::string message;
};

// What scans left out and read; shared by all scans of one registration. Thread-safe.
class ScanReport {
 public:
  explicit ScanReport(size_t keep_first = 20) : keep_first_(keep_first) {}
  void AddRecords(int64_t records);
  void AddFault(ScanFault fault);

  int64_t records() const;  // records met, bad ones included
  int64_t faults() const;
  std::vector<ScanFault> first() const;  // the first so many faults met
  void Reset();

 private:
  mutable std::mutex mutex_;
  size_t keep_first_;
  int64_t records_ = 0;
  int64_t faults_ = 0;
  std::vector<ScanFault> first_;
};

struct FhirScanOptions {
  fhir::DecodeLimits limits = {};
  std::shared_ptr<ScanReport> report = nullptr;  // null: nobody asks
  // Gives the text of a view by name ("patient"); tried before the name is taken as a path.
  std::function<Result<std::string>(std::string_view name)> view_by_name = {};
};

// Makes read_fhir known to all connections of `connection`'s engine. Once per engine: a later
// registration changes nothing.
Status RegisterReadFhir(Connection& connection, FhirScanOptions options = {});

}  // namespace vitalake::engine
