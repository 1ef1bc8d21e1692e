// Fold: follows the readings of a series in the order of their times and says which alerts there
// are. A pure function of base and ring: whatever came in which order, the same readings give the
// same answer.
//
// One reading is one step, and so are two that are half a blood pressure each: a systolic and a
// diastolic value of one moment and device, sent as records of their own.
//   1. A severe reading whose repeat has not come in time is unconfirmed.
//   2. Severe levels, high and low, begin and end; critical readings that came late take part.
//   3. Ordinary levels begin with the second of two readings close together, and end when a reading
//      is clear of the limit.
//   4. An implausible reading asks for a repeat, until a plausible one comes.
//   5. Detectors judge the value and take it into the baseline.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "monitor/detectors.h"
#include "monitor/series.h"

namespace vitalake::monitor {

// What the fold needs of the rules. It holds for readings from `from` on.
struct FoldRules {
  Seconds from = 0;
  Seconds confirm_within = 3600;
  Seconds escalate_after = 900;
  float fall_from_baseline = kNoValue;
};

// An episode as the fold sees it.
struct Episode {
  Rule rule = Rule::kHigh;
  AlertState state = AlertState::kOpen;
  Severity severity = Severity::kMedium;
  bool in_base = false;  // was on when the base ends; what follows is then not known
  bool late = false;     // the reading that opened it came late
  bool age_unknown = false;
  bool again = false;   // the reading asked for is one more severe one of it
  uint64_t opener = 0;  // key of the reading that opened it; of two that did, the first
  uint64_t other = 0;   // key of the reading that confirmed it; of severe ones the last
  Seconds opened = 0, closed = 0;
  Seconds changed = 0;                            // when its state last changed; 0: in the base
  float value[kChannels] = {kNoValue, kNoValue};  // of the last reading that mattered
  uint8_t channel = 0;                            // of a detector
  ChannelOutcome outcome;
};

// The judgement of one reading of the ring.
struct StepOutcome {
  bool repeat = false;  // passed over for a twin
  ChannelOutcome channel[kChannels];
};

// A fold and its outcome. Reuse one: the outcome holds until the next Run.
class Fold {
 public:
  // Follows the whole ring as of `now`; `watch` is the key of the reading whose judgement is
  // wanted. `rules`: by `from`, at least one.
  void Run(const Series& series, std::span<const FoldRules> rules, Seconds now, uint64_t watch);

  // The same for a series with no episode on, whose last reading alone is not in its tip: one step,
  // and no episodes to tell of. False when that is not so, or the reading begins one: Run then.
  bool Extend(const Series& series, std::span<const FoldRules> rules);

  // After the last reading, at the time asked for.
  const FoldState& tip() const { return tip_; }
  // Of the reading asked for.
  const StepOutcome& watched() const { return watched_; }
  // In the order in which they began; at most one per rule has no end.
  std::span<const Episode> episodes() const { return {episodes_.data(), count_}; }

 private:
  friend class Folder;
  FoldState tip_;
  StepOutcome watched_;
  // A rule's episode begins and ends with different readings; one may come from the base.
  std::array<Episode, (kRingSize + 2) * kFoldRules> episodes_;
  size_t count_ = 0;
};

// Takes the oldest reading of the ring into the base, with its other half if it has one.
// `ring_count` > 0.
void SettleOldest(Series& series, std::span<const FoldRules> rules);

// Whether two readings are one under two keys: same time, values, device and identifier.
bool AreTwins(const Entry& a, const Entry& b);
// Whether the reading at `index` is to be passed over for a twin before it. Which of two comes
// first does not depend on which of them came first.
bool IsRepeat(const Series& series, int index);
// Whether the reading is a blood pressure of which one of the values is missing.
bool IsHalf(const Series& series, const Entry& entry);
// The place of its other half in the ring; -1: none. Of several of one moment and device the first
// goes with the first.
int OtherHalf(const Series& series, int index);

}  // namespace vitalake::monitor
