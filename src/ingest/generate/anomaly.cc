#include "ingest/generate/anomaly.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "base/json_writer.h"
#include "ingest/generate/text.h"

namespace vitalake::ingest {
namespace {

constexpr int64_t kMillion = 1'000'000;
constexpr size_t kEarlierReadings = 4096;

void AddPressure(Reading& reading, int64_t systolic) {
  reading.value = std::clamp<int64_t>(reading.value + systolic, 4000, 28'000);
  reading.diastolic =
      std::clamp<int64_t>(reading.diastolic + systolic * 3 / 5, 2000, reading.value - 1000);
}

void AppendClean(JsonWriter& writer, std::string_view name, int64_t hundredths, bool absent) {
  writer.Key(name);
  if (absent) {
    writer.Null();
    return;
  }
  std::string text;
  AppendHundredths(text, hundredths);
  writer.Raw(text);
}

}  // namespace

struct AnomalyInjector::Label {
  Kind kind;
  int64_t event = 0;
  std::optional<Reading> clean;
  std::optional<int64_t> of;  // number of the earlier reading
  int64_t delay_seconds = 0;
  Micros from = 0;
  Micros until = 0;

  void Append(std::string& out, uint64_t seed, int64_t line, const Reading& sent,
              std::string_view patient) const;
};

void AnomalyInjector::Label::Append(std::string& out, uint64_t seed, int64_t line,
                                    const Reading& sent, std::string_view patient) const {
  constexpr std::array<std::string_view, 9> kNames = {"spike",        "shift",      "drift",
                                                      "dropout",      "duplicate",  "resend",
                                                      "out_of_order", "correction", "retraction"};
  JsonWriter writer;
  writer.BeginObject().Key("kind").String(kNames[static_cast<size_t>(kind)]);
  writer.Key("event").Int(event).Key("patient").String(patient);
  if (kind == Kind::kDropout) {
    writer.Key("from").String(FormatUtc(from)).Key("until").String(FormatUtc(until));
  } else {
    writer.Key("line").Int(line + 1).Key("id").String(ReadingId(seed, sent.number));
    writer.Key("version").String(std::to_string(sent.version));
    writer.Key("time").String(FormatUtc(sent.effective));
  }
  if (clean) {
    AppendClean(writer, "clean_systolic", clean->value, false);
    AppendClean(writer, "clean_diastolic", clean->diastolic, clean->diastolic_absent);
  }
  if (of) writer.Key("of").String(ReadingId(seed, *of));
  if (delay_seconds > 0) writer.Key("delay_seconds").Int(delay_seconds);
  writer.EndObject();
  out += writer.text();
  out += '\n';
}

AnomalyInjector::AnomalyInjector(const ObservationOptions& options, int64_t patients)
    : seed_(options.seed),
      lines_(options.count),
      patients_(patients),
      share_millionths_(std::llround(options.anomaly_share * static_cast<double>(kMillion))) {}

bool AnomalyInjector::IsSilent(int64_t patient, Micros time) {
  const auto at = silent_until_.find(patient);
  if (at == silent_until_.end()) return false;
  if (time < at->second) return true;
  silent_until_.erase(at);
  return false;
}

int64_t AnomalyInjector::Inject(int64_t line, Reading& reading,
                                const std::vector<std::string>& subject_ids, std::string& labels) {
  if (share_millionths_ == 0 || reading.kind != ReadingKind::kPressure) return 0;
  SeededRandom random = RandomFor(seed_, RandomUse::kAnomaly, line);
  Label label{};
  const auto episode = episodes_.find(reading.patient);
  if (episode != episodes_.end()) {
    ApplyEpisode(episode->second, reading, label);
    if (episode->second.done == episode->second.readings) episodes_.erase(episode);
  } else if (Due(line, random)) {
    Begin(Choose(random, line), line, random, reading, label);
  } else {
    Remember(reading);
    return 0;
  }
  label.Append(labels, seed_, line, reading, subject_ids[static_cast<size_t>(reading.patient)]);
  return 1;
}

bool AnomalyInjector::Due(int64_t line, SeededRandom& random) {
  return share_millionths_ * (line + 1) - spent_millionths_ >= kMillion && random.Below(4) == 0;
}

void AnomalyInjector::Spend(int64_t lines) { spent_millionths_ += lines * kMillion; }

AnomalyInjector::Kind AnomalyInjector::Choose(SeededRandom& random, int64_t line) {
  struct Weight {
    Kind kind;
    int64_t share;
  };
  // Of 100 events; an episode labels many lines, so it is rarer.
  constexpr std::array<Weight, 9> kWeights = {{{Kind::kSpike, 30},
                                               {Kind::kShift, 6},
                                               {Kind::kDrift, 4},
                                               {Kind::kDropout, 6},
                                               {Kind::kDuplicate, 14},
                                               {Kind::kResend, 6},
                                               {Kind::kOutOfOrder, 14},
                                               {Kind::kCorrection, 12},
                                               {Kind::kRetraction, 8}}};
  int64_t rest = Between(random, 0, 99);
  Kind kind = Kind::kSpike;
  for (const Weight& weight : kWeights) {
    kind = weight.kind;
    rest -= weight.share;
    if (rest < 0) break;
  }
  const bool repeats = kind == Kind::kDuplicate || kind == Kind::kResend ||
                       kind == Kind::kCorrection || kind == Kind::kRetraction;
  if (repeats && !HasEarlier()) return Kind::kSpike;
  // Most patients must be left to speak.
  const bool too_silent = static_cast<int64_t>(silent_until_.size() + 1) * 4 > patients_;
  if (kind == Kind::kDropout && (too_silent || line + 1 == lines_)) return Kind::kSpike;
  return kind;
}

int64_t AnomalyInjector::ExpectedReadings(int64_t readings, int64_t line) const {
  return std::clamp<int64_t>((lines_ - line) / patients_, 1, readings);
}

void AnomalyInjector::ApplyEpisode(Episode& episode, Reading& reading, Label& label) {
  ++episode.done;
  label.kind = episode.kind;
  label.event = episode.event;
  label.clean = reading;
  AddPressure(reading, episode.kind == Kind::kShift
                           ? episode.height
                           : episode.height * episode.done / episode.readings);
}

void AnomalyInjector::BeginEpisode(Kind kind, int64_t line, SeededRandom& random,
                                   const Reading& reading) {
  const bool shift = kind == Kind::kShift;
  Episode episode{.kind = kind, .event = events_};
  episode.readings = shift ? Between(random, 8, 16) : Between(random, 12, 20);
  episode.height = shift ? Between(random, 2000, 3000) : Between(random, 2000, 4000);
  episode.height -= episode.height % 100;
  Spend(ExpectedReadings(episode.readings, line));
  episodes_[reading.patient] = episode;
}

void AnomalyInjector::Begin(Kind kind, int64_t line, SeededRandom& random, Reading& reading,
                            Label& label) {
  label.kind = kind;
  label.event = ++events_;
  switch (kind) {
    case Kind::kShift:
    case Kind::kDrift:
      BeginEpisode(kind, line, random, reading);
      ApplyEpisode(episodes_[reading.patient], reading, label);
      return;
    case Kind::kSpike: {
      label.clean = reading;
      const int64_t height = Between(random, 35, 60) * 100;
      AddPressure(reading, Chance(random, 800) ? height : -height);
      break;
    }
    case Kind::kDropout:
      // This reading is the last one for a while; it is itself as it should be.
      label.from = reading.updated;
      label.until = reading.updated + Between(random, 7 * 24, 14 * 24) * kHour;
      silent_until_[reading.patient] = label.until;
      Remember(reading);
      break;
    case Kind::kOutOfOrder:
      label.delay_seconds = Between(random, 3600, 48 * 3600);
      reading.effective -= label.delay_seconds * kSecond;
      break;
    default:
      RepeatEarlier(kind, random, reading, label);
  }
  Spend(1);
}

void AnomalyInjector::RepeatEarlier(Kind kind, SeededRandom& random, Reading& reading,
                                    Label& label) {
  const size_t place = random.Below(earlier_.size());
  Reading& earlier = earlier_[place];
  const Reading now = reading;
  label.of = earlier.number;
  if (kind == Kind::kDuplicate) {
    reading = earlier;
    return;
  }
  if (kind == Kind::kResend) {
    reading = earlier;
    reading.number = now.number;
    reading.version = 1;
    reading.updated = now.updated;
    return;
  }
  ++earlier.version;
  earlier.updated = now.updated;
  if (kind == Kind::kCorrection) {
    label.clean = earlier;
    earlier.status = Chance(random, 500) ? ReadingStatus::kAmended : ReadingStatus::kCorrected;
    const int64_t by = Between(random, 1, 12) * 100;
    AddPressure(earlier, Chance(random, 500) ? by : -by);
    reading = earlier;
    return;
  }
  earlier.status = ReadingStatus::kEnteredInError;
  reading = earlier;
  // A retracted reading is not repeated again.
  earlier = earlier_.back();
  earlier_.pop_back();
  next_earlier_ = std::min(next_earlier_, earlier_.size());
}

void AnomalyInjector::Remember(const Reading& reading) {
  if (earlier_.size() < kEarlierReadings) {
    earlier_.push_back(reading);
    return;
  }
  earlier_[next_earlier_ % kEarlierReadings] = reading;
  ++next_earlier_;
}

}  // namespace vitalake::ingest
