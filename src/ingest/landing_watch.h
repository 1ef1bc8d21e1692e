// LandingWatch: takes files in that appear in a folder, as batch runs.
//
// A file waits until its size and time have stood still for the settle time, so one that is still
// being written is left for a later pass. What the ledger has as it is on disk is not looked at
// again. A file that could not be taken in is tried again at the next passes, three times; then it
// is left alone, its reason logged, until it changes.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "fhir/record_key.h"
#include "ingest/batch_run.h"
#include "lake/lake.h"
#include "lake/ledger.h"

namespace vitalake::ingest {

struct LandingOptions {
  std::string path;  // made when it is not there
  bool watch = true;
  std::chrono::nanoseconds settle = std::chrono::seconds(10);
  std::chrono::nanoseconds sweep = std::chrono::hours(24);  // of looking without `watch`, too
  std::string source;
  std::string id_space;
  fhir::KeyRule key = fhir::KeyRule::kId;
};

class LandingWatch {
 public:
  LandingWatch(lake::Lake& lake, LandingOptions options,
               std::function<void(const BatchSummary&)> taken)
      : lake_(lake), options_(std::move(options)), taken_(std::move(taken)) {}

  // Until `stop`. Errors of runs are logged and tried again; kPermission, kIo: the folder cannot be
  // made.
  Status Run(const std::stop_token& stop);
  // One look at the folder: what has settled is taken in. Answers whether files wait.
  Result<bool> Pass(const Wait& wait);

 private:
  using File = lake::Ledger::TakenFile;
  struct Waiting {
    File file;
    std::chrono::nanoseconds since;
    int failures = 0;
  };

  // Brings waiting_ in step with the folder.
  Status Look();
  Status TakeIn(const std::vector<std::string>& paths, const Wait& wait);

  lake::Lake& lake_;
  LandingOptions options_;
  std::function<void(const BatchSummary&)> taken_;
  bool knows_ledger_ = false;
  std::set<File> done_;
  std::map<std::string, Waiting> waiting_;  // by path
};

}  // namespace vitalake::ingest
