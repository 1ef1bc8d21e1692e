// Actions: what people and other data change.
#include <algorithm>

#include "monitor/monitor_internal.h"

namespace vitalake::monitor {

Result<std::span<const AlertEvent>> Monitor::State::Apply(const Action& action) {
  Begin(action.time, action.position);
  VL_RETURN_IF_ERROR(std::visit([&](const auto& what) { return Do(what); }, action.what));
  cause_ = {};
  return events_;
}

Status Monitor::State::Do(const PatientChanged& change) {
  const uint32_t number = patients_.FindOrAdd(change.patient.key());
  Patient& patient = patients_[number];
  const PatientFacts& facts = change.facts;
  const bool was_deceased = patient.deceased;
  patient.known = facts.known;
  patient.has_birth_day = facts.birth_day.has_value();
  patient.birth_day = facts.birth_day.value_or(0);
  patient.is_test = facts.is_test;
  patient.deceased = facts.deceased || facts.deceased_at.has_value();
  if (facts.deceased_at) {
    patient.deceased_at = *facts.deceased_at;
  } else if (!was_deceased) {
    patient.deceased_at = ToMicros(clock_);
  }
  const std::string_view space = change.patient.id_space;
  const uint32_t own =
      facts.replaced_by.empty() ? 0 : patients_.FindOrAdd({space, facts.replaced_by});
  patients_[number].replaced_by = own == number ? 0 : own;
  std::set<uint32_t> concerned = {number}, replaces;
  for (const std::string& id : facts.replaces) replaces.insert(patients_.FindOrAdd({space, id}));
  replaces.erase(number);
  if (const auto before = replaced_.find(number); before != replaced_.end()) {
    for (const uint32_t one : before->second) claims_[one].erase(number);
    concerned.merge(before->second);
    replaced_.erase(before);
  }
  for (const uint32_t one : replaces) claims_[one].insert(number);
  concerned.insert(replaces.begin(), replaces.end());
  if (!replaces.empty()) replaced_[number] = std::move(replaces);
  for (const uint32_t one : concerned) Relink(one, SurvivorOf(one));
  // Of whoever it is by now: one who is merged has facts of their own.
  MeetPerson(PersonOf(number));
  return {};
}

// A person of whom more is known: what was not judged is, and what asked who this is has its
// answer.
void Monitor::State::MeetPerson(uint32_t person) {
  JudgeAgain(person);
  if (FollowsNews2(person)) (void)FollowNews2(person, 0);
  AnswerOperations(person);
}

// Judges the readings of a person that are known one by one and were not judged, or without an age,
// by what is known now; those of somebody who had died by then are not judged any more. Of a value
// beside a comparator or without a moment only a level counts: whether it is a clear reading is not
// known any more.
void Monitor::State::JudgeAgain(uint32_t person) {
  if (!patients_[person].known) return;
  for (int v = 0; v < kVitalCount; ++v) {
    const uint32_t index = patients_[person].series[v];
    if (index == 0) continue;
    bool changed = false;
    for (int i = 0; i < series_[index].ring_count; ++i) {
      changed |= JudgeAgain(series_[index].ring[i], person, static_cast<Vital>(v));
    }
    if (!changed) continue;
    series_[index].tip_count = Series::kNoTip;
    Reconcile(index, 0);
    Schedule(index);
  }
}

bool Monitor::State::JudgeAgain(Entry& entry, uint32_t person, Vital vital) {
  if (entry.judged() && IsSuppressed(person, entry.time)) {
    entry.SetUnjudged();
    entry.SetMark(Entry::kNoDetect, true);
    return true;
  }
  const bool open = !entry.judged() || entry.Has(Entry::kAgeUnknown);
  if (!open || entry.Has(Entry::kRetracted) || entry.Has(Entry::kImplausible)) return false;
  if (clock_ > entry.time && clock_ - entry.time > ToSeconds(options_.late_critical_within)) {
    return false;
  }
  Reading reading;
  reading.vital = vital;
  reading.value = entry.ValueOf(0);
  reading.diastolic = entry.ValueOf(1);
  Timing timing;
  timing.time = entry.time;
  const JudgedLevel level = LevelOf(reading, person, timing, AgeOf(person, entry.time));
  if (!level.judged) {
    // Of an age that no rule judges, as is known now.
    const bool was = entry.judged();
    entry.SetUnjudged();
    return was;
  }
  if (entry.Has(Entry::kNoBaseline) && !level.Reached()) return false;
  entry.SetLevel(level);
  entry.SetMark(Entry::kAgeUnknown, level.age_unknown);
  return true;
}

uint32_t Monitor::State::SurvivorOf(uint32_t patient) const {
  if (patients_[patient].replaced_by != 0) return patients_[patient].replaced_by;
  const auto claims = claims_.find(patient);
  if (claims == claims_.end() || claims->second.empty()) return 0;
  return *std::ranges::min_element(claims->second, {},
                                   [&](uint32_t one) { return patients_[one].id; });
}

// What asked who this is has its answer.
void Monitor::State::AnswerOperations(uint32_t person) {
  const Patient& patient = patients_[person];
  const uint32_t asked = FindRecord(patient.first_alert, Rule::kOperations);
  if (asked == 0 || !patient.has_birth_day || records_[asked].Has(AlertRecord::kKnown)) return;
  CloseOfPatient(person, asked, "The patient is known now.");
}

Status Monitor::State::Do(const SettingsChanged& change) {
  for (const auto& [vital, limits] : change.settings.limits) {
    const bool crossed = limits.low && limits.high && *limits.low >= *limits.high;
    const bool crossed_diastolic = limits.diastolic_low && limits.diastolic_high &&
                                   *limits.diastolic_low >= *limits.diastolic_high;
    if (crossed || crossed_diastolic) {
      return Fail(ErrorKind::kInvalidArgument,
                  std::string(ToString(vital)) + ": the low limit is not below the high one");
    }
  }
  const uint32_t number = patients_.FindOrAdd(change.patient.key());
  patients_[number].has_settings = true;
  std::vector<PatientSettings>& all = settings_[number];
  // What ended long ago judges nothing any more.
  std::erase_if(all, [&](const PatientSettings& old) {
    return old.until && *old.until + options_.late_critical_within < ToMicros(clock_);
  });
  const auto at = std::upper_bound(
      all.begin(), all.end(), change.settings,
      [](const PatientSettings& a, const PatientSettings& b) { return a.from < b.from; });
  all.insert(at, change.settings);
  FindBroughtSettings();
  return {};
}

// The vital sign and record of an alert that is on.
std::pair<Vital, uint32_t> Monitor::State::FindAlert(uint32_t person, const Hash128& id) const {
  const auto search = [&](uint32_t first, Vital vital) -> uint32_t {
    for (uint32_t r = first; r != 0; r = records_[r].next) {
      const AlertRecord& record = records_[r];
      const Vital named = vital == Vital::kSeveral ? record.vital : vital;
      if (AlertId(patients_.KeyOf(record.owner), named, record.rule, record.opener) == id) return r;
    }
    return 0;
  };
  const Patient& patient = patients_[person];
  for (int v = 0; v < kVitalCount; ++v) {
    const uint32_t index = patient.series[v];
    const auto vital = static_cast<Vital>(v);
    if (index == 0) continue;
    if (const uint32_t r = search(series_[index].first_alert, vital)) return {vital, r};
  }
  return {Vital::kSeveral, search(patient.first_alert, Vital::kSeveral)};
}

Status Monitor::State::Do(const Acknowledge& action) {
  const uint32_t patient = patients_.Find(action.patient.key());
  const auto [vital, number] =
      patient == 0 ? std::pair(Vital::kSeveral, 0u) : FindAlert(PersonOf(patient), action.alert_id);
  cause_.actor = action.actor;
  if (const auto unheld = FindUnheld(action.alert_id); unheld != unheld_.end()) {
    unheld->record.acknowledged = clock_;
    EndUnheld(unheld, Change::kClosed, "Acknowledged.");
    return {};
  }
  if (number == 0) return Fail(ErrorKind::kNotFound, "no such alert is on");
  AlertRecord& record = records_[number];
  record.acknowledged = clock_;
  record.snoozed = 0;
  AlertEvent& event =
      Emit(Change::kUpdated, vital == Vital::kSeveral ? record.vital : vital, record);
  event.notify = false;
  DescribeAgain(event, PersonOf(patient), vital, record);
  event.explanation = Joined("Acknowledged.", event.explanation);
  Count(event);
  return {};
}

Status Monitor::State::Do(const Snooze& action) {
  const uint32_t patient = patients_.Find(action.patient.key());
  const auto [vital, number] =
      patient == 0 ? std::pair(Vital::kSeveral, 0u) : FindAlert(PersonOf(patient), action.alert_id);
  cause_.actor = action.actor;
  if (const auto unheld = FindUnheld(action.alert_id); unheld != unheld_.end()) {
    unheld->record.snoozed = ToSeconds(action.until);
    AlertEvent& event = EmitUnheld(Change::kUpdated, *unheld);
    event.notify = false;
    event.explanation = "Snoozed.";
    Count(event);
    return {};
  }
  if (number == 0) return Fail(ErrorKind::kNotFound, "no such alert is on");
  AlertRecord& record = records_[number];
  record.snoozed = ToSeconds(action.until);
  AlertEvent& event =
      Emit(Change::kUpdated, vital == Vital::kSeveral ? record.vital : vital, record);
  event.notify = false;
  const uint32_t person = PersonOf(patient);
  DescribeAgain(event, person, vital, record);
  event.explanation =
      Joined("Snoozed: it is told again when that ends, or at once when it becomes graver.",
             event.explanation);
  Count(event);
  if (vital == Vital::kSeveral) {
    SchedulePatient(person);
  } else {
    Schedule(patients_[person].series[static_cast<size_t>(vital)]);
  }
  return {};
}

Status Monitor::State::Do(const ActivateRules& action) {
  Activate(action.rules, clock_);
  return {};
}

namespace {

void AddFoldRules(std::vector<FoldRules>& list, const RuleTable& rules, Vital vital, bool pregnant,
                  Seconds from) {
  for (const VitalRule& rule : rules.rules()) {
    // Of one date that for pregnancy comes last.
    if (rule.vital != vital || (rule.pregnancy && !pregnant)) continue;
    if (rule.scale_two || rule.beside) continue;
    const bool earlier = rule.effective_from <= ToMicros(from);
    FoldRules fold;
    fold.from = earlier ? from : ToSeconds(rule.effective_from);
    fold.confirm_within = rule.levels.confirm_within_s;
    fold.escalate_after = rule.levels.escalate_after_s;
    fold.fall_from_baseline = static_cast<float>(rule.fall_from_baseline);
    // Of those effective already the last counts.
    if (!list.empty() && list.back().from >= fold.from) list.pop_back();
    list.push_back(fold);
  }
  if (list.empty()) list.push_back(FoldRules());
}

}  // namespace

// Rules judge what comes from now on. Readings already judged keep their level, and the fold keeps
// its widths for them: no old reading alerts because a rule changed.
void Monitor::State::Activate(RuleTable rules, Seconds from) {
  for (int v = 0; v < kVitalCount; ++v) {
    for (const bool pregnant : {false, true}) {
      AddFoldRules(fold_rules_[pregnant ? 1 : 0][v], rules, static_cast<Vital>(v), pregnant, from);
    }
  }
  rules_.emplace_back(from, std::move(rules));
}

// Another survivor of a patient (0: none). What is the patient's moves to the person at the end of
// the chain, and home when it leads nowhere any more.
void Monitor::State::Relink(uint32_t patient, uint32_t survivor) {
  if (survivor == patients_[patient].survivor) return;
  const uint32_t before = PersonOf(patient);
  patients_[patient].survivor = survivor;
  FindBroughtSettings();
  const uint32_t after = PersonOf(patient);
  if (before == after) return;
  // Merged, or a circle opens whose person is merged now.
  if (PersonOf(before) != before) return Join(before, after);
  Part(patient, before);
  if (after != patient) Join(patient, after);
}

// `patient` is merged into `survivor`: its readings that are known one by one are followed there,
// its alerts go along under their ids. What it had before rests, for the case that they part again.
void Monitor::State::Join(uint32_t patient, uint32_t survivor) {
  for (int v = 0; v < kVitalCount; ++v) {
    const uint32_t from = patients_[patient].series[v];
    if (from == 0) continue;
    const uint32_t to = SeriesOf(survivor, static_cast<Vital>(v), series_[from].offset_minutes);
    series_[from].timer = 0;
    MoveAlerts(from, to);
    for (int i = 0; i < series_[from].ring_count; ++i) {
      Entry entry = series_[from].ring[i];
      entry.marks |= Entry::kLinked;
      (void)Put(to, entry);  // what is older than the ring stays where it is
    }
    cause_.rule =
        rules_.back().second.Find({static_cast<Vital>(v), ToMicros(clock_), false, false});
    Reconcile(to, 0);
    Schedule(to);
  }
  MovePersonAlerts(patient, survivor);
  MeetPerson(survivor);
}

// The merge is taken back: readings that came under the patient's id go home, and its alerts.
void Monitor::State::Part(uint32_t patient, uint32_t survivor) {
  for (int v = 0; v < kVitalCount; ++v) {
    const uint32_t there = patients_[survivor].series[v];
    if (there == 0) continue;
    const uint32_t home = SeriesOf(patient, static_cast<Vital>(v), series_[there].offset_minutes);
    Series& series = series_[there];
    std::vector<Entry> back;
    int kept = 0;
    for (int i = 0; i < series.ring_count; ++i) {
      if (series.ring[i].Has(Entry::kLinked)) {
        back.push_back(series.ring[i]);
      } else {
        series.ring[kept++] = series.ring[i];
      }
    }
    std::fill(series.ring + kept, series.ring + series.ring_count, Entry());
    series.ring_count = static_cast<uint8_t>(kept);
    series.tip_count = Series::kNoTip;
    MoveAlerts(there, home);
    for (Entry& entry : back) {
      entry.marks &= static_cast<uint16_t>(~Entry::kLinked);
      (void)Put(home, entry);
    }
    cause_.rule =
        rules_.back().second.Find({static_cast<Vital>(v), ToMicros(clock_), false, false});
    for (const uint32_t index : {home, there}) {
      Reconcile(index, 0);
      Schedule(index);
    }
  }
  MovePersonAlerts(survivor, patient);
}

// Moves the alerts of no single series that are now another person's.
void Monitor::State::MovePersonAlerts(uint32_t from, uint32_t to) {
  for (uint32_t r = patients_[from].first_alert; r != 0;) {
    const uint32_t number = r;
    r = records_[number].next;
    AlertRecord& record = records_[number];
    if (PersonOf(record.owner) != to) continue;
    RemoveRecord(patients_[from].first_alert, number);
    if (record.rule == Rule::kTooMany || FindRecord(patients_[to].first_alert, record.rule) == 0) {
      AddRecord(patients_[to].first_alert, number);
      Index(to, record);
      continue;
    }
    record.state = AlertState::kWithdrawn;
    AlertEvent& event = Emit(Change::kWithdrawn, record.vital, record);
    event.explanation = "The same alert of the patient merged with this one stays on.";
    Count(event);
    records_.Free(number);
  }
  SchedulePatient(to);
}

// Moves the alerts that are now another person's to that one's series. What is on in the base of
// one is on in that of the other; where both have the same alert on, the one that comes is
// withdrawn.
void Monitor::State::MoveAlerts(uint32_t from, uint32_t to) {
  Series& old = series_[from];
  Series& next = series_[to];
  old.tip_count = next.tip_count = Series::kNoTip;
  for (uint32_t r = old.first_alert; r != 0;) {
    const uint32_t number = r;
    r = records_[number].next;
    AlertRecord& record = records_[number];
    if (PersonOf(record.owner) != next.patient) continue;
    const bool twice = FindRecord(next.first_alert, record.rule) != 0;
    const auto slot = static_cast<size_t>(record.rule);
    const bool in_base = record.Has(AlertRecord::kInBase);
    if (in_base) {
      if (!twice) {
        next.base.slot[slot] = old.base.slot[slot];
        next.base.pending_since = std::max(next.base.pending_since, old.base.pending_since);
      }
      old.base.slot[slot] = 0;
    }
    if (twice) {
      WithdrawAlert(from, number);
      continue;
    }
    RemoveRecord(old.first_alert, number);
    --old.alert_count;
    AddRecord(next.first_alert, number);
    ++next.alert_count;
    keys_.Add(record.opener, to);
  }
}

}  // namespace vitalake::monitor
