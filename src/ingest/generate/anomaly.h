// Injecting anomalies into a sequence of generated readings.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "ingest/generate/generate.h"
#include "ingest/generate/random.h"
#include "ingest/generate/reading.h"

namespace vitalake::ingest {

// Decides line by line, so that about `share` of the lines get a label. Not thread-safe.
//
// A budget in millionths of a line grows by the share with each line. When a line's worth is there,
// one of the next lines (one in four) becomes the beginning of an event, which takes from the
// budget what it is expected to label: a shift that begins near the end labels few lines.
class AnomalyInjector {
 public:
  AnomalyInjector(const ObservationOptions& options, int64_t patients);

  // Whether the patient is silent at that time (a dropout).
  bool IsSilent(int64_t patient, Micros time);

  // Changes `reading`, the clean one of line `line` (from 0), into what is sent in its place, and
  // appends labels to `labels` (`subject_ids` are the patients' ids). Answers their number.
  int64_t Inject(int64_t line, Reading& reading, const std::vector<std::string>& subject_ids,
                 std::string& labels);

 private:
  enum class Kind : uint8_t {
    kSpike,
    kShift,
    kDrift,
    kDropout,
    kDuplicate,
    kResend,
    kOutOfOrder,
    kCorrection,
    kRetraction
  };
  // A shift or drift under way.
  struct Episode {
    Kind kind = Kind::kShift;
    int64_t event = 0;
    int64_t readings = 0;  // of the whole episode
    int64_t done = 0;
    int64_t height = 0;  // hundredths of mm[Hg], systolic
  };
  struct Label;

  bool Due(int64_t line, SeededRandom& random);
  Kind Choose(SeededRandom& random, int64_t line);
  void Spend(int64_t lines);
  int64_t ExpectedReadings(int64_t readings, int64_t line) const;
  void ApplyEpisode(Episode& episode, Reading& reading, Label& label);
  void Begin(Kind kind, int64_t line, SeededRandom& random, Reading& reading, Label& label);
  void BeginEpisode(Kind kind, int64_t line, SeededRandom& random, const Reading& reading);
  void RepeatEarlier(Kind kind, SeededRandom& random, Reading& reading, Label& label);
  void Remember(const Reading& reading);
  bool HasEarlier() const { return !earlier_.empty(); }

  const uint64_t seed_;
  const int64_t lines_;
  const int64_t patients_;
  const int64_t share_millionths_;
  int64_t spent_millionths_ = 0;
  int64_t events_ = 0;
  std::unordered_map<int64_t, Episode> episodes_;     // by patient
  std::unordered_map<int64_t, Micros> silent_until_;  // by patient
  // The last clean readings, a ring: candidates to be repeated, corrected, retracted.
  std::vector<Reading> earlier_;
  size_t next_earlier_ = 0;
};

}  // namespace vitalake::ingest
