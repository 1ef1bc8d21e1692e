// SIGINT and SIGTERM as a stop request: whoever works sees it and ends cleanly. SIGHUP is one, too,
// unless someone reads settings anew on it.
#pragma once

#include <functional>
#include <stop_token>

namespace vitalake::cli {

// Receives the signals on a thread of its own. There is one for the process, never destroyed.
class Signals {
 public:
  // Call first in main, before any thread is started (they inherit the signal mask). SIGPIPE is
  // ignored from then on: a closed output shows as a failed write.
  static Signals& Install();

  // Requested by SIGTERM, and by SIGINT unless OnInterrupt says otherwise. A second request after
  // that ends the process at once: a lake is safe to leave at any point.
  std::stop_token stop() const;
  // The signal that requested it; 0 for none.
  int received() const;

  // SIGINT calls `handler` (on the signal thread) from now on; null: it requests a stop again.
  void OnInterrupt(std::function<void()> handler);
  // SIGHUP calls `handler` (on the signal thread) from now on; null: it requests a stop again, or
  // nothing where the process was started to ignore it (nohup). Waits for a call that runs.
  void OnHangup(std::function<void()> handler);

 private:
  Signals();
  struct State;
  State* state_;
};

}  // namespace vitalake::cli
