// Monitor::State: what a monitor holds, and the steps of an input. Its parts are in
// monitor_observe.cc (readings), monitor_alerts.cc (episodes to alerts), monitor_timers.cc,
// monitor_actions.cc, monitor_patient.cc (alerts of no single series), monitor_snapshot.cc.
#pragma once

#include <deque>
#include <list>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "monitor/explain.h"
#include "monitor/fold.h"
#include "monitor/key_index.h"
#include "monitor/monitor.h"
#include "monitor/reconcile.h"
#include "monitor/ring.h"
#include "monitor/store.h"

namespace vitalake::monitor {

inline Seconds ToSeconds(Micros time) {
  constexpr Micros kLast = Micros{0xFFFF'FFFE} * kSecond;
  return static_cast<Seconds>(std::clamp<Micros>(time, kSecond, kLast) / kSecond);
}
inline Micros ToMicros(Seconds time) { return Micros{time} * kSecond; }

class Monitor::State {
 public:
  static Result<std::unique_ptr<State>> Make(const MonitorOptions& options);
  explicit State(const MonitorOptions& options) : options_(options) {}

  Observation Observe(const Reading& reading);
  Result<std::span<const AlertEvent>> Apply(const Action& action);
  std::span<const AlertEvent> Tick(Micros time, int64_t position);
  std::span<const AlertEvent> ObserveQuarantined(const QuarantinedCritical& record);
  std::string Snapshot() const;
  Status Load(std::string_view snapshot);

  std::optional<Micros> next_timer() const {
    if (timers_.empty()) return std::nullopt;
    return ToMicros(timers_.front().due);
  }

  MonitorCounters counters_;
  PatientTable patients_;
  Pool<Series> series_;
  Pool<AlertRecord> records_;
  KeyIndex keys_;

 private:
  // What an input is about, while it is worked on.
  struct Cause {
    int64_t position = 0;
    const Reading* reading = nullptr;   // null: a timer or an action
    const VitalRule* rule = nullptr;    // that judged the reading
    const VitalRule* beside = nullptr;  // the same, of a limit that stands beside it
    bool confirm_with_cuff = false;
    std::string_view actor;
  };
  struct Timing {
    Seconds time = 0;
    bool late = false, too_late = false, imprecise = false, ahead = false;
    Micros late_by = 0;
  };
  struct Tombstone {
    uint64_t rank = 0;
    Seconds received = 0;
  };
  // An alert of the operations queue that no patient here can hold: a record names none that can be
  // found, or is in quarantine.
  struct Unheld {
    Hash128 id;
    std::string id_space, patient;  // as in `id`
    AlertRecord record;
  };
  struct Cap {
    Seconds since = 0;
    uint32_t count = 0;
  };
  struct Timer {
    Seconds due = 0;
    bool of_patient = false;  // or of a series
    uint32_t number = 0;      // 0 of a series: of unheld_
    auto operator<=>(const Timer&) const = default;
  };

  // Inputs.
  void Begin(Micros time, int64_t position);
  Judgement Take(const Reading& reading, uint32_t person, bool linked);
  Timing TimingOf(const Reading& reading) const;
  // All but the key.
  Entry EntryOf(const Reading& reading, uint32_t person, const Timing& timing,
                Judgement& judgement);
  JudgedLevel LevelOf(const Reading& reading, uint32_t person, const Timing& timing,
                      std::optional<double> age);
  RingOutcome Put(uint32_t index, const Entry& entry);
  Outcome Retract(const Reading& reading, uint32_t index);
  Outcome RetractAnywhere(const Reading& reading);
  Outcome TakeBackAnywhere(const Reading& reading);
  void RetractElsewhere(const Reading& reading, uint32_t index, uint64_t key);
  bool IsSupersededElsewhere(uint32_t index, uint64_t key, uint64_t rank) const;
  void TakeBackElsewhere(const Reading& reading, uint32_t index, uint64_t key, uint64_t rank);
  bool TakeBack(uint32_t index, uint64_t key, uint64_t rank);
  std::vector<uint32_t> SeriesWith(uint64_t key) const;
  bool HasOpener(const Series& series, uint64_t key) const;
  void Forget(uint32_t index, uint64_t key);
  void RetractOpener(uint32_t index, uint64_t key);
  bool IsBuried(uint64_t key, uint64_t rank) const;
  void Bury(uint64_t key, uint64_t rank);
  void MakeRoom(uint32_t index);
  void Settle(uint32_t index);
  void Describe(Judgement& judgement, const Series& series, uint64_t key) const;
  uint32_t SeriesOf(uint32_t person, Vital vital, int16_t offset_minutes);
  uint32_t PersonOf(uint32_t patient) const;
  // Whether the patient's readings are followed in another's series.
  bool Rests(const Series& series) const { return PersonOf(series.patient) != series.patient; }

  // Parts of a snapshot; false: it is cut off or damaged.
  bool LoadRules(ByteReader& in);
  bool LoadSettings(ByteReader& in);
  bool LoadTombstones(ByteReader& in);
  bool LoadCaps(ByteReader& in);
  bool LoadUnheld(ByteReader& in);
  bool LoadReplaced(ByteReader& in);

  // Who is judged how.
  // The newest in force, of all who are that person.
  const PatientSettings* SettingsOf(uint32_t person, Micros time) const;
  void FindBroughtSettings();
  std::optional<double> AgeOf(uint32_t person, Seconds time) const;
  bool IsSuppressed(uint32_t person, Seconds time) const;
  std::span<const FoldRules> FoldRulesOf(const Series& series) const;

  // Episodes to alerts.
  void Reconcile(uint32_t index, uint64_t watch);
  Seconds JudgedAt(const Series& series) const;
  void OpenAlert(uint32_t index, const Episode& episode);
  void FollowAlert(uint32_t index, uint32_t record, const Episode& episode);
  void WithdrawAlert(uint32_t index, uint32_t record);
  bool IsOldNews(const Episode& episode) const;
  bool IsBeneathSevere(const Series& series, Rule rule) const;
  bool IsToldAgain(const AlertRecord& record, const Episode& episode) const;
  bool IsCapped(uint32_t person, Rule rule);
  uint64_t ModelAtHand() const;
  AlertEvent& Emit(Change change, Vital vital, const AlertRecord& record);
  void AddEpisode(AlertEvent& event, const AlertRecord& record, const Series& series,
                  const Episode* episode);
  void AddCurrent(AlertEvent& event, const AlertRecord& record, const Series& series);
  void DescribeAgain(AlertEvent& event, uint32_t person, Vital vital, const AlertRecord& record);
  void DescribeOfPatient(AlertEvent& event, uint32_t person, const AlertRecord& record);
  void Count(const AlertEvent& event);
  void AddRecord(uint32_t& first, uint32_t record);
  void RemoveRecord(uint32_t& first, uint32_t record);
  void DropRecord(uint32_t index, uint32_t record);
  uint32_t FindRecord(uint32_t first, Rule rule) const;
  uint16_t VersionName(std::string_view name);

  // Timers.
  void RunTimers(Seconds until);
  Seconds& ArmedFor(const Timer& timer);
  void Arm(const Timer& timer);
  void OnTimer(uint32_t index);
  void Schedule(uint32_t index);
  void Remind(uint32_t index);
  void OnPatientTimer(uint32_t person);
  void SchedulePatient(uint32_t person);
  void RemindOfPatient(uint32_t person, AlertRecord& record);
  Seconds ReminderDue(const AlertRecord& record) const;
  Seconds SeriesReminderDue(const Series& series, const AlertRecord& record) const;
  Seconds PatientReminderDue(uint32_t person, const AlertRecord& record) const;
  Seconds SilenceDue(const Series& series, const FoldState& tip) const;
  void BreakSilence(uint32_t index);
  void FallSilent(uint32_t index);

  // Alerts of no single series.
  void Index(uint32_t person, const AlertRecord& record);
  void CloseOfPatient(uint32_t person, uint32_t record, std::string_view explanation = {});
  void DropOfPatient(uint32_t person, uint32_t record);
  void CallOperations(const Reading& reading, uint32_t person, uint64_t key);
  void WithdrawOperations(uint32_t person, uint64_t key);
  void FollowRetraction(uint32_t index, uint64_t key);
  // Adds what `record` has; null when the alert is on already.
  AlertEvent* OpenUnheld(PatientKey patient, AlertRecord record);
  AlertEvent& EmitUnheld(Change change, const Unheld& alert);
  void EndUnheld(std::list<Unheld>::iterator alert, Change change, std::string_view explanation);
  void EndOldUnheld();
  void ScheduleUnheld();
  void WithdrawUnheld(uint64_t opener);
  std::list<Unheld>::iterator FindUnheld(const Hash128& id);
  void RollUp(uint32_t person, uint64_t opener);
  // NEWS2 and the newest of its inputs.
  struct Scored {
    News2Reading news2;
    Seconds time = 0;
    uint64_t key = 0;
    Vital vital = Vital::kSeveral;
  };
  Seconds AgeOfScore(const Scored& scored) const;
  bool FollowsNews2(uint32_t person) const;
  std::optional<News2Reading> FollowNews2(uint32_t person, uint64_t changed);
  void TellNews2(Change change, const AlertRecord& record, const Scored& scored, bool notify);
  Scored ScoreOf(uint32_t person, bool scale_two) const;
  const Entry* NewestOf(uint32_t person, Vital vital) const;

  // Actions.
  Status Do(const PatientChanged& change);
  void JudgeAgain(uint32_t person);
  bool JudgeAgain(Entry& entry, uint32_t person, Vital vital);
  Status Do(const SettingsChanged& change);
  Status Do(const Acknowledge& action);
  Status Do(const Snooze& action);
  Status Do(const ActivateRules& action);
  void Activate(RuleTable rules, Seconds from);
  void MeetPerson(uint32_t person);
  void AnswerOperations(uint32_t person);
  uint32_t SurvivorOf(uint32_t patient) const;
  void Relink(uint32_t patient, uint32_t survivor);
  void Join(uint32_t patient, uint32_t survivor);
  void Part(uint32_t patient, uint32_t survivor);
  void MoveAlerts(uint32_t from, uint32_t to);
  void MovePersonAlerts(uint32_t from, uint32_t to);
  std::pair<Vital, uint32_t> FindAlert(uint32_t person, const Hash128& id) const;

  MonitorOptions options_;
  std::vector<std::pair<Seconds, RuleTable>> rules_;           // as activated; the last is in force
  std::vector<FoldRules> fold_rules_[2][kVitalCount];          // [1]: in pregnancy
  std::map<uint32_t, std::vector<PatientSettings>> settings_;  // by patient, each by `from`
  std::map<uint32_t, std::vector<uint32_t>> brought_;  // by person: merged patients with settings
  std::map<uint32_t, std::set<uint32_t>> replaced_;    // by patient: whom it says to replace
  std::map<uint32_t, std::set<uint32_t>> claims_;      // the other way round
  std::map<uint64_t, Tombstone> tombstones_;           // of keys that are in no ring
  std::deque<uint64_t> burials_;                       // their order
  std::map<std::pair<uint32_t, uint64_t>, Cap> caps_;  // by patient and device model
  std::deque<std::string> versions_;                   // never moved: events view them
  std::vector<Timer>
      timers_;  // a heap; those that do not match the `timer` of whose it is are void
  Seconds clock_ = 0;
  Cap quarantined_;
  std::list<Unheld> unheld_;  // by when they were opened

  // Of the input at hand.
  Cause cause_;
  Fold fold_;
  std::vector<AlertEvent> events_;
  std::list<Unheld> ended_;  // that events view
};

}  // namespace vitalake::monitor
