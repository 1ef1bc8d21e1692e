#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/check.h"
#include "monitor/monitor_internal.h"

namespace vitalake::monitor {
namespace {

using clinical::Comparator;
using clinical::Quality;

constexpr Micros kClockAhead = 5 * 60 * kSecond;
constexpr size_t kMostTombstones = 65'536;
constexpr double kLeastDetectorAge = 13;  // years

float ToValue(std::optional<double> value) {
  return value && std::isfinite(*value) ? static_cast<float>(*value) : kNoValue;
}

// As the lake's key index hashes keys.
uint64_t KeyOf(const Reading& reading) {
  const std::string_view space = reading.patient.id_space;
  return Hash64(reading.id, space.empty() ? 0 : Hash64(space));
}

uint16_t OriginOf(const Reading& reading) {
  // The two halves of a blood pressure have identifiers of their own.
  const bool half = reading.vital == Vital::kBloodPressure &&
                    reading.value.has_value() != reading.diastolic.has_value();
  if (half) return static_cast<uint16_t>(Hash64(reading.device));
  return static_cast<uint16_t>(Hash64(reading.identifier, Hash64(reading.device)));
}

}  // namespace

// Steps of a reading:
//   1. Timers that are due run.
//   2. The patient, the survivor of a merge, the series.
//   3. What a retraction or a higher version has taken back already is refused, also one of another
//   patient or vital sign; what an earlier version said elsewhere is taken back.
//   4. Time: effective, or received where there is no moment or it lies ahead; in the window or
//   late.
//   5. Level, under the rule in force for this patient; what the detectors may use.
//   6. Into the ring; the ring is followed; alerts are brought in line.
//   7. Operations queue and NEWS2.
Observation Monitor::State::Observe(const Reading& reading) {
  Begin(reading.received, reading.position);
  ++counters_.readings;
  Judgement judgement;
  judgement.quality = reading.quality;
  cause_.reading = &reading;
  const bool watched = !reading.patient.id.empty() &&
                       static_cast<int>(reading.vital) < kVitalCount &&
                       reading.status != ReadingStatus::kQuiet;
  if (watched) {
    const uint32_t patient = patients_.FindOrAdd(reading.patient);
    const uint32_t person = PersonOf(patient);
    judgement = Take(reading, person, person != patient);
  } else if (reading.status == ReadingStatus::kQuiet) {
    judgement.outcome = TakeBackAnywhere(reading);
  } else if (reading.patient.id.empty() && reading.status == ReadingStatus::kRetracted) {
    judgement.outcome = RetractAnywhere(reading);
  } else if (reading.patient.id.empty() && reading.critical &&
             !IsBuried(KeyOf(reading), PackRank(reading.rank, false))) {
    CallOperations(reading, 0, KeyOf(reading));
  }
  switch (judgement.outcome) {
    case Outcome::kTaken:
      ++counters_.taken;
      break;
    case Outcome::kDuplicate:
      ++counters_.duplicates;
      break;
    case Outcome::kSuperseded:
      ++counters_.superseded;
      break;
    case Outcome::kRetracted:
      ++counters_.retracted;
      break;
    case Outcome::kUnwatched:
      ++counters_.unwatched;
      break;
  }
  cause_ = {};
  return {judgement, events_};
}

void Monitor::State::Begin(Micros time, int64_t position) {
  events_.clear();
  ended_.clear();
  cause_ = {};
  cause_.position = position;
  RunTimers(ToSeconds(time));
  cause_.rule = nullptr;
}

Judgement Monitor::State::Take(const Reading& reading, uint32_t person, bool linked) {
  Judgement judgement;
  judgement.quality = reading.quality;
  const uint32_t index = SeriesOf(person, reading.vital, reading.offset_minutes);
  const uint64_t key = KeyOf(reading);
  if (reading.status == ReadingStatus::kRetracted) {
    judgement.outcome = Retract(reading, index);
    RetractElsewhere(reading, index, key);
    return judgement;
  }
  const uint64_t rank = PackRank(reading.rank, false);
  if (IsBuried(key, rank) || IsSupersededElsewhere(index, key, rank)) {
    judgement.outcome = Outcome::kSuperseded;
    return judgement;
  }
  TakeBackElsewhere(reading, index, key, rank);
  const Timing timing = TimingOf(reading);
  if (timing.late) {
    judgement.late_by = timing.late_by;
    ++counters_.late;
  }
  Entry entry = EntryOf(reading, person, timing, judgement);
  entry.key = key;
  if (linked) entry.marks |= Entry::kLinked;
  switch (Put(index, entry)) {
    case RingOutcome::kDuplicate:
      judgement.outcome = Outcome::kDuplicate;
      return judgement;
    case RingOutcome::kSuperseded:
      judgement.outcome = Outcome::kSuperseded;
      return judgement;
    case RingOutcome::kOlder:
    case RingOutcome::kChanged:
      judgement.outcome = Outcome::kTaken;
      break;
  }
  if (timing.late) series_[index].late_received = ToSeconds(reading.received);
  Reconcile(index, key);
  Describe(judgement, series_[index], key);
  BreakSilence(index);
  Schedule(index);
  if (reading.critical && !entry.judged() && !timing.too_late) {
    CallOperations(reading, person, key);
  } else {
    WithdrawOperations(person, key);  // a version before this one may have been critical
  }
  if (reading.inpatient) patients_[person].in_hospital = clock_;
  if (reading.inpatient || FindRecord(patients_[person].first_alert, Rule::kNews2) != 0) {
    judgement.news2 = FollowNews2(person, key);
  }
  return judgement;
}

Monitor::State::Timing Monitor::State::TimingOf(const Reading& reading) const {
  Timing timing;
  timing.time = ToSeconds(reading.received);
  if (!reading.effective) {
    timing.imprecise = true;
    return timing;
  }
  const Micros lateness = reading.received - *reading.effective;
  if (lateness < -kClockAhead) {
    timing.ahead = true;
    return timing;
  }
  timing.time = ToSeconds(*reading.effective);
  timing.late_by = lateness;
  timing.late = lateness > options_.late_after;
  timing.too_late = lateness > options_.late_critical_within;
  return timing;
}

Entry Monitor::State::EntryOf(const Reading& reading, uint32_t person, const Timing& timing,
                              Judgement& judgement) {
  Entry entry;
  entry.rank = PackRank(reading.rank, false);
  entry.time = timing.time;
  entry.value[0] = ToValue(reading.value);
  if (reading.vital == Vital::kBloodPressure) entry.value[1] = ToValue(reading.diastolic);
  entry.origin = OriginOf(reading) & 0xFFF;

  const auto age = AgeOf(person, timing.time);
  const JudgedLevel level = LevelOf(reading, person, timing, age);
  judgement.code = level.code;
  judgement.age_unknown = level.age_unknown;
  judgement.reached = level.Reached();
  if (level.judged) judgement.rule_version = cause_.rule->version;
  if (!level.judged) ++counters_.without_rule;
  const bool implausible = reading.quality.Has(Quality::kImplausible);
  if (level.judged && !timing.too_late && !implausible) entry.SetLevel(level);

  const bool off_scale =
      reading.comparator != Comparator::kNone || reading.diastolic_comparator != Comparator::kNone;
  const bool out_of_baseline = implausible || off_scale || timing.imprecise || timing.ahead ||
                               reading.quality.Has(Quality::kRepeatOf);
  const bool suppressed = IsSuppressed(person, timing.time);
  if (suppressed) ++counters_.suppressed;
  const auto mark = [&](bool when, Entry::Mark what) {
    if (when) entry.marks |= what;
  };
  mark(timing.late, Entry::kLate);
  // A source whose times cannot be used is given the time of receipt as its own.
  mark(timing.imprecise || timing.ahead || reading.effective == reading.received,
       Entry::kAtReceipt);
  mark(out_of_baseline, Entry::kNoBaseline);
  mark(out_of_baseline || suppressed || !age || *age < kLeastDetectorAge, Entry::kNoDetect);
  mark(implausible, Entry::kImplausible);
  mark(level.age_unknown, Entry::kAgeUnknown);
  if (timing.imprecise) judgement.quality.Add(Quality::kTimeImprecise);
  if (timing.ahead) judgement.quality.Add(Quality::kClockAhead);
  return entry;
}

// The level under the rule for this patient; notes the rule for the alerts that come of it.
JudgedLevel Monitor::State::LevelOf(const Reading& reading, uint32_t person, const Timing& timing,
                                    std::optional<double> age) {
  const Patient& patient = patients_[person];
  const Micros time = ToMicros(timing.time);
  const PatientSettings* settings = SettingsOf(person, time);
  auto device = reading.device_type;
  LevelQuery query;
  RuleQuery which{reading.vital, time, false, false};
  if (settings != nullptr) {
    device = settings->device_type.value_or(device);
    which.pregnant = settings->pregnant;
    which.scale_two = settings->oxygen_scale_two;
    for (const auto& [vital, limits] : settings->limits) {
      if (vital == reading.vital) query.personal = &limits;
    }
  }
  cause_.confirm_with_cuff =
      reading.vital == Vital::kBloodPressure &&
      (device == clinical::Device::kCuffless || device == clinical::Device::kUnknownType);
  cause_.rule = rules_.back().second.Find(which);
  cause_.beside = nullptr;
  if (cause_.rule == nullptr || !patient.known || IsSuppressed(person, timing.time)) return {};
  query.age_years = age;
  JudgedLevel level = JudgeLevel(*cause_.rule, reading, query);
  which.beside = true;
  const VitalRule* beside = rules_.back().second.Find(which);
  if (beside == nullptr || !level.judged) return level;
  const JudgedLevel other = JudgeLevel(*beside, reading, {age, nullptr});
  if (other.low.severe <= level.low.severe) return level;
  level.low.severe = other.low.severe;
  level.severe_by |= other.severe_by;
  if (other.low.IsSevere()) cause_.beside = beside;
  return level;
}

RingOutcome Monitor::State::Put(uint32_t index, const Entry& entry) {
  Series& series = series_[index];
  if (FindKey(series, entry.key) < 0) {
    if (IsOlderThanRing(series, entry)) {
      AddToBase(series, entry);
      return RingOutcome::kOlder;
    }
    MakeRoom(index);
    keys_.Add(entry.key, index);
  }
  return PutEntry(series, entry);
}

// The ring has room for one reading more, and its alerts for a few.
void Monitor::State::MakeRoom(uint32_t index) {
  const Series& series = series_[index];
  while (series.ring_count == kRingSize ||
         (series.ring_count > 1 && series.alert_count > kMostAlerts - 2)) {
    Settle(index);
  }
}

// The oldest reading of the ring goes into the base. Alerts that ended with it are final; those
// that began with it are from now on known by their rule.
void Monitor::State::Settle(uint32_t index) {
  Series& series = series_[index];
  const Entry oldest = series.ring[0];
  if (oldest.Has(Entry::kRetracted)) Bury(oldest.key, oldest.rank);
  uint8_t before[kFoldRules];
  std::copy_n(series.base.slot, kFoldRules, before);
  SettleOldest(series, FoldRulesOf(series));
  for (int i = 0; i < kFoldRules; ++i) {
    const bool on = series.base.slot[i] != 0;
    uint32_t was = 0, began = 0;
    for (uint32_t r = series.first_alert; r != 0; r = records_[r].next) {
      const AlertRecord& record = records_[r];
      if (record.rule != static_cast<Rule>(i)) continue;
      if (record.Has(AlertRecord::kInBase)) was = r;
      // The first that is not known by its rule yet.
      if (!record.Has(AlertRecord::kInBase) && began == 0 && record.opened <= oldest.time)
        began = r;
    }
    const bool again = on && before[i] != 0 && began != 0 && records_[began].opener == oldest.key;
    if (was != 0 && before[i] != 0 && (!on || again)) DropRecord(index, was);
    if (began != 0 && on && (before[i] == 0 || again))
      records_[began].marks |= AlertRecord::kInBase;
  }
  Forget(index, oldest.key);
}

Outcome Monitor::State::Retract(const Reading& reading, uint32_t index) {
  const uint64_t key = KeyOf(reading);
  const uint64_t rank = PackRank(reading.rank, true);
  cause_.rule = rules_.back().second.Find({series_[index].vital, ToMicros(clock_), false, false});
  switch (RetractEntry(series_[index], key, rank)) {
    case RingOutcome::kChanged:
      FollowRetraction(index, key);
      return Outcome::kRetracted;
    case RingOutcome::kDuplicate:
      return Outcome::kDuplicate;
    case RingOutcome::kSuperseded:
      return Outcome::kSuperseded;
    case RingOutcome::kOlder:
      break;
  }
  const Series& series = series_[index];
  // Of a record of several vital signs each may have raised an alert.
  if (IsBuried(key, rank) && !HasOpener(series, key)) return Outcome::kDuplicate;
  Bury(key, rank);
  const float value[kChannels] = {ToValue(reading.value), ToValue(reading.diastolic)};
  if (reading.vital == series.vital && reading.effective &&
      ToSeconds(*reading.effective) <= series.base_time) {
    RemoveFromBase(series_[index], value);
  }
  RetractOpener(index, key);
  FollowRetraction(index, key);
  return Outcome::kRetracted;
}

// Brings alerts in line with a series in which a reading counts no more.
void Monitor::State::FollowRetraction(uint32_t index, uint64_t key) {
  const uint32_t person = series_[index].patient;
  Reconcile(index, 0);
  Schedule(index);
  WithdrawOperations(person, key);
  if (FollowsNews2(person)) (void)FollowNews2(person, key);
}

// A retraction that names no patient: whichever series knows the reading. One that none knows will
// not count when it comes.
Outcome Monitor::State::RetractAnywhere(const Reading& reading) {
  const uint64_t key = KeyOf(reading);
  WithdrawUnheld(key);
  std::optional<Outcome> outcome;
  for (const uint32_t index : SeriesWith(key)) {
    const Outcome here = Retract(reading, index);
    if (outcome != Outcome::kRetracted) outcome = here;
  }
  if (outcome) return *outcome;
  const uint64_t rank = PackRank(reading.rank, true);
  if (IsBuried(key, rank)) return Outcome::kDuplicate;
  Bury(key, rank);
  return Outcome::kRetracted;
}

// A retraction that names another patient or vital sign than the reading had.
void Monitor::State::RetractElsewhere(const Reading& reading, uint32_t index, uint64_t key) {
  for (const uint32_t other : SeriesWith(key)) {
    if (other != index) (void)Retract(reading, other);
  }
}

// A version that has no value any more, or is not to be judged.
Outcome Monitor::State::TakeBackAnywhere(const Reading& reading) {
  const uint64_t key = KeyOf(reading);
  const uint64_t rank = PackRank(reading.rank, false);
  bool taken = false;
  for (const uint32_t index : SeriesWith(key)) taken |= TakeBack(index, key, rank);
  if (taken) return Outcome::kRetracted;
  // The version before it may still come.
  const bool watched = static_cast<int>(reading.vital) < kVitalCount;
  if (watched && reading.rank.version > 1) Bury(key, rank);
  return Outcome::kUnwatched;
}

// Whether a higher version has moved to another patient or vital sign.
bool Monitor::State::IsSupersededElsewhere(uint32_t index, uint64_t key, uint64_t rank) const {
  for (const uint32_t other : SeriesWith(key)) {
    if (other == index) continue;
    const int at = FindKey(series_[other], key);
    if (at >= 0 && series_[other].ring[at].rank > rank) return true;
  }
  return false;
}

// What an earlier version said of another patient or vital sign than this one does.
void Monitor::State::TakeBackElsewhere(const Reading& reading, uint32_t index, uint64_t key,
                                       uint64_t rank) {
  const uint32_t person = series_[index].patient;
  for (const uint32_t other : SeriesWith(key)) {
    const Series& series = series_[other];
    const bool has = (reading.vitals >> static_cast<int>(series.vital)) & 1;
    if (other != index && !(series.patient == person && has)) (void)TakeBack(other, key, rank);
  }
}

// False when there is nothing to take back. The version of one that has left the ring is not known:
// a first one cannot be higher.
bool Monitor::State::TakeBack(uint32_t index, uint64_t key, uint64_t rank) {
  Series& series = series_[index];
  cause_.rule = rules_.back().second.Find({series.vital, ToMicros(clock_), false, false});
  if (FindKey(series, key) < 0) {
    if (rank < PackRank({.version = 2, .last_updated = {}}, false)) return false;
    RetractOpener(index, key);
  } else if (RetractEntry(series, key, rank) != RingOutcome::kChanged) {
    return false;
  }
  FollowRetraction(index, key);
  return true;
}

// In the order of their numbers, but those that rest after a merge.
std::vector<uint32_t> Monitor::State::SeriesWith(uint64_t key) const {
  std::vector<uint32_t> found;
  keys_.ForEach(key, [&](uint32_t index) {
    const Series& series = series_[index];
    if (Rests(series)) return;
    if (FindKey(series, key) >= 0 || HasOpener(series, key)) found.push_back(index);
  });
  std::sort(found.begin(), found.end());
  return found;
}

bool Monitor::State::HasOpener(const Series& series, uint64_t key) const {
  for (uint32_t r = series.first_alert; r != 0; r = records_[r].next) {
    if (records_[r].opener == key) return true;
  }
  for (uint32_t r = patients_[series.patient].first_alert; r != 0; r = records_[r].next) {
    if (records_[r].opener == key && records_[r].source == series.vital) return true;
  }
  return false;
}

// Unless the series still knows the key.
void Monitor::State::Forget(uint32_t index, uint64_t key) {
  const Series& series = series_[index];
  if (FindKey(series, key) < 0 && !HasOpener(series, key)) keys_.Remove(key, index);
}

// The reading that raised an alert is retracted, but the ring knows it no more.
void Monitor::State::RetractOpener(uint32_t index, uint64_t key) {
  Series& series = series_[index];
  for (uint32_t r = series.first_alert; r != 0; r = records_[r].next) {
    const AlertRecord& record = records_[r];
    if (!record.Has(AlertRecord::kInBase) || record.opener != key) continue;
    series.base.slot[static_cast<size_t>(record.rule)] = 0;
    series.tip_count = Series::kNoTip;
  }
}

bool Monitor::State::IsBuried(uint64_t key, uint64_t rank) const {
  if (tombstones_.empty()) return false;
  const auto at = tombstones_.find(key);
  return at != tombstones_.end() && at->second.rank >= rank;
}

void Monitor::State::Bury(uint64_t key, uint64_t rank) {
  const auto [at, made] = tombstones_.try_emplace(key, Tombstone{rank, clock_});
  if (!made) {
    at->second.rank = std::max(at->second.rank, rank);
    return;
  }
  burials_.push_back(key);
  if (burials_.size() <= kMostTombstones) return;
  tombstones_.erase(burials_.front());
  burials_.pop_front();
}

void Monitor::State::Describe(Judgement& judgement, const Series& series, uint64_t key) const {
  const StepOutcome& seen = fold_.watched();
  if (const int at = FindKey(series, key); at >= 0) {
    for (int i = 0; i < series.ring_count; ++i) {
      if (AreTwins(series.ring[i], series.ring[at])) judgement.quality.Add(Quality::kRepeatOf);
    }
  }
  for (int c = 0; c < kChannels; ++c) {
    const ChannelOutcome& outcome = seen.channel[c];
    judgement.spike |= outcome.spike;
    judgement.shift |= outcome.shift;
    if (outcome.count == 0) continue;
    judgement.baseline[c] = {outcome.count, outcome.mean, outcome.sigma, outcome.z};
  }
}

uint32_t Monitor::State::SeriesOf(uint32_t person, Vital vital, int16_t offset_minutes) {
  uint32_t& index = patients_[person].series[static_cast<size_t>(vital)];
  if (index == 0) {
    index = series_.New();
    Series& series = series_[index];
    series.patient = person;
    series.vital = vital;
    series.offset_minutes = offset_minutes;
  }
  // Nearly all of it is about to be read, and with many patients none of it is near.
  const char* bytes = reinterpret_cast<const char*>(&series_[index]);
  constexpr size_t kLine = 64;
  for (size_t at = 0; at < sizeof(Series); at += kLine) __builtin_prefetch(bytes + at, 1);
  return index;
}

// The survivor of the merges that a patient went into. Of a circle the one that was met first.
uint32_t Monitor::State::PersonOf(uint32_t patient) const {
  constexpr int kLongestChain = 16;
  uint32_t person = patient;
  for (int i = 0; patients_[person].survivor != 0; ++i) {
    if (i == kLongestChain) {
      uint32_t first = person;
      for (; i > 0 && patients_[person].survivor != 0; --i) {
        person = patients_[person].survivor;
        first = std::min(first, person);
      }
      return patients_[person].survivor == 0 ? person : first;
    }
    person = patients_[person].survivor;
  }
  return person;
}

const PatientSettings* Monitor::State::SettingsOf(uint32_t person, Micros time) const {
  const PatientSettings* found = nullptr;
  const auto look = [&](uint32_t patient) {
    for (const PatientSettings& settings : settings_.at(patient)) {
      const bool in_force = settings.from <= time && (!settings.until || time < *settings.until);
      if (in_force && (found == nullptr || settings.from >= found->from)) found = &settings;
    }
  };
  if (!brought_.empty()) {
    const auto brought = brought_.find(person);
    if (brought != brought_.end()) std::ranges::for_each(brought->second, look);
  }
  if (patients_[person].has_settings) look(person);
  return found;
}

void Monitor::State::FindBroughtSettings() {
  brought_.clear();
  for (const auto& [patient, _] : settings_) {
    if (const uint32_t person = PersonOf(patient); person != patient) {
      brought_[person].push_back(patient);
    }
  }
}

// Whole years, by the calendar.
std::optional<double> Monitor::State::AgeOf(uint32_t person, Seconds time) const {
  const Patient& patient = patients_[person];
  if (!patient.has_birth_day) return std::nullopt;
  using std::chrono::days, std::chrono::sys_days, std::chrono::year_month_day;
  const year_month_day birth{sys_days{days{patient.birth_day}}};
  const year_month_day day{sys_days{days{time / kDaySeconds}}};
  const int years = static_cast<int>(day.year()) - static_cast<int>(birth.year());
  const bool before_birthday =
      std::pair(day.month(), day.day()) < std::pair(birth.month(), birth.day());
  return years - (before_birthday ? 1 : 0);
}

// Of the population that the patient belongs to now.
std::span<const FoldRules> Monitor::State::FoldRulesOf(const Series& series) const {
  const PatientSettings* settings = SettingsOf(series.patient, ToMicros(clock_));
  const bool pregnant = settings != nullptr && settings->pregnant;
  return fold_rules_[pregnant ? 1 : 0][static_cast<size_t>(series.vital)];
}

bool Monitor::State::IsSuppressed(uint32_t person, Seconds time) const {
  const Patient& patient = patients_[person];
  return patient.is_test || (patient.deceased && ToMicros(time) >= patient.deceased_at);
}

}  // namespace vitalake::monitor
