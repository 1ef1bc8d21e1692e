// StagerPool: stagers, and the engine that writes their files, kept from one stage to the next:
// their memory is there, their views are compiled.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "ingest/record_stager.h"
#include "lake/lake.h"

namespace vitalake::ingest {

// Thread-safe. All of its stagers have one StagerContext's settings.
class StagerPool {
 public:
  // `lake` must outlive it.
  static Result<std::unique_ptr<StagerPool>> Open(lake::Lake& lake);

  // A stager that begins with `places`. Errors as RecordStager::Make.
  Result<std::unique_ptr<RecordStager>> Take(const StagerContext& context,
                                             const StagingPlaces& places);
  // One that is closed, for the next Take.
  void Give(std::unique_ptr<RecordStager> stager);

  // What the stagers' files are written with. It has one thread, so that each stager works on its
  // own statements and no other thread takes them over.
  engine::Engine& writer() { return *writer_; }

 private:
  explicit StagerPool(lake::Lake& lake) : lake_(lake) {}

  lake::Lake& lake_;
  std::unique_ptr<engine::Engine> writer_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<RecordStager>> spare_;
};

}  // namespace vitalake::ingest
