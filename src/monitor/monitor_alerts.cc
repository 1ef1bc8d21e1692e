// Episodes to alerts: what the fold found, against what was published.
#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "monitor/monitor_internal.h"

namespace vitalake::monitor {
namespace {

bool IsFoldRule(Rule rule) { return static_cast<int>(rule) < kFoldRules; }

bool IsDetector(Rule rule) {
  return rule == Rule::kSpike || rule == Rule::kShift || rule == Rule::kDrift;
}

bool IsSevere(const Episode& episode) { return episode.severity >= Severity::kHigh; }

// Whether a change of state is worth telling someone who knows of the alert.
bool IsNews(AlertState before, AlertState after) {
  return before != after && after != AlertState::kClosed;
}

}  // namespace

// As of when a series is followed: a reading is judged as of its receipt, though time may have
// passed since without it. What was told to be unconfirmed by then stays so.
Seconds Monitor::State::JudgedAt(const Series& series) const {
  if (cause_.reading == nullptr) return clock_;
  for (uint32_t r = series.first_alert; r != 0; r = records_[r].next) {
    if (records_[r].state == AlertState::kUnconfirmed) return clock_;
  }
  return std::min(clock_, ToSeconds(cause_.reading->received));
}

void Monitor::State::Reconcile(uint32_t index, uint64_t watch) {
  Series& series = series_[index];
  if (Rests(series)) return;
  const auto rules = FoldRulesOf(series);
  // Nothing was on and nothing began: what ended before has ended.
  const bool extended = watch != 0 && fold_.Extend(series, rules);
  if (!extended) fold_.Run(series, rules, JudgedAt(series), watch);
  series.tip = fold_.tip();
  series.tip_count = series.ring_count;
  if (extended || (series.first_alert == 0 && fold_.episodes().empty())) return;

  std::array<uint32_t, 32> numbers;
  std::array<const AlertRecord*, 32> known;
  size_t count = 0;
  for (uint32_t r = series.first_alert; r != 0; r = records_[r].next) {
    if (!IsFoldRule(records_[r].rule)) continue;
    VL_CHECK(count < known.size());
    numbers[count] = r;
    known[count++] = &records_[r];
  }
  const Matches matches(fold_.episodes(), {known.data(), count});
  for (size_t i = 0; i < count; ++i) {
    if (!matches.HasEpisode(i)) WithdrawAlert(index, numbers[i]);
  }
  for (size_t i = 0; i < fold_.episodes().size(); ++i) {
    const Episode& episode = fold_.episodes()[i];
    const int record = matches.RecordOf(i);
    if (record != kNoMatch) {
      FollowAlert(index, numbers[static_cast<size_t>(record)], episode);
    } else {
      OpenAlert(index, episode);
    }
  }
}

// What happened too long ago to be told to anybody. The age is that of the reading, or the
// time-out, that made the state what it is, not of the episode: it may have gone on for days.
bool Monitor::State::IsOldNews(const Episode& episode) const {
  return episode.changed != 0 && clock_ > episode.changed &&
         clock_ - episode.changed > ToSeconds(options_.late_critical_within);
}

// Whether one more severe reading is told although nothing else has changed: nobody has heard of
// the alert for as long as a reminder would have waited, or has taken it on for a day.
bool Monitor::State::IsToldAgain(const AlertRecord& record, const Episode& episode) const {
  if (!episode.again || episode.closed != 0 || record.snoozed > clock_) return false;
  if (record.acknowledged != 0 && clock_ - record.acknowledged < ToSeconds(options_.remind_after)) {
    return false;
  }
  return clock_ - record.notified >= ToSeconds(options_.remind_severe_after);
}

// Whether a severe alert of the same side is on: who knows of that is not told of this, too.
bool Monitor::State::IsBeneathSevere(const Series& series, Rule rule) const {
  if (rule != Rule::kHigh && rule != Rule::kLow) return false;
  const Rule severe = rule == Rule::kHigh ? Rule::kSevereHigh : Rule::kSevereLow;
  return FindRecord(series.first_alert, severe) != 0;
}

void Monitor::State::OpenAlert(uint32_t index, const Episode& episode) {
  Series& series = series_[index];
  const bool closed = episode.closed != 0;
  // A late critical reading is no news when a newer one is normal. What was on in the base and has
  // no record was withdrawn or held back before.
  if (episode.in_base || (closed && episode.late)) return;
  if (series.alert_count >= kMostAlerts && !IsSevere(episode)) return;
  // Nobody is asked to repeat a reading of somebody whom no rule judges.
  const uint32_t person = series.patient;
  if (episode.rule == Rule::kCheckReading &&
      (!patients_[person].known || IsSuppressed(person, episode.opened))) {
    return;
  }
  const uint32_t number = records_.New();
  AlertRecord& record = records_[number];
  record.opener = episode.opener;
  record.opened = episode.opened;
  record.closed = episode.closed;
  record.rule = episode.rule;
  record.state = episode.state;
  record.severity = episode.severity;
  record.owner = series.patient;
  const VitalRule* rule = cause_.rule;
  if (episode.rule == Rule::kSevereLow && cause_.beside != nullptr) rule = cause_.beside;
  const bool by_rule = !IsDetector(episode.rule) && rule != nullptr;
  record.version = VersionName(by_rule ? rule->version : kDetectorVersion);
  if (episode.late) record.marks |= AlertRecord::kIsLate;
  if (cause_.confirm_with_cuff) record.marks |= AlertRecord::kCuff;
  AddRecord(series.first_alert, number);
  ++series.alert_count;

  const bool old = IsOldNews(episode);
  const bool capped = !old && !closed && !IsSevere(episode) &&
                      !IsBeneathSevere(series, episode.rule) &&
                      IsCapped(series.patient, episode.rule);
  if (capped) record.marks |= AlertRecord::kCapped;
  record.notified = clock_;
  {
    AlertEvent& event = Emit(Change::kOpened, series.vital, record);
    event.notify = !old && !capped && !closed && !IsBeneathSevere(series, episode.rule);
    if (closed) event.state = AlertState::kOpen;
    AddEpisode(event, record, series, &episode);
    Count(event);
  }
  if (closed) {
    AlertEvent& event = Emit(Change::kClosed, series.vital, record);
    event.notify = false;
    AddEpisode(event, record, series, &episode);
    Count(event);
  }
  if (capped) RollUp(series.patient, episode.opener);
}

void Monitor::State::FollowAlert(uint32_t index, uint32_t number, const Episode& episode) {
  AlertRecord& record = records_[number];
  const AlertState before = record.state;
  const Severity severity = record.severity;
  const bool moved = !episode.in_base && record.opened != episode.opened;
  const bool again = IsToldAgain(record, episode);
  if (before == episode.state && severity == episode.severity && !moved && !again &&
      record.closed == episode.closed) {
    return;
  }
  if (moved) record.opened = episode.opened;
  record.state = episode.state;
  record.closed = episode.closed;
  record.severity = episode.severity;  // of a closed one, what it was in the order of times
  const bool ended = episode.closed != 0 && before != AlertState::kClosed;
  AlertEvent& event =
      Emit(ended ? Change::kClosed : Change::kUpdated, series_[index].vital, record);
  const bool graver = record.severity > severity;
  const bool quiet =
      record.Has(AlertRecord::kCapped) || record.acknowledged != 0 || record.snoozed > clock_;
  const bool news = IsNews(before, record.state) && (graver || !quiet) && !IsOldNews(episode);
  // Nobody is called to the dead because no repeat came.
  const bool passed = cause_.reading == nullptr && IsSuppressed(series_[index].patient, clock_);
  event.notify = (again || news) && !passed;
  if (event.notify) record.notified = clock_;
  AddEpisode(event, record, series_[index], &episode);
  if (again && before == record.state) event.explanation = "Once more: " + event.explanation;
  Count(event);
}

void Monitor::State::WithdrawAlert(uint32_t index, uint32_t number) {
  AlertRecord& record = records_[number];
  const bool was_on = record.state != AlertState::kClosed;
  record.state = AlertState::kWithdrawn;
  AlertEvent& event = Emit(Change::kWithdrawn, series_[index].vital, record);
  event.notify = was_on && !record.Has(AlertRecord::kCapped);
  AddEpisode(event, record, series_[index], nullptr);
  Count(event);
  DropRecord(index, number);
}

// An event with what its record knows. Valid until the next Emit.
AlertEvent& Monitor::State::Emit(Change change, Vital vital, const AlertRecord& record) {
  AlertEvent& event = events_.emplace_back();
  event.change = change;
  if (record.owner != 0) event.patient = patients_.KeyOf(record.owner);
  event.vital = vital;
  event.rule = record.rule;
  if (record.rule == Rule::kOperations) event.queue = Queue::kOperations;
  event.alert_id = AlertId(event.patient, vital, record.rule, record.opener);
  event.rule_version = versions_[record.version];
  event.severity = record.severity;
  event.state = record.state;
  event.opened_at = ToMicros(record.opened);
  event.updated_at = ToMicros(clock_);
  if (record.closed != 0) event.closed_at = ToMicros(record.closed);
  if (record.acknowledged != 0) event.acknowledged_at = ToMicros(record.acknowledged);
  if (record.snoozed != 0) event.snoozed_until = ToMicros(record.snoozed);
  const bool silence = record.rule == Rule::kSilence;
  event.reading_keys[0] = silence ? SilenceOf(record.opener, record.opened) : record.opener;
  event.position = cause_.position;
  event.actor = cause_.actor;
  return event;
}

// Adds what the episode (null: none any more) and the input at hand know.
void Monitor::State::AddEpisode(AlertEvent& event, const AlertRecord& record, const Series& series,
                                const Episode* episode) {
  if (cause_.reading != nullptr) event.reading_id = cause_.reading->id;
  if (episode != nullptr) {
    event.reading_keys[1] = episode->other;
    event.value = Decimal(episode->value[0]);
    event.diastolic = Decimal(episode->value[1]);
    if (episode->outcome.count > 0) {
      event.baseline_mean = Decimal(episode->outcome.mean);
      event.baseline_sigma = Decimal(episode->outcome.sigma);
      event.baseline_readings = episode->outcome.count;
    }
    if (episode->late && series.late_received > episode->opened) {
      event.late_by = ToMicros(series.late_received - episode->opened);
    }
  }
  if (cause_.rule != nullptr && !IsDetector(event.rule)) {
    const Levels& levels = cause_.rule->levels;
    event.window_s =
        event.rule == Rule::kSevereHigh ? levels.escalate_after_s : levels.confirm_within_s;
  }
  const bool cuff = cause_.confirm_with_cuff || record.Has(AlertRecord::kCuff);
  event.explanation = Explain(event, {cause_.rule, episode, cuff});
}

// What the series last followed knows of an alert that is on.
void Monitor::State::AddCurrent(AlertEvent& event, const AlertRecord& record,
                                const Series& series) {
  for (const Episode& episode : fold_.episodes()) {
    const bool same = episode.rule == record.rule && episode.closed == 0;
    if (same) AddEpisode(event, record, series, &episode);
  }
}

// What an alert is about as of now, for a step that no reading brings.
void Monitor::State::DescribeAgain(AlertEvent& event, uint32_t person, Vital vital,
                                   const AlertRecord& record) {
  if (vital == Vital::kSeveral) return DescribeOfPatient(event, person, record);
  const Series& series = series_[patients_[person].series[static_cast<size_t>(vital)]];
  cause_.rule = rules_.back().second.Find({vital, ToMicros(clock_), false, false});
  fold_.Run(series, FoldRulesOf(series), clock_, 0);
  if (record.rule == Rule::kSilence) {
    event.window_s = record.opened - std::max(fold_.tip().last_live, series.late_received);
    event.explanation = Explain(event, {});
  }
  AddCurrent(event, record, series);
}

void Monitor::State::Count(const AlertEvent& event) {
  switch (event.change) {
    case Change::kOpened:
      ++counters_.opened;
      if (event.rule == Rule::kSpike) ++counters_.spikes;
      if (event.rule == Rule::kShift) ++counters_.shifts;
      break;
    case Change::kUpdated:
      ++counters_.updated;
      break;
    case Change::kClosed:
      ++counters_.closed;
      break;
    case Change::kWithdrawn:
      ++counters_.withdrawn;
      break;
  }
  if (event.notify) ++counters_.notified;
}

// Of the device that the reading at hand names; 0: of none.
uint64_t Monitor::State::ModelAtHand() const {
  if (cause_.reading == nullptr || cause_.reading->device_model.empty()) return 0;
  return Hash64(cause_.reading->device_model);
}

// Whether the patient and device model have had their share of today.
bool Monitor::State::IsCapped(uint32_t person, Rule rule) {
  if (rule == Rule::kCheckReading) return false;  // it asks for a reading, nobody is called
  Cap& cap = caps_[{person, ModelAtHand()}];
  if (cap.since == 0 || clock_ - cap.since >= kDaySeconds) cap = {clock_, 0};
  if (static_cast<int>(++cap.count) <= options_.most_alerts_per_day) return false;
  ++counters_.capped;
  return true;
}

// Appends, so that a list is in the order of opening.
void Monitor::State::AddRecord(uint32_t& first, uint32_t number) {
  records_[number].next = 0;
  uint32_t* at = &first;
  while (*at != 0) at = &records_[*at].next;
  *at = number;
}

void Monitor::State::RemoveRecord(uint32_t& first, uint32_t number) {
  uint32_t* at = &first;
  while (*at != number) {
    VL_CHECK(*at != 0);
    at = &records_[*at].next;
  }
  *at = records_[number].next;
  records_[number].next = 0;
}

void Monitor::State::DropRecord(uint32_t index, uint32_t number) {
  Series& series = series_[index];
  const uint64_t opener = records_[number].opener;
  RemoveRecord(series.first_alert, number);
  --series.alert_count;
  records_.Free(number);
  Forget(index, opener);
}

// The alert of a rule that is on; 0 when there is none.
uint32_t Monitor::State::FindRecord(uint32_t first, Rule rule) const {
  for (uint32_t r = first; r != 0; r = records_[r].next) {
    if (records_[r].rule == rule && records_[r].state != AlertState::kClosed) return r;
  }
  return 0;
}

uint16_t Monitor::State::VersionName(std::string_view name) {
  const auto at = std::find(versions_.begin(), versions_.end(), name);
  if (at != versions_.end()) return static_cast<uint16_t>(at - versions_.begin());
  VL_CHECK(versions_.size() < 0xFFFF);  // one per activated rule set version
  versions_.emplace_back(name);
  return static_cast<uint16_t>(versions_.size() - 1);
}

}  // namespace vitalake::monitor
