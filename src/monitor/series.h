// The state of one patient and vital sign: at most 1 KB, plain bytes, no pointers.
//
// A series is a *base* and a *ring*. The ring holds the last readings one by one, in the order of
// their times; the base is what following all earlier readings in that order came to. Whatever
// happens to a reading of the ring (it comes late, again, in a new version, is retracted), the
// ring is changed and followed again from the base (fold.h): so the order of arrival cannot matter.
// The *tip*, what the ring came to last time, only saves that work for a reading that comes in
// order and has nothing to say. What is said outside, the alerts, is then brought in line with the
// outcome (reconcile.h).
//
// Times are seconds since 1970, 0 = none. Trivially copyable, no padding: a snapshot is its bytes.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>

#include "monitor/alert.h"
#include "monitor/limits.h"

namespace vitalake::monitor {

using Seconds = uint32_t;
inline constexpr Seconds kDaySeconds = 86'400;
inline constexpr int kChannels = 2;    // systolic (or the only value) and diastolic
inline constexpr int kRingSize = 8;    // readings that can be changed exactly
inline constexpr int kHistory = 52;    // earlier values that the baseline rests on
inline constexpr int kMostAlerts = 6;  // of one series at a time
inline constexpr int kDayValues = 6;   // of one day, for its median
inline constexpr float kNoValue = std::numeric_limits<float>::quiet_NaN();

// A value as the number that was sent: people read decimals, and the borders of levels are some.
inline std::optional<double> Decimal(float value) {
  if (std::isnan(value)) return std::nullopt;
  return std::round(static_cast<double>(value) * 1000) / 1000;
}

// One reading of the ring.
struct Entry {
  uint64_t key = 0;   // Hash64 of the reading key
  uint64_t rank = 0;  // PackRank: higher wins
  Seconds time = 0;   // at which it is judged
  float value[kChannels] = {kNoValue, kNoValue};
  // Of device and identifier: with time and values it tells a repeat; of half a blood pressure, of
  // the device alone: it tells the other half.
  uint16_t origin : 12 = 0;
  uint16_t severe_by : 2 = 0, ordinary_by : 2 = 0;  // as in JudgedLevel; of no use where clear
  uint16_t marks = 0;

  // What `marks` holds.
  // 0: not judged, else 1 + 9 * high + low, each of which is 3 * severe + ordinary.
  static constexpr int kLevel = 127;
  bool judged() const { return (marks & kLevel) != 0; }
  Side high() const { return SideOf(level() / 9); }
  Side low() const {
    Side side = SideOf(level() % 9);
    if (side.severe == SevereLevel::kReached) side.severe = SevereLevel::kAtOnce;
    return side;
  }
  void SetLevel(const JudgedLevel& level) {
    SetLevel(level.high, level.low);
    severe_by = level.severe_by & 3;
    ordinary_by = level.ordinary_by & 3;
  }
  void SetLevel(Side high, Side low) {
    if (low.severe == SevereLevel::kAtOnce) low.severe = SevereLevel::kReached;
    SetLevel(1 + 9 * NumberOf(high) + NumberOf(low));
  }
  void SetUnjudged() { SetLevel(0); }
  enum Mark : uint16_t {
    kLate = 1 << 7,          // came after the window: moves no detector, ends or begins no ordinary
                             // episode; with a level it is critical and young enough to be alerted
    kNoDetect = 1 << 8,      // moves no detector
    kNoBaseline = 1 << 9,    // does not count in the baseline
    kImplausible = 1 << 10,  // to be repeated
    kRetracted = 1 << 11,    // is nothing any more, but its rank stands
    kAgeUnknown = 1 << 12,   // judged by limits for unknown ages
    kLinked = 1 << 13,       // of a patient that was merged into this one
    kSettled = 1 << 14,      // half a blood pressure whose other half took it into the base
    kAtReceipt = 1 << 15,    // judged at the time it came: it has no moment of its own
  };
  bool Has(Mark mark) const { return marks & mark; }
  void SetMark(Mark mark, bool on) {
    marks = static_cast<uint16_t>(on ? marks | mark : marks & ~mark);
  }
  std::optional<double> ValueOf(int channel) const { return Decimal(value[channel]); }

