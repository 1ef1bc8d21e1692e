#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/json_writer.h"
#include "ingest/generate/anomaly.h"
#include "ingest/generate/blocks.h"
#include "ingest/generate/generate.h"
#include "ingest/generate/person.h"
#include "ingest/generate/random.h"
#include "ingest/generate/reading.h"
#include "ingest/generate/text.h"

namespace vitalake::ingest {
namespace {

std::unexpected<Error> Invalid(std::string_view option, std::string_view wanted) {
  return Fail(ErrorKind::kInvalidArgument, fmt::format("{} must be {}", option, wanted));
}

Status Check(const ObservationOptions& options) {
  if (options.count < 0) return Invalid("the number of observations", "0 or more");
  if (options.patients < 0) return Invalid("the number of patients", "0 or more");
  if (options.days < 1 || options.days > 36'500) return Invalid("days", "1 to 36500");
  if (options.end < options.days * kDay) return Invalid("end", "so late that all is after 1970");
  if (!(options.anomaly_share >= 0 && options.anomaly_share <= 0.5)) {
    return Invalid("the share of anomalies", "0 to 0.5");
  }
  if (!(options.other_share >= 0 && options.other_share <= 1)) {
    return Invalid("the share of other vital signs", "0 to 1");
  }
  return {};
}

int64_t PatientCount(const ObservationOptions& options) {
  if (!options.patient_ids.empty()) return static_cast<int64_t>(options.patient_ids.size());
  if (options.patients > 0) return options.patients;
  return std::max<int64_t>(1, options.count / kObservationsPerPatient);
}

// Whole units, now and then with a fraction as some devices give it.
int64_t RoundOff(int64_t hundredths, int64_t fraction) {
  return (hundredths + 50) / 100 * 100 + fraction;
}

void DrawPressure(SeededRandom& random, const Person& person, Reading& reading) {
  const Micros local = reading.effective + person.utc_offset_minutes * kMinute;
  const Pressures body = PressuresAt(person, local % kDay / kMinute);
  const bool fractions = Chance(random, 50);
  const int64_t systolic =
      body.systolic + Noise(random, person.systolic_noise) + person.device_bias;
  const int64_t diastolic = body.diastolic + Noise(random, person.diastolic_noise);
  reading.value = RoundOff(std::clamp<int64_t>(systolic, 7000, 26'000), fractions ? 50 : 0);
  reading.diastolic =
      RoundOff(std::clamp<int64_t>(diastolic, 4000, reading.value - 1000), fractions ? 25 : 0);
  reading.diastolic_first = Chance(random, 100);
  reading.diastolic_absent = Chance(random, 5);
}

void DrawOther(SeededRandom& random, const Person& person, Reading& reading) {
  switch (random.Below(3)) {
    case 0:
      reading.kind = ReadingKind::kHeartRate;
      reading.value = std::clamp<int64_t>(person.heart_rate + Noise(random, 7), 38, 180) * 100;
      break;
    case 1:
      reading.kind = ReadingKind::kOxygen;
      reading.value = std::clamp<int64_t>(97 + Noise(random, 2), 84, 100) * 100;
      break;
    default:
      reading.kind = ReadingKind::kTemperature;
      reading.value = (3670 + Noise(random, 35)) / 10 * 10;
  }
}

}  // namespace

struct ObservationStream::Impl {
  explicit Impl(const ObservationOptions& given)
      : options(given), patients(PatientCount(given)), injector(given, patients) {
    ids = std::move(options.patient_ids);
    people.reserve(static_cast<size_t>(patients));
    subjects.reserve(static_cast<size_t>(patients));
    for (int64_t i = 0; i < patients; ++i) {
      if (static_cast<int64_t>(ids.size()) == i) ids.push_back(GeneratedPatientId(i));
      people.push_back(MakePerson(options.person_seed.value_or(options.seed), i, options.end));
      subjects.emplace_back();
      AppendJsonString(subjects.back(), "Patient/" + ids[static_cast<size_t>(i)]);
    }
  }

  Micros ArrivalOf(int64_t index) const {
    const Micros span = options.days * kDay;
    const Micros step = span / options.count;
    return options.end - span + step * index +
           (span - step * options.count) * index / options.count;
  }

  // The drawn patient, or the next one that is alive and not silent.
  int64_t PatientFrom(int64_t drawn, Micros arrival) {
    int64_t patient = drawn;
    for (int64_t tried = 0; tried < patients; ++tried) {
      if (!people[static_cast<size_t>(patient)].deceased && !injector.IsSilent(patient, arrival)) {
        return patient;
      }
      patient = (patient + 1) % patients;
    }
    return drawn;
  }

  Reading Draw(int64_t index) {
    SeededRandom random = RandomFor(options.seed, RandomUse::kObservation, index);
    Reading reading{.number = index, .identifier = index};
    reading.updated = ArrivalOf(index) / 1000 * 1000;
    reading.patient = PatientFrom(Between(random, 0, patients - 1), reading.updated);
    const Person& person = people[static_cast<size_t>(reading.patient)];
    reading.device = person.device;
    reading.device_type_named = options.device_types;
    reading.shape = Chance(random, 500) ? ReadingShape::kHome : ReadingShape::kClinic;
    reading.millis = Chance(random, 300);
    // Gateways that write UTC whatever the patient's clock says.
    reading.offset_minutes = Chance(random, 100) ? 0 : person.utc_offset_minutes;
    reading.effective = reading.updated - Between(random, 5000, 1'205'000) * 1000;
    if (!reading.millis) reading.effective -= reading.effective % kSecond;
    if (random.Below(kOtherParts) < other_parts) {
      DrawOther(random, person, reading);
    } else {
      DrawPressure(random, person, reading);
    }
    return reading;
  }

  static constexpr uint64_t kOtherParts = 1'000'000;

  ObservationOptions options;
  int64_t patients;
  AnomalyInjector injector;
  uint64_t other_parts = static_cast<uint64_t>(std::llround(options.other_share * kOtherParts));
  std::vector<std::string> ids;
  std::vector<std::string> subjects;  // "Patient/<id>" as JSON strings
  std::vector<Person> people;
  int64_t next = 0;
};

ObservationStream::ObservationStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ObservationStream::~ObservationStream() = default;
ObservationStream::ObservationStream(ObservationStream&&) noexcept = default;
ObservationStream& ObservationStream::operator=(ObservationStream&&) noexcept = default;

Result<ObservationStream> ObservationStream::Make(const ObservationOptions& options) {
  VL_RETURN_IF_ERROR(Check(options));
  return ObservationStream(std::make_unique<Impl>(options));
}

bool ObservationStream::done() const { return impl_->next >= impl_->options.count; }

Micros ObservationStream::next_arrival() const { return impl_->ArrivalOf(impl_->next); }

void ObservationStream::Skip(int64_t lines) {
  if (impl_->options.anomaly_share > 0) {
    std::string unused;
    for (; lines > 0; --lines) {
      const int64_t line = impl_->next++;
      Reading reading = impl_->Draw(line);
      impl_->injector.Inject(line, reading, impl_->ids, unused);
      unused.clear();
    }
  }
  impl_->next += lines;
}

int64_t ObservationStream::Next(std::string& out, std::string& labels) {
  const int64_t line = impl_->next++;
  Reading reading = impl_->Draw(line);
  const int64_t labelled = impl_->injector.Inject(line, reading, impl_->ids, labels);
  AppendReading(out, reading, impl_->options.seed,
                impl_->subjects[static_cast<size_t>(reading.patient)]);
  return labelled;
}

Result<GenerateSummary> GenerateObservations(const ObservationOptions& options,
                                             const GenerateSink& sink, const GenerateSink& labels) {
  VL_TRY(ObservationStream stream, ObservationStream::Make(options));
  BlockBuffer lines(sink);
  BlockBuffer side(labels);
  GenerateSummary summary;
  while (!stream.done()) {
    summary.labels += stream.Next(lines.text(), side.text());
    ++summary.records;
    VL_RETURN_IF_ERROR(lines.FlushWhenFull());
    VL_RETURN_IF_ERROR(side.FlushWhenFull());
  }
  VL_RETURN_IF_ERROR(lines.Flush());
  VL_RETURN_IF_ERROR(side.Flush());
  summary.bytes = lines.flushed_bytes();
  return summary;
}

}  // namespace vitalake::ingest
