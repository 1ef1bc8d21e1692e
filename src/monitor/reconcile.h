// Reconcile: which published alert is which episode of a fold.
//
// In this order: what was on when the base ended; the same opening reading; else the same rule and
// a common moment (its opening reading was corrected or came earlier than another: the alert keeps
// its id and its start moves). What is left over on one side is to be withdrawn or opened.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "monitor/fold.h"
#include "monitor/series.h"

namespace vitalake::monitor {

inline constexpr int kNoMatch = -1;

// For each episode the index of its record in `records`, or kNoMatch. Records of rules that the
// fold does not follow are never matched. Each record has one episode at most.
class Matches {
 public:
  Matches(std::span<const Episode> episodes, std::span<const AlertRecord* const> records);
  int RecordOf(size_t episode) const { return record_of_[episode]; }
  bool HasEpisode(size_t record) const { return (matched_ >> record) & 1; }

 private:
  std::array<int8_t, (kRingSize + 2) * kFoldRules> record_of_;
  uint32_t matched_ = 0;
};

}  // namespace vitalake::monitor
