// Ends statements whose time is up or that nobody waits for. For this module alone.
//
// DuckDB looks at a flag of the connection between two chunks of rows, on every thread that works
// on the statement, and clears it whenever it begins one (and when it plans one that was prepared).
// So the flag is set from outside, and set again for as long as the statement goes on.
#pragma once

#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "base/deadline.h"
#include "engine/duckdb_internal.h"

namespace vitalake::engine {

// Whether the wait can end at all.
inline bool MayEnd(const Wait& wait) {
  return wait.stop.stop_possible() || wait.until != std::chrono::nanoseconds::max();
}

// Thread-safe; outlives its watches. Its thread begins with the first watch that may end.
class StatementWatcher {
 public:
  StatementWatcher() = default;
  StatementWatcher(const StatementWatcher&) = delete;
  StatementWatcher& operator=(const StatementWatcher&) = delete;
  ~StatementWatcher();

 private:
  friend class StatementWatch;
  struct Watched {
    duckdb_connection connection;
    std::chrono::nanoseconds until;  // on the steady clock
  };
  using Place = std::list<Watched>::iterator;

  Place Add(duckdb_connection connection, std::chrono::nanoseconds until);
  void Remove(Place place);
  // The statement is to end now.
  void End(Place place);
  void WakeBy(std::chrono::nanoseconds until);  // holds mutex_
  void Run();

  std::mutex mutex_;
  std::condition_variable earlier_;
  std::list<Watched> watched_;                                           // guarded by mutex_
  std::chrono::nanoseconds wakes_at_ = std::chrono::nanoseconds::max();  // guarded by mutex_
  bool ended_ = false;                                                   // guarded by mutex_
  std::thread thread_;                                                   // guarded by mutex_
};

// While it lives, what the connection does is interrupted once `wait` has ended.
class StatementWatch {
 public:
  StatementWatch(StatementWatcher& watcher, duckdb_connection connection, const Wait& wait);
  StatementWatch(const StatementWatch&) = delete;
  StatementWatch& operator=(const StatementWatch&) = delete;
  ~StatementWatch();

 private:
  struct OnStop {
    StatementWatch* watch;
    void operator()() const { watch->watcher_.End(*watch->place_); }
  };

  StatementWatcher& watcher_;
  std::optional<StatementWatcher::Place> place_;
  std::optional<std::stop_callback<OnStop>> on_stop_;
};

}  // namespace vitalake::engine
