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
         rule == Rule::kLow;
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
    if (timer.series == 0) {
      clock_ = std::max(clock_, timer.due);
      EndOldUnheld();
      ScheduleUnheld();
      continue;
    }
    if (series_[timer.series].timer != timer.due) continue;  // void
    series_[timer.series].timer = 0;
    clock_ = std::max(clock_, timer.due);
    OnTimer(timer.series);
  }
  clock_ = std::max(clock_, until);
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
  Series& series = series_[index];
  if (Rests(series)) return;
  const FoldState& tip = series.tip;
  Seconds due = SilenceDue(series, tip);
  for (uint32_t r = series.first_alert; r != 0; r = records_[r].next) {
    const AlertRecord& record = records_[r];
    if (record.rule == Rule::kSevereHigh && record.state == AlertState::kPending) {
      const auto& rules = fold_rules_[static_cast<size_t>(series.vital)];
      due = Sooner(due, tip.pending_since + rules.back().escalate_after);
    }
    due = Sooner(due, ReminderDue(record));
  }
  if (due == 0) return;
  due = std::max(due, clock_ + 1);
  if (series.timer != 0 && series.timer <= due) return;  // it will look again then
  series.timer = due;
  timers_.push_back({due, index});
  std::push_heap(timers_.begin(), timers_.end(), std::greater<>());
}

Seconds Monitor::State::ReminderDue(const AlertRecord& record) const {
  if (record.state == AlertState::kClosed || !IsReminded(record.rule)) return 0;
  if (record.acknowledged != 0 || record.Has(AlertRecord::kCapped)) return 0;
  if (record.snoozed != 0) return record.snoozed;
  if (record.reminders >= options_.most_reminders) return 0;
  const bool severe = record.severity >= Severity::kHigh;
  return record.notified + ToSeconds(severe ? options_.remind_severe_after : options_.remind_after);
}

void Monitor::State::Remind(uint32_t index) {
  for (uint32_t r = series_[index].first_alert; r != 0; r = records_[r].next) {
    AlertRecord& record = records_[r];
    const Seconds due = ReminderDue(record);
    if (due == 0 || due > clock_) continue;
    record.snoozed = 0;
    record.notified = clock_;
    ++record.reminders;
    AlertEvent& event = Emit(Change::kUpdated, series_[index].vital, record);
    for (const Episode& episode : fold_.episodes()) {
      const bool same = episode.rule == record.rule && episode.closed == 0;
      if (same) AddEpisode(event, &episode);
    }
    event.explanation = "Still on, not acknowledged. " + event.explanation;
    Count(event);
  }
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
  record.opener = series.ring[series.ring_count - 1].key;
  record.opened = SilenceDue(series, fold_.tip());
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
