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
constexpr double kAdultMeasures = 13;  // years from which "critical" means the same
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
  timers_.push_back({unheld_.front().record.opened + kDaySeconds, false, 0});
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
  // No rule is for this age, or in pregnancy. Of small children the measure is another.
  const bool outside = known && age && !suppressed;
  if (outside && (*age < kAdultMeasures || reading.quality.Has(clinical::Quality::kImplausible))) {
    return;
  }
  uint32_t number = person == 0 ? 0 : FindRecord(patients_[person].first_alert, Rule::kOperations);
  if (number != 0) {
    if (clock_ - records_[number].opened < kDaySeconds) return;
    CloseOfPatient(person, number, "Asked again after a day.");
  }
  AlertRecord record;
  record.rule = Rule::kOperations;
  record.vital = record.source = reading.vital;
  record.severity = Severity::kHigh;
  record.opener = key;
  record.opened = record.notified = clock_;
  record.owner = person;
  if (outside) record.marks |= AlertRecord::kKnown;
  if (person != 0) Index(person, record);
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
                    : outside    ? "The rules are for others: look at age and pregnancy."
                                 : "The patient's age is not known.";
  event.explanation = Explain(event, {}) + " " + why;
  Count(event);
}

// The reading that raised an alert of the operations queue counts no more, or is not critical.
void Monitor::State::WithdrawOperations(uint32_t person, uint64_t key) {
  const uint32_t number = FindRecord(patients_[person].first_alert, Rule::kOperations);
  if (number == 0 || records_[number].opener != key) return;
  AlertRecord& record = records_[number];
  record.state = AlertState::kWithdrawn;
  AlertEvent& event = Emit(Change::kWithdrawn, record.vital, record);
  if (cause_.reading != nullptr) event.reading_id = cause_.reading->id;
  event.explanation = Explain(event, {});
  Count(event);
  DropOfPatient(person, number);
}

// So that the opener is found when it is retracted.
void Monitor::State::Index(uint32_t person, const AlertRecord& record) {
  if (record.source == Vital::kSeveral) return;
  const uint32_t index = patients_[person].series[static_cast<size_t>(record.source)];
  if (index != 0) keys_.Add(record.opener, index);
}

// Quietly. Without an explanation of its own it has that of its rule.
void Monitor::State::CloseOfPatient(uint32_t person, uint32_t number,
                                    std::string_view explanation) {
  AlertRecord& record = records_[number];
  record.state = AlertState::kClosed;
  record.closed = clock_;
  AlertEvent& event = Emit(Change::kClosed, record.vital, record);
  event.notify = false;
  event.explanation = explanation.empty() ? Explain(event, {}) : std::string(explanation);
  Count(event);
  DropOfPatient(person, number);
}

void Monitor::State::DropOfPatient(uint32_t person, uint32_t number) {
  const AlertRecord record = records_[number];
  RemoveRecord(patients_[person].first_alert, number);
  records_.Free(number);
  if (record.source == Vital::kSeveral) return;
  const uint32_t index = patients_[person].series[static_cast<size_t>(record.source)];
  if (index != 0) Forget(index, record.opener);
}

