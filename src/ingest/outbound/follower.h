// OutboundFollower: OutboundWork kept a moment behind what it follows, by one process at a
// time.
//
// The processes of one lake take turns by a lock in _vitalake/outbound, which ends with its holder,
// however that ends.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>

#include "ingest/commit_follower.h"
#include "ingest/outbound/outbound.h"
#include "lake/lake.h"

namespace vitalake::ingest {

class OutboundFollower {
 public:
  // `lake` must outlive it. `rest`: least time between two passes.
  OutboundFollower(lake::Lake& lake, std::unique_ptr<OutboundWork> publisher,
                   std::chrono::nanoseconds rest);

  const std::string& place() const { return publisher_->place(); }
  // Before anything is committed that should be published. Errors of OutboundWork::Begin.
  Status Begin() { return publisher_->Begin(); }
  // Something was committed. Thread-safe.
  void Touch() { follower_.Touch(); }
  // Publishes until Finish; a `stop` while another process publishes ends it at once. What could
  // not be published in the end is logged, and is for the next run: errors are those of the lock
  // and of reading positions.
  Status Run(const std::stop_token& stop);
  // Nothing will be committed any more: Run ends after a last pass. Thread-safe.
  void Finish() { follower_.Finish(); }

 private:
  lake::Lake& lake_;
  std::unique_ptr<OutboundWork> publisher_;
  CommitFollower follower_;
};

}  // namespace vitalake::ingest
