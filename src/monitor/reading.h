// What the monitor is told about one reading: a normalised record, after decode, view and
// judgement.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "clinical/blood_pressure.h"
#include "clinical/plausibility.h"
#include "clinical/quality.h"
#include "clinical/units.h"

namespace vitalake::monitor {

// The vital signs with state of their own. A blood pressure is one, with two values; glucose is
// one per unit, because it is compared in the unit sent.
enum class Vital : uint8_t {
  kBloodPressure,
  kHeartRate,
  kRespiratoryRate,
  kOxygenSaturation,
  kTemperature,
  kWeight,
  kGlucoseMass,
  kGlucoseMolar,
  kOxygenFlow,           // inhaled, L/min: an input of NEWS2
  kOxygenConcentration,  // inhaled, %: an input of NEWS2
  kConsciousness,        // 0 alert; 1 new confusion, voice, pain or unresponsive
  kSeveral,              // no series: what rests on several vital signs, or on the patient
};
inline constexpr int kVitalCount = 11;  // those with a series

// "blood pressure", "heart rate", ...: for people.
std::string_view ToString(Vital vital);
// The canonical LOINC code that stands for the vital sign in alerts; "several" for kSeveral.
std::string_view CodeOf(Vital vital);
// By canonical LOINC code (8480-6, 8462-4 and 85354-9 alike) and canonical unit; nullopt for what
// the monitor does not watch.
std::optional<Vital> VitalOf(std::string_view code, clinical::Unit unit);

// A patient of one source.
struct PatientKey {
  std::string_view id_space;
  std::string_view id;  // empty: the record names no patient that can be found
  bool operator==(const PatientKey&) const = default;
};

// Observation.status, as far as it matters here.
enum class ReadingStatus : uint8_t {
  kAlerts,     // preliminary, final, amended, corrected
  kQuiet,      // registered, unknown, or none: stored, never judged; also a version without value
  kRetracted,  // entered-in-error, cancelled, or a DELETE
};
ReadingStatus ParseStatus(std::string_view text);

// Which of two versions of a record counts: compared from left to right, a later arrival winning
// among equals. A retraction without version number stays for good.
struct VersionRank {
  int64_t version = -1;                // meta.versionId as a number; -1: none
  std::optional<Micros> last_updated;  // meta.lastUpdated
};

// One reading. Texts are read during the call only.
struct Reading {
  PatientKey patient;
  std::string_view id;  // the reading key inside the patient's id_space
  Vital vital = Vital::kBloodPressure;
  // All that the record has values of, a bit each; 0: this one alone. A version that has others
  // than the one before takes the rest of that back.
  uint16_t vitals = 0;

  // In canonical units. Blood pressure: systolic and diastolic, either may be missing. Others: the
  // value and nothing. A retraction should carry the values stored before it: that is how a reading
  // older than the monitor's memory of single readings leaves the baseline.
  std::optional<double> value, diastolic;
  clinical::Comparator comparator = clinical::Comparator::kNone;
  clinical::Comparator diastolic_comparator = clinical::Comparator::kNone;
  clinical::QualitySet quality;
  bool critical = false;  // as clinical::Assess says: the operations queue's measure

  // nullopt: there is no moment (a date, no time, no offset); it is then judged at `received`. A
  // source whose times cannot be used is given `effective = received`.
  std::optional<Micros> effective;
  // The broker's append time. What waited at the broker comes with one that the monitor's time has
  // passed: it is judged as of then all the same; timers go on from the later one.
  Micros received = 0;
  int16_t offset_minutes = 0;

  ReadingStatus status = ReadingStatus::kAlerts;
  VersionRank rank;

  std::string_view device;        // identity of the device; empty: none named
  std::string_view device_model;  // for the cap on alerts
  std::string_view identifier;    // a business identifier beside `id`; empty: none
  clinical::Device device_type = clinical::Device::kNotNamed;
  bool inpatient = false;  // taken in hospital: NEWS2 applies

  int64_t position = 0;  // of the record in its partition; alerts carry it
};

}  // namespace vitalake::monitor