// The first capped alert of a day stands for all of the device model's. It ends with the day.
void Monitor::State::RollUp(uint32_t person, uint64_t opener) {
  const auto model = static_cast<uint16_t>(ModelAtHand());
  uint32_t& first = patients_[person].first_alert;
  for (uint32_t r = first; r != 0; r = records_[r].next) {
    if (records_[r].rule == Rule::kTooMany && records_[r].model == model) return;
  }
  const uint32_t number = records_.New();
  AddRecord(first, number);
  AlertRecord& record = records_[number];
  record.model = model;
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
  SchedulePatient(person);
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

Monitor::State::Scored Monitor::State::ScoreOf(uint32_t person, bool scale_two) const {
  // In the order of clinical::News2Input; oxygen is from two codes.
  Vital vitals[7] = {Vital::kRespiratoryRate, Vital::kOxygenSaturation, Vital::kOxygenFlow,
                     Vital::kBloodPressure,   Vital::kHeartRate,        Vital::kConsciousness,
                     Vital::kTemperature};
  const Entry* inputs[7];
  for (int i = 0; i < 7; ++i) inputs[i] = NewestOf(person, vitals[i]);
  const Entry* share = NewestOf(person, Vital::kOxygenConcentration);
  const bool by_share = share != nullptr && (inputs[2] == nullptr || share->time > inputs[2]->time);
  if (by_share) {
    inputs[2] = share;
    vitals[2] = Vital::kOxygenConcentration;
  }
  Scored out;
  for (int i = 0; i < 7; ++i) {
    if (inputs[i] == nullptr) continue;
    const Seconds time = inputs[i]->time;
    const Seconds age = clock_ > time ? clock_ - time : 0;
    if (age > ToSeconds(options_.news2_input_age)) {
      inputs[i] = nullptr;
      continue;
    }
    out.news2.input_age_s[i] = age;
    if (time <= out.time) continue;
    out.time = time;
    out.key = inputs[i]->key;
    out.vital = vitals[i];
  }
  const auto value = [&](int i) {
    return inputs[i] == nullptr ? std::nullopt : inputs[i]->ValueOf(0);
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
  input.scale = scale_two ? clinical::OxygenScale::kTwo : clinical::OxygenScale::kOne;
  out.news2.scale = input.scale;
  out.news2.score = ScoreNews2(input);
  return out;
}

// Whether a score may be told: its alert is on, or an input was taken in hospital not long ago.
bool Monitor::State::FollowsNews2(uint32_t person) const {
  const Patient& patient = patients_[person];
  if (FindRecord(patient.first_alert, Rule::kNews2) != 0) return true;
  return patient.in_hospital != 0 &&
         clock_ - patient.in_hospital <= ToSeconds(options_.news2_input_age);
}

// Scores a patient in hospital anew, as a reading (its key) came, changed or counts no more, and
// keeps the alert in line. Not under 16, not in pregnancy.
std::optional<News2Reading> Monitor::State::FollowNews2(uint32_t person, uint64_t changed) {
  const auto age = AgeOf(person, clock_);
  const PatientSettings* settings = SettingsOf(person, ToMicros(clock_));
  if (!patients_[person].known || !age || *age < kNews2Age) return std::nullopt;
  if (IsSuppressed(person, clock_) || (settings != nullptr && settings->pregnant)) {
    return std::nullopt;
  }
  const Scored scored = ScoreOf(person, settings != nullptr && settings->oxygen_scale_two);
  const bool old = AgeOfScore(scored) > ToSeconds(options_.late_critical_within);
  const Severity severity = old ? Severity::kInfo : SeverityOf(scored.news2.score);
  uint32_t& first = patients_[person].first_alert;
  uint32_t number = FindRecord(first, Rule::kNews2);
  if (number == 0) {
    if (severity == Severity::kInfo) return scored.news2;
    number = records_.New();
    AlertRecord& record = records_[number];
    record.rule = Rule::kNews2;
    record.severity = severity;
    record.opener = scored.key;
    record.source = scored.vital;
    record.opened = std::min(clock_, scored.time);
    record.notified = clock_;
    record.owner = person;
    record.version = VersionName("NEWS2 2017");
    AddRecord(first, number);
    Index(person, record);
    TellNews2(Change::kOpened, record, scored, true);
    SchedulePatient(person);
    return scored.news2;
  }
  AlertRecord& record = records_[number];
  const bool never_was = record.opener == changed;
  if (severity == Severity::kInfo) {
    // Inputs that have grown old are no sign that it ended.
    if (scored.news2.score.parameters == 0 && !never_was) return scored.news2;
    record.state = never_was ? AlertState::kWithdrawn : AlertState::kClosed;
    if (!never_was) record.closed = clock_;
    TellNews2(never_was ? Change::kWithdrawn : Change::kClosed, record, scored, never_was);
    DropOfPatient(person, number);
  } else if (severity != record.severity) {
    const bool graver = severity > record.severity;
    record.severity = severity;
    if (graver) record.notified = clock_;
    TellNews2(Change::kUpdated, record, scored, graver);
    SchedulePatient(person);
  }
  return scored.news2;
}

// An alert of no single series that nobody has taken on, or whose snooze has ended.
void Monitor::State::RemindOfPatient(uint32_t person, AlertRecord& record) {
  record.snoozed = 0;
  record.notified = clock_;
  ++record.reminders;
  const Vital vital = record.rule == Rule::kOperations ? record.vital : Vital::kSeveral;
  AlertEvent& event = Emit(Change::kUpdated, vital, record);
  DescribeOfPatient(event, person, record);
  event.explanation = Joined("Still on, not acknowledged.", event.explanation);
  Count(event);
}

// As of now: the score, or the reading that raised it, as long as it is known.
void Monitor::State::DescribeOfPatient(AlertEvent& event, uint32_t person,
                                       const AlertRecord& record) {
  if (record.rule == Rule::kNews2) {
    const PatientSettings* settings = SettingsOf(person, ToMicros(clock_));
    const Scored scored = ScoreOf(person, settings != nullptr && settings->oxygen_scale_two);
    if (SeverityOf(scored.news2.score) == Severity::kInfo) {
      event.explanation = "It has not been scored anew: measure again.";
    } else {
      event.value = scored.news2.score.total;
      event.explanation = News2Text(scored.news2);
    }
    return;
  }
  if (record.source != Vital::kSeveral) {
    const uint32_t index = patients_[person].series[static_cast<size_t>(record.source)];
    const int at = index == 0 ? -1 : FindKey(series_[index], record.opener);
    if (at >= 0) {
      event.value = series_[index].ring[at].ValueOf(0);
      event.diastolic = series_[index].ring[at].ValueOf(1);
    }
  }
  event.explanation = Explain(event, {});
}

Seconds Monitor::State::AgeOfScore(const Scored& scored) const {
  return clock_ > scored.time ? clock_ - scored.time : 0;
}

void Monitor::State::TellNews2(Change change, const AlertRecord& record, const Scored& scored,
                               bool notify) {
  AlertEvent& event = Emit(change, Vital::kSeveral, record);
  event.notify = notify;
  if (cause_.reading != nullptr) event.reading_id = cause_.reading->id;
  event.value = scored.news2.score.total;
  event.window_s = ToSeconds(options_.news2_input_age);
  const bool on = change == Change::kOpened || change == Change::kUpdated;
  const Micros age = ToMicros(AgeOfScore(scored));
  if (on && age > options_.late_after) event.late_by = age;
  event.explanation = (on ? News2Text(scored.news2) : "") + Explain(event, {});
  Count(event);
}

}  // namespace vitalake::monitor
