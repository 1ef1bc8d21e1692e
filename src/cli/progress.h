// A bar on standard error for long work: share, rate and remaining time.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "cli/terminal.h"

namespace vitalake::cli {

struct ProgressState {
  std::string step;  // "reading"
  int64_t bytes_done = 0;
  int64_t bytes_total = 0;    // 0: unknown, no bar
  int64_t records = 0;        // 0: not shown
  int64_t records_total = 0;  // used for the bar when bytes_total is 0
  double seconds = 0;         // since this step began
};

// One line of at most `width` columns, no line end. Rate and remaining time are left out during the
// first half second, when they mean nothing.
std::string RenderProgress(const ProgressState& state, int width);

// Draws on standard error when that is a terminal, else does nothing. Not thread-safe.
class ProgressBar {
 public:
  ProgressBar();
  // Takes the line away.
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // Draws at most ten times a second; `state.seconds` is filled in here.
  void Update(ProgressState state);
  void Clear();

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;
  Terminal terminal_;
  std::string step_;
  SteadyTime step_began_{};
  SteadyTime drawn_{};
  bool visible_ = false;
};

}  // namespace vitalake::cli
