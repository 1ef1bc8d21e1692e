// Synthetic FHIR R4 Patients and Observations: for the demo, load tests and a first look.
//
// Deterministic: the same options give the same bytes on every machine. All arithmetic that reaches
// the output is on integers, and each record draws from a random sequence of its own, so that one
// record does not depend on how many others there are or on what was injected into them.
//
// Patients: names (some with an old one), ranked telecom, home and old addresses, identifiers with
// a medical record number, some deceased.
//
// Observations: blood-pressure panels in two shapes (a home device: `mmHg`, SNOMED CT and device
// codings, device and body site; a clinic: `mm[Hg]`, texts, encounter and issued), in order of
// arrival; 10 % with the diastolic component first, 0.5 % with a dataAbsentReason for it, 5 % with
// decimals, 30 % with milliseconds, four UTC offsets. The effective time lies 5 seconds to 20
// minutes before the arrival (meta.lastUpdated). A value is the patient's own baseline (by age) +
// the rhythm of the local day + noise and bias of the device.
//
// Anomalies, each with a label in a side NDJSON:
// - spike: one reading 35 to 60 mmHg off
// - shift: 8 to 16 readings of a patient 20 to 30 mmHg up
// - drift: 12 to 20 readings of a patient rising by 20 to 40 mmHg in all
// - dropout: a patient sends nothing for 7 to 14 days (no line of its own: from, until)
// - duplicate: an earlier line again, byte for byte
// - resend: an earlier reading under a new resource id (same identifier, device, time, values)
// - out_of_order: a reading that arrives 1 to 48 hours late
// - correction: an earlier reading again, with the next versionId, amended or corrected, and other
//   values
// - retraction: an earlier reading again, with the next versionId, entered-in-error
// (Systolic; the diastolic moves by three fifths of it.)
//
// A label has: kind; event (number of the injection: the readings of one shift share it); patient;
// line (of the output, from 1), id, version, time (effective, UTC), except for a dropout. Where it
// applies: clean_systolic and clean_diastolic (mm[Hg]: without the injection, or before the
// correction; null: not measured), of (id of the earlier reading), delay_seconds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace vitalake::ingest {

// Takes a block of whole NDJSON lines (about 1 MB). An error ends the generation with it.
using GenerateSink = std::function<Status(std::string_view block)>;

inline constexpr uint64_t kDefaultSeed = 1;
// 2026-04-01T00:00:00Z.
inline constexpr Micros kDefaultEnd = 1'775'001'600'000'000;
inline constexpr int64_t kObservationsPerPatient = 25;

struct PatientOptions {
  int64_t count = 0;  // ids pat-000000, pat-000001, ...
  uint64_t seed = kDefaultSeed;
  // Share of the patients that are linked `replaced-by` to another one, 0 to 0.5.
  double replaced_share = 0;
  Micros now = kDefaultEnd;  // nobody is born or dies later
};

struct ObservationOptions {
  int64_t count = 0;  // lines, injected ones included
  uint64_t seed = kDefaultSeed;
  // Subjects; empty: those that GeneratePatients makes by the same seed, `patients` of them.
  std::vector<std::string> patient_ids = {};
  int64_t patients = 0;      // 0: one for kObservationsPerPatient observations, at least one
  Micros end = kDefaultEnd;  // exclusive: the last line arrives just before
  int64_t days = 90;         // from the first arrival to `end`
  double anomaly_share = 0;  // labels (without dropouts: lines) per line, 0 to 0.5
  double other_share = 0;    // of lines that are heart rate, SpO2 or temperature, 0 to 1
  // Pressures of home devices say what they are measured with (an automatic cuff) and where (at
  // home). Without it the device is of unknown type, and no category may rest on it.
  bool device_types = false;
  // What is usual for each patient follows from this; none: from `seed`.
  std::optional<uint64_t> person_seed = {};
};

struct GenerateSummary {
  int64_t records = 0;
  int64_t bytes = 0;
  int64_t labels = 0;
};

// kInvalidArgument naming the option; the sink's errors.
Result<GenerateSummary> GeneratePatients(const PatientOptions& options, const GenerateSink& sink);
// Appends the patient of that number, from 0, without a line feed.
void AppendPatient(std::string& out, const PatientOptions& options, int64_t index);
// `labels` may be empty: then there are none.
Result<GenerateSummary> GenerateObservations(const ObservationOptions& options,
                                             const GenerateSink& sink, const GenerateSink& labels);

// The ids of the Patients in an NDJSON file, in its order; other resources are passed over.
// kNotFound, kPermission, kIo; kCorrupt naming file and line; kInvalidArgument when there is none.
Result<std::vector<std::string>> ReadPatientIds(const std::filesystem::path& ndjson);

// The same Observations one by one, for a paced stream. Not thread-safe.
class ObservationStream {
 public:
  // kInvalidArgument naming the option.
  static Result<ObservationStream> Make(const ObservationOptions& options);
  ~ObservationStream();
  ObservationStream(ObservationStream&&) noexcept;
  ObservationStream& operator=(ObservationStream&&) noexcept;

  bool done() const;
  // When the next line arrives in the generated time (not done()).
  Micros next_arrival() const;
  // Goes on behind the next `lines` lines. Cost: as long as anomalies are injected, a microsecond
  // or so each, since what is injected depends on what was before; else none.
  void Skip(int64_t lines);
  // Appends the next line to `out` and its labels (one, or with a dropout beginning more), if any,
  // to `labels`, each with '\n'. Answers the number of labels.
  int64_t Next(std::string& out, std::string& labels);

 private:
  struct Impl;
  explicit ObservationStream(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vitalake::ingest
