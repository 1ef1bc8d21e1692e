// Timers: what happens because nothing came.
#include <algorithm>
#include <functional>

#include "monitor/monitor_internal.h"

namespace vitalake::monitor {
namespace {

constexpr int kGapsOfSilence = 4;
constexpr Seconds kLongestGap = 7 * kDaySeconds;  // rarer readings have no rhythm to miss
constexpr int kRhythmDays = 3;

bool IsReminded(Rule rule) {
  return rule == Rule::kSevereHigh || rule == Rule::kSevereLow || rule == Rule::kHigh ||
         rule == Rule::kLow || rule == Rule::kNews2;
}

Seconds EndOfRollUp(const AlertRecord& record) {
  return record.rule == Rule::kTooMany ? record.opened + kDaySeconds : 0;
}

Seconds Sooner(Seconds a, Seconds b) {
  if (a == 0 || b == 0) return std::max(a, b);
  return std::min(a, b);
}

}  // namespace

std::span<const AlertEvent> Monitor::State::Tick(Micros time, int64_t position) {
  Begin(time, position);
  cause_ = {};
  return events_;
}

// Each timer sees the time at which it was due, however long nothing came.
void Monitor::State::RunTimers(Seconds until) {
  while (!timers_.empty() && timers_.front().due <= until) {
    const Timer timer = timers_.front();
    std::pop_heap(timers_.begin(), timers_.end(), std::greater<>());
    timers_.pop_back();
    if (!timer.of_patient && timer.number == 0) {
      clock_ = std::max(clock_, timer.due);
      EndOldUnheld();
      ScheduleUnheld();
      continue;
    }
    if (ArmedFor(timer) != timer.due) continue;  // void
    ArmedFor(timer) = 0;
    clock_ = std::max(clock_, timer.due);
    if (timer.of_patient) {
      OnPatientTimer(timer.number);
    } else {
      OnTimer(timer.number);
    }
  }
  clock_ = std::max(clock_, until);
}

Seconds& Monitor::State::ArmedFor(const Timer& timer) {
  return timer.of_patient ? patients_[timer.number].timer : series_[timer.number].timer;
}

// When the timer is due or before; 0: never.
void Monitor::State::Arm(const Timer& timer) {
  if (timer.due == 0) return;
  const Seconds due = std::max(timer.due, clock_ + 1);
  Seconds& armed = ArmedFor(timer);
  if (armed != 0 && armed <= due) return;  // it will look again then
  armed = due;
  timers_.push_back({due, timer.of_patient, timer.number});
  std::push_heap(timers_.begin(), timers_.end(), std::greater<>());
}

void Monitor::State::OnTimer(uint32_t index) {
  const Series& series = series_[index];
  if (Rests(series)) return;
  // Most timers are those of silence, and readings have come since.
  if (series.first_alert == 0 && series.tip_count == series.ring_count &&
      SilenceDue(series, series.tip) > clock_) {
    Schedule(index);
    return;
  }
  cause_.rule = rules_.back().second.Find({series.vital, ToMicros(clock_), false, false});
  Reconcile(index, 0);
  Remind(index);
  if (const Seconds due = SilenceDue(series, fold_.tip()); due != 0 && due <= clock_) {
    FallSilent(index);
  }
  Schedule(index);
}

// Looks at the series again when the first of its timers is due. Its tip is up to date.
void Monitor::State::Schedule(uint32_t index) {
  const Series& series = series_[index];
  if (Rests(series)) return;
  const FoldState& tip = series.tip;
  Seconds due = SilenceDue(series, tip);
  const bool suppressed = IsSuppressed(series.patient, clock_);
  for (uint32_t r = series.first_alert; r != 0; r = records_[r].next) {
    const AlertRecord& record = records_[r];
    if (record.rule == Rule::kSevereHigh && record.state == AlertState::kPending) {
      due = Sooner(due, tip.pending_since + FoldRulesOf(series).back().escalate_after);
    }
    if (!suppressed) due = Sooner(due, SeriesReminderDue(series, record));
  }
  Arm({due, false, index});
}

Seconds Monitor::State::ReminderDue(const AlertRecord& record) const {
  if (record.state == AlertState::kClosed || record.acknowledged != 0) return 0;
  if (record.snoozed != 0) return record.snoozed;
  if (!IsReminded(record.rule) || record.Has(AlertRecord::kCapped)) return 0;
  if (record.reminders >= options_.most_reminders) return 0;
  const bool severe = record.severity >= Severity::kHigh;
  return record.notified + ToSeconds(severe ? options_.remind_severe_after : options_.remind_after);
}

Seconds Monitor::State::SeriesReminderDue(const Series& series, const AlertRecord& record) const {
  return IsBeneathSevere(series, record.rule) ? 0 : ReminderDue(record);
}

void Monitor::State::Remind(uint32_t index) {
  if (IsSuppressed(series_[index].patient, clock_)) return;
  for (uint32_t r = series_[index].first_alert; r != 0; r = records_[r].next) {
    AlertRecord& record = records_[r];
    const Seconds due = SeriesReminderDue(series_[index], record);
    if (due == 0 || due > clock_) continue;
    record.snoozed = 0;
    record.notified = clock_;
    ++record.reminders;
    AlertEvent& event = Emit(Change::kUpdated, series_[index].vital, record);
    AddCurrent(event, record, series_[index]);
    event.explanation = "Still on, not acknowledged. " + event.explanation;
    Count(event);
  }
}

// The operations queue asks about the dead, too.
Seconds Monitor::State::PatientReminderDue(uint32_t person, const AlertRecord& record) const {
  const bool clinical = record.rule != Rule::kOperations;
  return clinical && IsSuppressed(person, clock_) ? 0 : ReminderDue(record);
}

// Looks at the alerts of no single series when the first of them has something to say.
void Monitor::State::SchedulePatient(uint32_t person) {
  Seconds due = 0;
  for (uint32_t r = patients_[person].first_alert; r != 0; r = records_[r].next) {
    due = Sooner(due, PatientReminderDue(person, records_[r]));
    due = Sooner(due, EndOfRollUp(records_[r]));
  }
  Arm({due, true, person});
}

void Monitor::State::OnPatientTimer(uint32_t person) {
  for (uint32_t r = patients_[person].first_alert; r != 0;) {
    const uint32_t number = r;
    r = records_[number].next;
    const Seconds end = EndOfRollUp(records_[number]);
    const Seconds due = PatientReminderDue(person, records_[number]);
    if (end != 0 && end <= clock_) {
      CloseOfPatient(person, number);
    } else if (due != 0 && due <= clock_) {
      RemindOfPatient(person, records_[number]);
    }
  }
  SchedulePatient(person);
}

// When the series will have been silent for too long; 0: it has no rhythm, or is silent already.
Seconds Monitor::State::SilenceDue(const Series& series, const FoldState& tip) const {
  const Patient& patient = patients_[series.patient];
  if (!patient.known || IsSuppressed(series.patient, clock_)) return 0;
  if (tip.days < kRhythmDays || tip.mean_gap == 0 || tip.mean_gap > kLongestGap) return 0;
  if (FindRecord(series.first_alert, Rule::kSilence) != 0) return 0;
  const Seconds last = std::max(tip.last_live, series.late_received);
  const Seconds wait = std::max(ToSeconds(options_.silence_least), kGapsOfSilence * tip.mean_gap);
  return last + wait;
}

void Monitor::State::FallSilent(uint32_t index) {
  Series& series = series_[index];
  if (series.ring_count == 0 || series.alert_count >= kMostAlerts) return;
  const uint32_t number = records_.New();
  AlertRecord& record = records_[number];
  record.rule = Rule::kSilence;
  record.severity = Severity::kLow;
  record.opened = SilenceDue(series, fold_.tip());
  record.opener = SilenceOf(series.ring[series.ring_count - 1].key, record.opened);
  record.owner = series.patient;
  record.notified = clock_;
  record.version = VersionName(kDetectorVersion);
  AddRecord(series.first_alert, number);
  ++series.alert_count;
  AlertEvent& event = Emit(Change::kOpened, series.vital, record);
  event.window_s = record.opened - std::max(fold_.tip().last_live, series.late_received);
  event.explanation = Explain(event, {});
  Count(event);
}

void Monitor::State::BreakSilence(uint32_t index) {
  Series& series = series_[index];
  const uint32_t number = FindRecord(series.first_alert, Rule::kSilence);
  if (number == 0) return;
  AlertRecord& record = records_[number];
  record.state = AlertState::kClosed;
  record.closed = clock_;
  AlertEvent& event = Emit(Change::kClosed, series.vital, record);
  event.notify = false;
  event.explanation = Explain(event, {});
  Count(event);
  DropRecord(index, number);
}

}  // namespace vitalake::monitor
