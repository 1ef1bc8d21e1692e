#include "monitor/fold.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/check.h"

namespace vitalake::monitor {
namespace {

uint16_t DayOf(const Series& series, Seconds time) {
  const int64_t local = int64_t{time} + int64_t{series.offset_minutes} * 60;
  return static_cast<uint16_t>(std::clamp<int64_t>(local / kDaySeconds, 0, 65'535));
}

const FoldRules& RulesAt(std::span<const FoldRules> rules, Seconds time) {
  size_t i = rules.size() - 1;
  while (i > 0 && rules[i].from > time) --i;
  return rules[i];
}

constexpr float kLeastPulsePressure = 10;

Side Graver(Side a, Side b) {
  return {std::max(a.severe, b.severe), std::max(a.ordinary, b.ordinary)};
}

// Both values, at the graver level: what opened an episode is the half that is that grave.
Entry Whole(const Entry& a, const Entry& b) {
  const auto gravity = [](const Entry& e) {
    const auto of = [](Side s) {
      return 3 * static_cast<int>(s.severe) + static_cast<int>(s.ordinary);
    };
    return e.judged() ? of(e.high()) + of(e.low()) : -1;
  };
  const bool first = gravity(a) >= gravity(b);
  Entry whole = first ? a : b;
  const Entry& other = first ? b : a;
  whole.marks |= static_cast<uint16_t>(other.marks & ~Entry::kLevel);
  if (whole.judged() && other.judged()) {
    whole.SetLevel(Graver(whole.high(), other.high()), Graver(whole.low(), other.low()));
    whole.severe_by |= other.severe_by;
    whole.ordinary_by |= other.ordinary_by;
  }
  for (int c = 0; c < kChannels; ++c) {
    if (std::isnan(whole.value[c])) whole.value[c] = other.value[c];
  }
  if (whole.value[0] - whole.value[1] >= kLeastPulsePressure) return whole;
  if (whole.judged()) whole.marks |= Entry::kImplausible;
  whole.SetUnjudged();
  whole.marks |= Entry::kNoBaseline | Entry::kNoDetect;
  return whole;
}

bool SameValue(float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }

}  // namespace

bool AreTwins(const Entry& a, const Entry& b) {
  return a.time == b.time && a.key != b.key && a.origin == b.origin && !a.Has(Entry::kRetracted) &&
         !b.Has(Entry::kRetracted) && SameValue(a.value[0], b.value[0]) &&
         SameValue(a.value[1], b.value[1]);
}

bool IsRepeat(const Series& series, int index) {
  const Entry& entry = series.ring[index];
  for (int i = index - 1; i >= 0 && series.ring[i].time == entry.time; --i) {
    if (AreTwins(series.ring[i], entry)) return true;
  }
  return false;
}

bool IsHalf(const Series& series, const Entry& entry) {
  return series.vital == Vital::kBloodPressure &&
         std::isnan(entry.value[0]) != std::isnan(entry.value[1]);
}

int OtherHalf(const Series& series, int index) {
  const Entry& entry = series.ring[index];
  const auto counts = [&](int i) {
    const Entry& e = series.ring[i];
    return e.time == entry.time && e.origin == entry.origin && IsHalf(series, e) &&
           !e.Has(Entry::kRetracted) && !e.Has(Entry::kSettled) && !IsRepeat(series, i);
  };
  if (!counts(index)) return -1;
  const bool systolic = !std::isnan(entry.value[0]);
  const auto is_systolic = [&](int i) { return !std::isnan(series.ring[i].value[0]); };
  int before = 0;  // of the same kind
  for (int i = 0; i < index; ++i) before += counts(i) && is_systolic(i) == systolic;
  for (int i = 0; i < series.ring_count; ++i) {
    if (counts(i) && is_systolic(i) != systolic && before-- == 0) return i;
  }
  return -1;
}

// Works on a state; `result` collects episodes (null when a reading settles: they are known).
class Folder {
 public:
  Folder(const Series& series, FoldState& state, std::span<const FoldRules> rules,
         int16_t* writable_history, Fold* result)
      : series_(series),
        state_(state),
        rules_(rules),
        writable_(writable_history),
        result_(result) {
    std::fill(std::begin(episode_), std::end(episode_), -1);
  }

  // Episodes that are on in the base.
  void BeginFromBase() {
    for (int i = 0; i < kFoldRules; ++i) {
      if (state_.slot[i] == 0) continue;
      Episode& episode = Add(static_cast<Rule>(i));
      episode.in_base = true;
      episode.state = static_cast<AlertState>(state_.slot[i] - 1);
      episode.severity = SeverityOf(episode.rule, episode.state);
    }
  }

  StepOutcome Step(const Entry& entry, bool repeat, Describe describe) {
    StepOutcome out;
    out.repeat = repeat;
    if (entry.Has(Entry::kRetracted) || entry.Has(Entry::kSettled) || repeat) return out;
    now_ = &RulesAt(rules_, entry.time);
    TimeOut(entry.time);
    if (entry.judged()) {
      SevereHigh(entry, describe);
      SevereLow(entry, describe);
      if (!entry.Has(Entry::kLate)) Ordinary(entry);
    }
    if (!entry.Has(Entry::kLate)) {
      CheckReading(entry);
      Live(entry);
    }
    Detectors(entry, describe, out);
    return out;
  }

  // What the passing of time alone does.
  void TimeOut(Seconds time) {
    if (StateOf(Rule::kSevereHigh) != AlertState::kPending) return;
    const Seconds wait = RulesAt(rules_, state_.pending_since).escalate_after;
    if (time < state_.pending_since + wait) return;
    SetState(Rule::kSevereHigh, AlertState::kUnconfirmed, state_.pending_since + wait);
  }

 private:
  static Severity SeverityOf(Rule rule, AlertState state) {
    switch (rule) {
      case Rule::kSevereHigh:
        return state == AlertState::kPending ? Severity::kHigh : Severity::kCritical;
      case Rule::kSevereLow:
        return Severity::kCritical;
      case Rule::kHigh:
      case Rule::kLow:
        return Severity::kMedium;
      case Rule::kCheckReading:
        return Severity::kInfo;
      default:
        return Severity::kLow;
    }
  }

  AlertState StateOf(Rule rule) const {
    const uint8_t slot = state_.slot[static_cast<int>(rule)];
    return slot == 0 ? AlertState::kClosed : static_cast<AlertState>(slot - 1);
  }

  Episode& Add(Rule rule) {
    if (result_ == nullptr) return spare_;
    VL_CHECK(result_->count_ < result_->episodes_.size());
    episode_[static_cast<int>(rule)] = static_cast<int>(result_->count_);
    Episode& episode = result_->episodes_[result_->count_++];
    episode = Episode();
    episode.rule = rule;
    return episode;
  }

  Episode& Of(Rule rule) {
    const int i = episode_[static_cast<int>(rule)];
    return result_ == nullptr || i < 0 ? spare_ : result_->episodes_[static_cast<size_t>(i)];
  }

  void Open(Rule rule, AlertState state, const Entry& entry) {
    state_.slot[static_cast<int>(rule)] = static_cast<uint8_t>(1 + static_cast<int>(state));
    Episode& episode = Add(rule);
    episode.state = state;
    episode.severity = SeverityOf(rule, state);
    episode.opener = entry.key;
    episode.opened = episode.changed = entry.time;
    episode.late = entry.Has(Entry::kLate);
    episode.age_unknown = entry.Has(Entry::kAgeUnknown);
    std::copy_n(entry.value, kChannels, episode.value);
  }

  void SetState(Rule rule, AlertState state, Seconds time) {
    state_.slot[static_cast<int>(rule)] = static_cast<uint8_t>(1 + static_cast<int>(state));
    Episode& episode = Of(rule);
    episode.state = state;
    episode.changed = time;
    episode.severity = SeverityOf(rule, state);
  }

  // The values that the reading has hold the level on, each that is in `by`; the others do not.
  void Hold(int what, const Entry& entry, int by) {
    for (int c = 0; c < kChannels; ++c) {
      if (std::isnan(entry.value[c])) continue;
      SetHold(c, what, (by >> c) & 1);
    }
  }
  // Those that the reading has are clear; whether no other holds the level on.
  bool Release(int what, const Entry& entry) {
    Hold(what, entry, 0);
    return std::ranges::none_of(state_.channel,
                                [&](const Channel& c) { return (c.holds >> what) & 1; });
  }
  void SetHold(int channel, int what, bool on) {
    uint8_t& holds = state_.channel[channel].holds;
    holds = static_cast<uint8_t>(on ? holds | (1 << what) : holds & ~(1 << what));
  }
  void Drop(int what) {
    for (int c = 0; c < kChannels; ++c) SetHold(c, what, false);
  }
  static int LateBit(Rule rule) { return FoldState::kLateSevere + static_cast<int>(rule); }
  bool IsLateOne(Rule rule) const { return (state_.channel[0].holds >> LateBit(rule)) & 1; }

  void Close(Rule rule, Seconds time) {
    state_.slot[static_cast<int>(rule)] = 0;
    if (static_cast<int>(rule) < FoldState::kLevelRules) Drop(static_cast<int>(rule));
    Episode& episode = Of(rule);
    episode.state = AlertState::kClosed;
    episode.closed = episode.changed = time;
    episode_[static_cast<int>(rule)] = -1;
  }

  // A second severe reading: not of the same moment.
  void Confirm(const Entry& entry, Describe describe) {
    if (StateOf(Rule::kSevereHigh) != AlertState::kOpen) {
      if (entry.time <= state_.pending_since && entry.high().severe != SevereLevel::kAtOnce) return;
      SetState(Rule::kSevereHigh, AlertState::kOpen, entry.time);
    }
    GoOn(Rule::kSevereHigh, entry, describe);
  }

  // One more severe reading of an episode that is on.
  void GoOn(Rule rule, const Entry& entry, Describe describe) {
    Episode& episode = Of(rule);
    episode.other = entry.key;
    episode.again |= describe == Describe::kYes;
    std::copy_n(entry.value, kChannels, episode.value);
  }

  void OpenSevere(Rule rule, AlertState state, const Entry& entry) {
    Open(rule, state, entry);
    Drop(static_cast<int>(rule));
    Hold(static_cast<int>(rule), entry, entry.severe_by);
    SetHold(0, LateBit(rule), entry.Has(Entry::kLate));
  }

  void SevereHigh(const Entry& entry, Describe describe) {
    constexpr Rule kRule = Rule::kSevereHigh;
    const Side side = entry.high();
    if (LeavesSevere(kRule, side, entry)) return;
    if (!side.IsSevere()) return;
    if (state_.On(kRule)) return Confirm(entry, describe);
    state_.pending_since = entry.time;
    const bool at_once = side.severe == SevereLevel::kAtOnce;
    OpenSevere(kRule, at_once ? AlertState::kOpen : AlertState::kPending, entry);
  }

  void SevereLow(const Entry& entry, Describe describe) {
    constexpr Rule kRule = Rule::kSevereLow;
    const Side side = entry.low();
    if (LeavesSevere(kRule, side, entry)) return;
    if (!side.IsSevere()) return;
    if (state_.On(kRule)) return GoOn(kRule, entry, describe);
    OpenSevere(kRule, AlertState::kOpen, entry);
  }

  // What a reading means for a severe episode that is on; whether there is no more to it. One that
  // came late is ended by a normal reading only, not by any that is less than severe; one in time
  // that is severe, too, begins an episode of its own: it is no repeat of what was hours ago.
  bool LeavesSevere(Rule rule, Side side, const Entry& entry) {
    if (!state_.On(rule)) return false;
    const int what = static_cast<int>(rule);
    if (side.severe != SevereLevel::kClear) {
      if (side.IsSevere() && IsLateOne(rule) && !entry.Has(Entry::kLate)) {
        Close(rule, entry.time);
      } else {
        Hold(what, entry, entry.severe_by);
      }
      return false;
    }
    const bool normal = side.ordinary == OrdinaryLevel::kClear;
    if ((normal || !IsLateOne(rule)) && Release(what, entry)) Close(rule, entry.time);
    return true;
  }

  void Ordinary(const Entry& entry) {
    Direction(entry, Rule::kHigh, 0, entry.high().ordinary);
    Direction(entry, Rule::kLow, 1, entry.low().ordinary);
  }

  void Direction(const Entry& entry, Rule rule, int direction, OrdinaryLevel level) {
    const bool reached = level == OrdinaryLevel::kReached, clear = level == OrdinaryLevel::kClear;
    const int what = static_cast<int>(rule), waits = FoldState::kCandidate + direction;
    Seconds& candidate = state_.candidate[direction];
    uint64_t& candidate_key = candidate_key_[direction];
    if (state_.On(rule)) {
      if (!clear) {
        Hold(what, entry, entry.ordinary_by);
      } else if (Release(what, entry)) {
        Close(rule, entry.time);
      }
      return;
    }
    if (clear && Release(waits, entry)) candidate = 0;
    if (!reached) return;
    const bool confirms =
        candidate != 0 && entry.time > candidate && entry.time - candidate <= now_->confirm_within;
    Hold(waits, entry, entry.ordinary_by);
    if (!confirms) {
      // Of several at one time the first.
      if (candidate != entry.time || candidate_key == 0) candidate_key = entry.key;
      candidate = entry.time;
      return;
    }
    Open(rule, AlertState::kOpen, entry);
    for (int c = 0; c < kChannels; ++c) {
      SetHold(c, what, (state_.channel[c].holds >> waits) & 1);
    }
    Drop(waits);
    Episode& episode = Of(rule);
    episode.other = entry.key;
    if (candidate_key != 0) episode.opener = candidate_key;
    episode.opened = candidate;
    candidate = 0;
  }

  void CheckReading(const Entry& entry) {
    const bool on = state_.On(Rule::kCheckReading);
    if (entry.Has(Entry::kImplausible)) {
      if (!on) Open(Rule::kCheckReading, AlertState::kOpen, entry);
    } else if (on) {
      Close(Rule::kCheckReading, entry.time);
    }
  }

  // The rhythm in which readings come.
  void Live(const Entry& entry) {
    if (state_.last_live != 0 && entry.time > state_.last_live) {
      const Seconds gap = entry.time - state_.last_live;
      state_.mean_gap = state_.mean_gap == 0 ? gap : (state_.mean_gap * 7ull + gap) / 8;
    }
    state_.last_live = std::max(state_.last_live, entry.time);
  }

  History HistoryOf(int channel) const {
    if (writable_ != nullptr) return History::Writable(writable_ + ptrdiff_t{channel} * kHistory);
    return History::ReadOnly(series_.history[channel]);
  }

  void CountDay(const Entry& entry) {
    const uint16_t day = DayOf(series_, entry.time);
    if (day != state_.last_day && state_.days < 255) ++state_.days;
    state_.last_day = day;
  }

  void Detectors(const Entry& entry, Describe describe, StepOutcome& out) {
    if (entry.Has(Entry::kNoBaseline)) return;
    const bool quiet = entry.Has(Entry::kLate) || entry.Has(Entry::kNoDetect);
    CountDay(entry);
    bool spike = false, shift = false;
    int by = 0;
    for (int c = 0; c < kChannels; ++c) {
      const ChannelTraits& traits = TraitsOf(series_.vital, c);
      if (traits.sigma == 0 || std::isnan(entry.value[c])) continue;
      Channel& channel = state_.channel[c];
      channel.warm |= channel.count >= kWarmReadings && state_.days >= kWarmDays;
      if (quiet) {
        AddToBaseline(channel, HistoryOf(c), ToHistory(entry.value[c], traits));
        continue;
      }
      const double fall = c == 0 ? now_->fall_from_baseline : kNoValue;
      out.channel[c] = Detect(channel, HistoryOf(c), traits, entry.value[c], fall, describe);
      if ((out.channel[c].spike && !spike) || (out.channel[c].shift && !shift && !spike)) by = c;
      spike |= out.channel[c].spike;
      shift |= out.channel[c].shift;
    }
    if (quiet) return;
    SpikeEpisode(entry, spike, out.channel[by], by);
    ShiftEpisode(entry, shift, out.channel[by], by);
    Drift(entry);
  }

  // A severe reading is told as such, not also as a spike.
  void SpikeEpisode(const Entry& entry, bool spike, const ChannelOutcome& outcome, int channel) {
    const bool told = entry.judged() && (entry.high().IsSevere() || entry.low().IsSevere());
    if (!spike && state_.On(Rule::kSpike)) Close(Rule::kSpike, entry.time);
    if (spike && !told && !state_.On(Rule::kSpike)) {
      Open(Rule::kSpike, AlertState::kOpen, entry);
      Explain(Rule::kSpike, outcome, channel);
    }
  }

  void ShiftEpisode(const Entry& entry, bool shift, const ChannelOutcome& outcome, int channel) {
    if (shift) {
      if (!state_.On(Rule::kShift)) {
        Open(Rule::kShift, AlertState::kOpen, entry);
        Explain(Rule::kShift, outcome, channel);
      }
      state_.shift_left = kShiftSettles;
    } else if (state_.On(Rule::kShift) && --state_.shift_left == 0) {
      Close(Rule::kShift, entry.time);
    }
  }

  void Explain(Rule rule, const ChannelOutcome& outcome, int channel) {
    Episode& episode = Of(rule);
    episode.outcome = outcome;
    episode.channel = static_cast<uint8_t>(channel);
  }

  void Drift(const Entry& entry) {
    const ChannelTraits& traits = TraitsOf(series_.vital, 0);
    if (traits.sigma == 0 || std::isnan(entry.value[0])) return;
    const uint16_t day = DayOf(series_, entry.time);
    const bool new_day = day != state_.drift_day;
    const float reference = state_.drift_reference;
    const bool drifted = FollowDay(state_, traits, day, entry.value[0]);
    if (new_day && state_.On(Rule::kDrift)) Close(Rule::kDrift, entry.time);
    if (!drifted) return;
    Open(Rule::kDrift, AlertState::kOpen, entry);
    ChannelOutcome outcome;
    outcome.mean = reference;
    outcome.sigma = static_cast<float>(traits.median_sigma);
    outcome.z = (state_.drift_average - reference) / outcome.sigma;
    outcome.count = state_.medians;
    Explain(Rule::kDrift, outcome, 0);
  }

  const Series& series_;
  FoldState& state_;
  std::span<const FoldRules> rules_;
  int16_t* writable_;
  Fold* result_;
  const FoldRules* now_ = nullptr;
  int episode_[kFoldRules];  // of the rule's episode that is on, in the result
  // Of the readings that state_.candidate tells the times of. 0: it is in the base, which is rare
  // (the ring is longer than an hour of home readings); the second then stands for both.
  uint64_t candidate_key_[2] = {};
  Episode spare_;
};

void Fold::Run(const Series& series, std::span<const FoldRules> rules, Seconds now,
               uint64_t watch) {
  tip_ = series.base;
  watched_ = StepOutcome();
  count_ = 0;
  Folder folder(series, tip_, rules, nullptr, this);
  folder.BeginFromBase();
  for (int i = 0; i < series.ring_count; ++i) {
    const Entry& entry = series.ring[i];
    const int half = OtherHalf(series, i);
    if (half > i) continue;  // with the other one
    const bool watched = entry.key == watch || (half >= 0 && series.ring[half].key == watch);
    const Describe describe = watched ? Describe::kYes : Describe::kNo;
    const StepOutcome out = half < 0
                                ? folder.Step(entry, IsRepeat(series, i), describe)
                                : folder.Step(Whole(series.ring[half], entry), false, describe);
    if (watched) watched_ = out;
  }
  folder.TimeOut(now);
}

bool Fold::Extend(const Series& series, std::span<const FoldRules> rules) {
  constexpr FoldState kNone;
  if (series.ring_count == 0 || series.tip_count != series.ring_count - 1) return false;
  if (std::memcmp(series.tip.slot, kNone.slot, sizeof kNone.slot) != 0) return false;
  tip_ = series.tip;
  count_ = 0;
  Folder folder(series, tip_, rules, nullptr, this);
  const int last = series.ring_count - 1;
  if (OtherHalf(series, last) >= 0) return false;
  watched_ = folder.Step(series.ring[last], IsRepeat(series, last), Describe::kYes);
  return count_ == 0;
}

void SettleOldest(Series& series, std::span<const FoldRules> rules) {
  VL_CHECK(series.ring_count > 0);
  // What repeats it will have nothing before it to be a repeat of.
  for (int i = 1; i < series.ring_count && series.ring[i].time == series.ring[0].time; ++i) {
    if (!IsRepeat(series, i)) continue;
    series.ring[i].SetUnjudged();
    series.ring[i].marks |= Entry::kLate | Entry::kNoDetect | Entry::kNoBaseline;
  }
  const Entry oldest = series.ring[0];
  Folder folder(series, series.base, rules, &series.history[0][0], nullptr);
  const int half = OtherHalf(series, 0);
  // What it says is known already.
  (void)folder.Step(half < 0 ? oldest : Whole(oldest, series.ring[half]), false, Describe::kNo);
  if (half >= 0) {
    series.ring[half].marks |= Entry::kSettled;
    series.tip_count = Series::kNoTip;  // others may lie between the two
  }
  series.base_time = std::max(series.base_time, oldest.time);
  --series.ring_count;
  series.tip_count = series.tip_count == 0 || series.tip_count == Series::kNoTip
                         ? Series::kNoTip
                         : static_cast<uint8_t>(series.tip_count - 1);
  std::memmove(series.ring, series.ring + 1, sizeof(Entry) * series.ring_count);
  series.ring[series.ring_count] = Entry();
}

}  // namespace vitalake::monitor