 private:
  int level() const { return std::max((marks & kLevel) - 1, 0); }
  void SetLevel(int level) { marks = static_cast<uint16_t>((marks & ~kLevel) | level); }
  static Side SideOf(int number) {
    return {static_cast<SevereLevel>(number / 3), static_cast<OrdinaryLevel>(number % 3)};
  }
  static int NumberOf(Side side) {
    return 3 * static_cast<int>(side.severe) + static_cast<int>(side.ordinary);
  }
};

// The baseline of one channel and the detectors that stand on it. Values are integers (tenths;
// hundredths of a degree), so sums are exact and do not depend on the order.
struct Channel {
  int64_t sum_of_squares = 0;
  int32_t sum = 0;
  float up = 0, down = 0;    // CUSUM, in sigmas
  int16_t suspects[3] = {};  // values in a row on one side that were kept out of the baseline
  uint8_t suspect_count = 0;
  int8_t suspect_side = 0;  // +1 above, -1 below
  uint8_t count = 0;        // values in the baseline
  uint8_t head = 0;         // where the next one goes
  uint8_t warm = 0;         // detectors run
  uint8_t holds = 0;        // levels that are on by its value (FoldState::Hold), a bit each
};

// What following the readings comes to.
struct FoldState {
  Channel channel[kChannels];
  Seconds last_live = 0;          // newest reading that counts as in time
  Seconds mean_gap = 0;           // between such readings
  Seconds pending_since = 0;      // a severe reading waits for its repeat
  Seconds candidate[2] = {};      // high, low: an ordinary level that waits for a second reading
  uint8_t slot[kFoldRules] = {};  // per rule: 0, or 1 + AlertState of the episode that is on
  float drift_reference = 0, drift_average = 0;
  uint16_t last_day = 0, drift_day = 0;
  uint8_t days = 0;        // on which there were readings, up to 255
  uint8_t medians = 0;     // days that the drift average has seen, up to 255
  uint8_t day_count = 0;   // readings of drift_day
  uint8_t shift_left = 0;  // readings until a shift counts as the new usual
  int16_t day_values[kDayValues] = {};

  bool On(Rule rule) const { return slot[static_cast<int>(rule)] != 0; }

  // What a value can hold on: the episodes of the first four rules, by their numbers; an ordinary
  // level that waits for a second reading. One level holds on until every value that brought it
  // has been seen clear of it: a diastolic pressure alone says nothing of the systolic.
  static constexpr int kLevelRules = 4;
  static constexpr int kCandidate = 4;  // high; the next one: low
  // Not of a value: the severe episode that is on was begun by a late reading. In the first
  // channel.
  static constexpr int kLateSevere = 6;  // high; the next one: low
};

// An alert that was published and may still change.
struct AlertRecord {
  uint64_t opener = 0;  // the key of the reading that first raised it
  Seconds opened = 0, closed = 0;
  Seconds notified = 0;  // when a person was last told, by the monitor's clock
  Seconds snoozed = 0, acknowledged = 0;
  uint32_t next = 0;     // of the same series, in the order of opening; 0 = none
  uint32_t owner = 0;    // the patient whose name is in its id
  uint16_t version = 0;  // of the rule, in the monitor's list of names
  Rule rule = Rule::kHigh;
  AlertState state = AlertState::kOpen;
  Severity severity = Severity::kMedium;
  uint8_t marks = 0;
  uint8_t reminders = 0;           // how often it was told again
  Vital vital = Vital::kSeveral;   // in its id, of an alert of no single series
  Vital source = Vital::kSeveral;  // of its opener, the same
  uint8_t unused = 0;
  uint16_t model = 0;  // hash of the device model that a roll-up is of
  enum Mark : uint8_t {
    kInBase = 1,  // its episode was on when the base ends
    kIsLate = 2,  // raised by a late reading
    kCapped = 4,  // held back by the cap
    kCuff = 8,    // to be confirmed with a cuff
    kKnown = 16,  // of the operations queue: not for want of knowing who it is
  };
  bool Has(Mark mark) const { return marks & mark; }
};

// The opener of a silence, made of the last reading's key: a late reading may end a silence and the
// next begin after the same reading. Again, it gives the key.
inline uint64_t SilenceOf(uint64_t key, Seconds begin) {
  constexpr uint64_t kOdd = 0x9E37'79B9'7F4A'7C15;
  return key ^ (kOdd * begin);
}

struct Series {
  static constexpr uint8_t kNoTip = 255;
  FoldState base;
  FoldState tip;          // what base and the first `tip_count` of the ring come to
  Entry ring[kRingSize];  // by (time, key), the first `ring_count`
  int16_t history[kChannels][kHistory] = {};
  uint32_t patient = 0;
  uint32_t first_alert = 0;    // AlertRecord::next's beginning
  Seconds base_time = 0;       // of the newest reading in the base
  Seconds timer = 0;           // when the series wants to be looked at; 0 = never
  Seconds late_received = 0;   // when a late reading last came
  int16_t offset_minutes = 0;  // of the first reading: where the patient's days begin
  Vital vital = Vital::kBloodPressure;
  uint8_t ring_count = 0;
  uint8_t alert_count = 0;
  uint8_t tip_count = 0;  // kNoTip: not known any more
  uint8_t unused[6] = {};
};

static_assert(std::is_trivially_copyable_v<Series> && std::is_trivially_copyable_v<AlertRecord>);
static_assert(sizeof(Entry) == 32 && sizeof(Channel) == 32 && sizeof(AlertRecord) == 48);
static_assert(sizeof(Series) + kMostAlerts * sizeof(AlertRecord) <= 1024);

// A rank as one number: version, then last update (to 8 ms), then retraction.
uint64_t PackRank(const VersionRank& rank, bool retracted);

}  // namespace vitalake::monitor
