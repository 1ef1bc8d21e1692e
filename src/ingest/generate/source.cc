#include "ingest/generate/source.h"

#include <fmt/format.h>

#include <algorithm>

#include "ingest/generate/text.h"

namespace vitalake::ingest {
namespace {

constexpr int64_t kMostPatients = 1'000'000;
constexpr int64_t kMostRate = 1'000'000;
// How long the arrivals of one start go on: longer than any process.
constexpr int64_t kDays = 3650;
constexpr Micros kSecondMicros = 1'000'000;

}  // namespace

Status CheckGenerateSource(const GenerateSourceOptions& options) {
  const auto wrong = [](std::string_view option, std::string_view range) {
    return Fail(ErrorKind::kInvalidArgument, fmt::format("`{}` must be {}", option, range));
  };
  if (options.patients < 1 || options.patients > kMostPatients) {
    return wrong("patients", fmt::format("1 to {}", kMostPatients));
  }
  if (options.rate < 1 || options.rate > kMostRate) {
    return wrong("rate", fmt::format("1 to {} a second", kMostRate));
  }
  if (!(options.anomalies >= 0 && options.anomalies <= 0.5)) return wrong("anomalies", "0 to 0.5");
  return {};
}

Result<std::unique_ptr<GenerateSource>> GenerateSource::Open(const GenerateSourceOptions& options,
                                                             const std::string& stream,
                                                             const std::filesystem::path& locks,
                                                             Clock& clock) {
  VL_RETURN_IF_ERROR(CheckGenerateSource(options));
  VL_TRY(Slot slot, TakeSlot(locks, fmt::format("generator-{}", stream)));
  return std::unique_ptr<GenerateSource>(new GenerateSource(options, std::move(slot), clock));
}

Status GenerateSource::Seek(int32_t, int64_t offset) {
  next_ = std::max<int64_t>(offset, 0);
  paced_from_ = next_;
  paced_at_ = clock_.Steady();
  // Reading number `first` arrives now.
  const int64_t first = std::max<int64_t>(next_ - patients_sent(), 0);
  ObservationOptions readings;
  readings.seed = options_.seed;
  readings.patients = options_.patients;
  readings.patient_ids = options_.patient_ids;
  readings.days = kDays;
  readings.count = kDays * (kDay / kSecondMicros) * options_.rate;
  readings.end = clock_.NowMicros() + kDays * kDay - first * kSecondMicros / options_.rate;
  readings.anomaly_share = options_.anomalies;
  readings.other_share = options_.other_share;
  readings.device_types = options_.device_types;
  readings.person_seed = options_.person_seed;
  VL_TRY(readings_, ObservationStream::Make(readings));
  readings_->Skip(first);
  return {};
}

std::string GenerateSource::Payload(int64_t number) {
  std::string payload;
  if (number < patients_sent()) {
    PatientOptions patients;
    patients.seed = options_.seed;
    AppendPatient(payload, patients, number);
    return payload;
  }
  std::string labels;
  readings_->Next(payload, labels);
  payload.pop_back();  // the line feed
  return payload;
}

int64_t GenerateSource::Due() const {
  const double seconds = std::chrono::duration<double>(clock_.Steady() - paced_at_).count();
  const auto due = paced_from_ + static_cast<int64_t>(seconds * static_cast<double>(options_.rate));
  return std::max<int64_t>(due + 1 - next_, 0);
}

Status GenerateSource::Poll(PartitionOwner& owner, std::vector<StreamMessage>& into, size_t most,
                            std::chrono::milliseconds patience) {
  if (!offered_) {
    PartitionOffer offer;
    offer.partition = slot_.number;
    offer.counts_messages = false;  // its times are others when it is made again
    const auto starts = owner.Assigned(std::span(&offer, 1));
    if (!starts) {
      owner.Trouble(starts.error());
      clock_.SleepFor(patience);
      return {};
    }
    offered_ = true;
    return Seek(slot_.number, starts->front());
  }
  if (paused_ || Due() == 0) {
    const auto step = std::chrono::nanoseconds(std::chrono::seconds(1)) / options_.rate;
    clock_.SleepFor(paused_ ? patience : std::min<std::chrono::nanoseconds>(step, patience));
  }
  if (paused_) return {};
  // What it could not give for more than a second is not made up for.
  if (Due() > options_.rate + static_cast<int64_t>(most)) {
    paced_from_ = next_;
    paced_at_ = clock_.Steady();
  }
  const auto count = std::min<int64_t>(Due(), static_cast<int64_t>(most));
  for (int64_t i = 0; i < count; ++i) {
    into.push_back({slot_.number, next_, clock_.NowMicros(), {}, Payload(next_)});
    ++next_;
  }
  return {};
}

}  // namespace vitalake::ingest
