// How long the steps of a piece of work took.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"

namespace vitalake::lake {

// Tells at level debug, when it goes, how long `work` took, and each of its steps. Not thread-safe.
class StepTimes {
 public:
  StepTimes(Clock& clock, std::string work)
      : clock_(clock), work_(std::move(work)), begin_(clock.Steady()), last_(begin_) {}
  StepTimes(const StepTimes&) = delete;
  StepTimes& operator=(const StepTimes&) = delete;
  ~StepTimes() {
    if (!text_.empty()) log::Debug("{}: {:.3f} s:{}", work_, Seconds(last_ - begin_), text_);
  }

  // The step that began with the one before has ended.
  void Done(std::string_view step) {
    const auto now = clock_.Steady();
    text_ += fmt::format(" {} {:.3f}", step, Seconds(now - last_));
    last_ = now;
  }

 private:
  static double Seconds(std::chrono::nanoseconds time) {
    return std::chrono::duration<double>(time).count();
  }

  Clock& clock_;
  std::string work_;
  std::chrono::nanoseconds begin_;
  std::chrono::nanoseconds last_;
  std::string text_;
};

}  // namespace vitalake::lake
