#include "ingest/outbound/follower.h"

#include "base/log.h"
#include "ingest/pause.h"
#include "ingest/run_lock.h"

namespace vitalake::ingest {
namespace {

using namespace std::chrono_literals;

// For what other processes commit.
constexpr auto kFollowLookEvery = 1s;
constexpr auto kPassPatience = 30s;
constexpr auto kTurnEvery = 1s;

}  // namespace

OutboundFollower::OutboundFollower(lake::Lake& lake, std::unique_ptr<OutboundWork> publisher,
                                   std::chrono::nanoseconds rest)
    : lake_(lake),
      publisher_(std::move(publisher)),
      follower_("outbound " + publisher_->place(), lake.clock(), {rest, 0, kFollowLookEvery},
                [this] { return publisher_->Publish(Wait::For(lake_.clock(), kPassPatience)); }) {}

Status OutboundFollower::Run(const std::stop_token& stop) {
  VL_TRY(const std::filesystem::path staging, lake_.store().StagingFolder());
  std::optional<RunLock> turn;
  while (!turn) {
    VL_TRY(auto taken,
           RunLock::TryTake(staging.parent_path() / "outbound", RunId{publisher_->place()}));
    if (taken) {
      turn.emplace(std::move(*taken));
    } else if (stop.stop_requested()) {
      return {};
    } else {
      PauseUntilStop(stop, kTurnEvery);
    }
  }
  // Another process may have published since our begin.
  VL_RETURN_IF_ERROR(publisher_->Begin());
  if (auto done = follower_.Run({}); !done) {
    log::Fault("{}; what is missing there is published by the next run", done.error().ToString());
  }
  return {};
}

}  // namespace vitalake::ingest
