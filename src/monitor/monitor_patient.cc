// Alerts of no single series: the operations queue, the roll-up of capped alerts, NEWS2.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "monitor/monitor_internal.h"

namespace vitalake::monitor {
namespace {

using clinical::News2;
using clinical::News2Response;

constexpr double kNews2Age = 16;
constexpr size_t kMostUnheld = 1'000;

Severity SeverityOf(const News2& score) {
  switch (score.response) {
    case News2Response::kEmergency:
      return Severity::kCritical;
    case News2Response::kUrgent:
    case News2Response::kWardReview:
      return Severity::kHigh;
    default:
      return Severity::kInfo;
  }
}

uint64_t OperationsKey(const QuarantinedCritical& record) {
  const std::string_view space = record.patient.id_space;
  return Hash64(record.id, space.empty() ? 0 : Hash64(space));
}

std::string News2Text(const News2Reading& news2) {
  const News2& score = news2.score;
  const char* response = score.response == News2Response::kEmergency ? "emergency response"
                         : score.response == News2Response::kUrgent  ? "urgent response"
                                                                     : "urgent ward-based review";
  const std::string total =
      score.complete
          ? fmt::format("NEWS2 is {}", score.total)
          : fmt::format("NEWS2 is at least {} ({} of 7 parameters)", score.total, score.parameters);
  return fmt::format("{}{}: {}. Scale {} for oxygen saturation.", total,
                     score.single_three ? ", one parameter alone scores 3" : "", response,
                     news2.scale == clinical::OxygenScale::kTwo ? 2 : 1);
}

}  // namespace

std::span<const AlertEvent> Monitor::State::ObserveQuarantined(const QuarantinedCritical& record) {
  Begin(record.received, record.position);
  const uint64_t key = OperationsKey(record);
  const Hash128 id = AlertId(record.patient, Vital::kSeveral, Rule::kOperations, key);
  if (FindUnheld(id) != unheld_.end()) return events_;
  if (quarantined_.since == 0 || clock_ - quarantined_.since >= 3600) quarantined_ = {clock_, 0};
  const auto most = static_cast<uint32_t>(options_.most_quarantined_per_hour);
  if (quarantined_.count > most) return events_;  // they are in ops.quarantine
  ++quarantined_.count;
  const bool too_many = quarantined_.count > most;
  AlertRecord opened;
  opened.rule = too_many ? Rule::kTooMany : Rule::kOperations;
  opened.severity = Severity::kHigh;
  opened.opener = key;
  opened.version = VersionName(kDetectorVersion);
  AlertEvent* const event = OpenUnheld(record.patient, opened);
  if (event == nullptr) return events_;
  event->reading_id = record.id;
  event->explanation =
      too_many ? "More records with critical values are in quarantine than are told one by one."
               : "A record with a critical value is in quarantine. Look at it there.";
  Count(*event);
  return events_;
}

// -- alerts that no patient holds ----------------------------------------------------------------

AlertEvent* Monitor::State::OpenUnheld(PatientKey patient, AlertRecord record) {
  const Hash128 id = AlertId(patient, record.vital, record.rule, record.opener);
  if (FindUnheld(id) != unheld_.end()) return nullptr;
  if (unheld_.size() == kMostUnheld) {
    EndUnheld(unheld_.begin(), Change::kClosed, "Many more came since.");
  }
  record.opened = record.notified = clock_;
  unheld_.push_back({id, std::string(patient.id_space), std::string(patient.id), record});
  if (unheld_.size() == 1) ScheduleUnheld();
  return &EmitUnheld(Change::kOpened, unheld_.back());
}

AlertEvent& Monitor::State::EmitUnheld(Change change, const Unheld& alert) {
  AlertEvent& event = Emit(change, alert.record.vital, alert.record);
  event.patient = {alert.id_space, alert.patient};
  event.alert_id = alert.id;
  event.queue = Queue::kOperations;
  return event;
}

void Monitor::State::EndUnheld(std::list<Unheld>::iterator alert, Change change,
                               std::string_view explanation) {
  AlertRecord& record = alert->record;
  record.state = change == Change::kClosed ? AlertState::kClosed : AlertState::kWithdrawn;
  if (change == Change::kClosed) record.closed = clock_;
  AlertEvent& event = EmitUnheld(change, *alert);
  event.notify = change == Change::kWithdrawn;
  event.explanation = explanation;
  Count(event);
  ended_.splice(ended_.end(), unheld_, alert);
}

void Monitor::State::EndOldUnheld() {
  while (!unheld_.empty() && unheld_.front().record.opened + kDaySeconds <= clock_) {
    EndUnheld(unheld_.begin(), Change::kClosed, "A day has passed.");
  }
}

// One timer at a time: the oldest's.
void Monitor::State::ScheduleUnheld() {
  if (unheld_.empty()) return;
  timers_.push_back({unheld_.front().record.opened + kDaySeconds, 0});
  std::push_heap(timers_.begin(), timers_.end(), std::greater<>());
}

void Monitor::State::WithdrawUnheld(uint64_t opener) {
  const auto alert = std::ranges::find_if(unheld_, [&](const Unheld& one) {
    return one.record.opener == opener && one.record.rule == Rule::kOperations;
  });
  if (alert == unheld_.end()) return;
  EndUnheld(alert, Change::kWithdrawn, "The record was retracted.");
}

std::list<Monitor::State::Unheld>::iterator Monitor::State::FindUnheld(const Hash128& id) {
  return std::ranges::find(unheld_, id, &Unheld::id);
}

// A critical value that no clinical rule may judge. One alert a day and patient.
void Monitor::State::CallOperations(const Reading& reading, uint32_t person, uint64_t key) {
  const auto age = person != 0 ? AgeOf(person, ToSeconds(reading.received)) : std::nullopt;
  const bool known = person != 0 && patients_[person].known;
  const bool suppressed = person != 0 && IsSuppressed(person, ToSeconds(reading.received));
  if (known && age && !suppressed) return;  // a rule could judge it: it is outside its ages
  uint32_t number = person == 0 ? 0 : FindRecord(patients_[person].first_alert, Rule::kOperations);
  if (number != 0) {
    AlertRecord& before = records_[number];
    if (clock_ - before.opened < kDaySeconds) return;
    before.state = AlertState::kClosed;
    before.closed = clock_;
    AlertEvent& event = Emit(Change::kClosed, before.vital, before);
    event.notify = false;
    event.explanation = "Asked again after a day.";
    Count(event);
    RemoveRecord(patients_[person].first_alert, number);
    records_.Free(number);
  }
  AlertRecord record;
  record.rule = Rule::kOperations;
  record.vital = reading.vital;
  record.severity = Severity::kHigh;
  record.opener = key;
  record.opened = record.notified = clock_;
  record.owner = person;
  const std::string_view version =
      cause_.rule != nullptr ? std::string_view(cause_.rule->version) : kDetectorVersion;
  record.version = VersionName(version);
  if (person == 0) {
    if (OpenUnheld({}, record) == nullptr) return;
  } else {
    number = records_.New();
    records_[number] = record;
    AddRecord(patients_[person].first_alert, number);
    Emit(Change::kOpened, reading.vital, record);
  }
  AlertEvent& event = events_.back();
  event.reading_id = reading.id;
  event.value = reading.value;
  event.diastolic = reading.diastolic;
  const char* why = person == 0  ? "The record names no patient that can be found."
                    : !known     ? "The patient is not known here."
                    : suppressed ? "The patient is a test patient, or has died."
                                 : "The patient's age is not known.";
  event.explanation = Explain(event, {}) + " " + why;
  Count(event);
}

// The first capped alert of a day stands for all of them.
void Monitor::State::RollUp(uint32_t person, uint64_t opener) {
  uint32_t& first = patients_[person].first_alert;
  uint32_t number = FindRecord(first, Rule::kTooMany);
  if (number != 0 && clock_ - records_[number].opened < kDaySeconds) return;
  if (number == 0) {
    number = records_.New();
    AddRecord(first, number);
  }
  AlertRecord& record = records_[number];
  record.rule = Rule::kTooMany;
  record.severity = Severity::kMedium;
  record.opener = opener;
  record.opened = record.notified = clock_;
  record.owner = person;
  record.version = VersionName(kDetectorVersion);
  AlertEvent& event = Emit(Change::kOpened, Vital::kSeveral, record);
  event.explanation = Explain(event, {});
  event.window_s = kDaySeconds;
  Count(event);
}

// The newest reading of a vital sign that can be used.
const Entry* Monitor::State::NewestOf(uint32_t person, Vital vital) const {
  const uint32_t index = patients_[person].series[static_cast<size_t>(vital)];
  if (index == 0) return nullptr;
  const Series& series = series_[index];
  for (int i = series.ring_count - 1; i >= 0; --i) {
    const Entry& entry = series.ring[i];
    // A diastolic value alone has no part in a score.
    const bool usable = !entry.Has(Entry::kRetracted) && !entry.Has(Entry::kNoBaseline);
    if (usable && !std::isnan(entry.value[0])) return &entry;
  }
  return nullptr;
}

News2Reading Monitor::State::ScoreOf(uint32_t person, bool scale_two) const {
  // In the order of clinical::News2Input; oxygen is from two codes.
  const Entry* inputs[7] = {
      NewestOf(person, Vital::kRespiratoryRate), NewestOf(person, Vital::kOxygenSaturation),
      NewestOf(person, Vital::kOxygenFlow),      NewestOf(person, Vital::kBloodPressure),
      NewestOf(person, Vital::kHeartRate),       NewestOf(person, Vital::kConsciousness),
      NewestOf(person, Vital::kTemperature)};
  const Entry* share = NewestOf(person, Vital::kOxygenConcentration);
  bool by_share = false;
  if (share != nullptr && (inputs[2] == nullptr || share->time > inputs[2]->time)) {
    inputs[2] = share;
    by_share = true;
  }
  Seconds newest = 0;
  for (const Entry* entry : inputs) {
    if (entry != nullptr) newest = std::max(newest, entry->time);
  }
  News2Reading out;
  for (int i = 0; i < 7; ++i) {
    if (inputs[i] == nullptr) continue;
    const Seconds age = newest - inputs[i]->time;
    if (age > ToSeconds(options_.news2_input_age) || std::isnan(inputs[i]->value[0])) {
      inputs[i] = nullptr;
    } else {
      out.input_age_s[i] = age;
    }
  }
  const auto value = [&](int i) -> std::optional<double> {
    if (inputs[i] == nullptr) return std::nullopt;
    // Back to the number that was sent: the chart's borders are decimal.
    return std::round(static_cast<double>(inputs[i]->value[0]) * 1000) / 1000;
  };
  clinical::News2Input input;
  input.respiratory_rate = value(0);
  input.oxygen_saturation = value(1);
  if (inputs[2] != nullptr) {
    input.on_oxygen =
        by_share ? clinical::IsOnOxygenShare(*value(2)) : clinical::IsOnOxygenFlow(*value(2));
  }
  input.systolic = value(3);
  input.pulse = value(4);
  if (inputs[5] != nullptr) input.alert = *value(5) == 0;
  input.temperature = value(6);
  out.scale = input.scale = scale_two ? clinical::OxygenScale::kTwo : clinical::OxygenScale::kOne;
  out.score = ScoreNews2(input);
  return out;
}

// Scores a patient in hospital anew and keeps the alert in line. Not under 16, not in pregnancy.
std::optional<News2Reading> Monitor::State::WatchNews2(const Reading& reading, uint32_t person,
                                                       uint64_t key) {
  const auto age = AgeOf(person, clock_);
  const PatientSettings* settings = SettingsOf(person, reading.received);
  if (!patients_[person].known || !age || *age < kNews2Age) return std::nullopt;
  if (IsSuppressed(person, clock_) || (settings != nullptr && settings->pregnant)) {
    return std::nullopt;
  }
  const News2Reading news2 = ScoreOf(person, settings != nullptr && settings->oxygen_scale_two);
  const Severity severity = SeverityOf(news2.score);
  uint32_t& first = patients_[person].first_alert;
  uint32_t number = FindRecord(first, Rule::kNews2);
  const auto tell = [&](Change change, AlertRecord& record, bool notify) {
    AlertEvent& event = Emit(change, Vital::kSeveral, record);
    event.notify = notify;
    event.reading_id = reading.id;
    event.value = news2.score.total;
    event.window_s = ToSeconds(options_.news2_input_age);
    event.explanation = change == Change::kClosed ? Explain(event, {}) : News2Text(news2);
    Count(event);
  };
  if (number == 0) {
    if (severity == Severity::kInfo) return news2;
    number = records_.New();
    AlertRecord& record = records_[number];
    record.rule = Rule::kNews2;
    record.severity = severity;
    record.opener = key;
    record.opened = clock_;
    if (reading.effective) record.opened = std::min(clock_, ToSeconds(*reading.effective));
    record.notified = clock_;
    record.owner = person;
    record.version = VersionName("NEWS2 2017");
    AddRecord(first, number);
    tell(Change::kOpened, record, true);
  } else if (AlertRecord& record = records_[number]; severity == Severity::kInfo) {
    record.state = AlertState::kClosed;
    record.closed = clock_;
    tell(Change::kClosed, record, false);
    RemoveRecord(first, number);
    records_.Free(number);
  } else if (severity != record.severity) {
    const bool graver = severity > record.severity;
    record.severity = severity;
    if (graver) record.notified = clock_;
    tell(Change::kUpdated, record, graver);
  }
  return news2;
}

}  // namespace vitalake::monitor
