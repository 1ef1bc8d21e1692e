#include "base/clock.h"
#include "engine/statement_watch_internal.h"

namespace vitalake::engine {
namespace {

using std::chrono::nanoseconds;

// Between two interrupts of one statement.
constexpr std::chrono::milliseconds kAgain{10};

}  // namespace

StatementWatcher::~StatementWatcher() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  earlier_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void StatementWatcher::WakeBy(nanoseconds until) {
  if (until >= wakes_at_) return;
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  wakes_at_ = until;
  earlier_.notify_all();
}

StatementWatcher::Place StatementWatcher::Add(duckdb_connection connection, nanoseconds until) {
  const std::lock_guard lock(mutex_);
  WakeBy(until);
  watched_.push_front({connection, until});
  return watched_.begin();
}

void StatementWatcher::Remove(Place place) {
  const std::lock_guard lock(mutex_);
  watched_.erase(place);
}

void StatementWatcher::End(Place place) {
  const std::lock_guard lock(mutex_);
  place->until = nanoseconds::zero();
  duckdb_interrupt(place->connection);
  WakeBy(SystemClock().Steady() + kAgain);
}

// The time to wake stays when what it was for goes: so a statement of many chunks, each watched for
// a moment, wakes nobody.
void StatementWatcher::Run() {
  SystemClock clock;
  std::unique_lock lock(mutex_);
  while (!ended_) {
    const nanoseconds now = clock.Steady();
    if (now < wakes_at_) {
      if (wakes_at_ == nanoseconds::max()) {
        earlier_.wait(lock);
      } else {
        earlier_.wait_for(lock, wakes_at_ - now);
      }
      continue;
    }
    wakes_at_ = nanoseconds::max();
    for (const Watched& watched : watched_) {
      if (watched.until <= now) duckdb_interrupt(watched.connection);
      wakes_at_ = std::min(wakes_at_, std::max(watched.until, now + nanoseconds(kAgain)));
    }
  }
}

StatementWatch::StatementWatch(StatementWatcher& watcher, duckdb_connection connection,
                               const Wait& wait)
    : watcher_(watcher) {
  if (!MayEnd(wait)) return;
  place_ = watcher_.Add(connection, wait.until);
  if (wait.stop.stop_possible()) on_stop_.emplace(wait.stop, OnStop{this});
}

StatementWatch::~StatementWatch() {
  on_stop_.reset();
  if (place_) watcher_.Remove(*place_);
}

}  // namespace vitalake::engine
