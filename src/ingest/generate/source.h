// GenerateSource: synthetic patients and their readings, as a stream of one partition.
//
// Message n is always the same for the same options, except for the time: first each patient
// (unless they are named), then Observations (generate/generate.h) that arrive at `rate` a second
// from when reading began. Positions are given by bronze's commits on behalf of a named writer, as
// those of posts (post_source.h); message n lies at offset n, so that a restart goes on with the
// next.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "ingest/generate/generate.h"
#include "ingest/run_lock.h"
#include "ingest/stream/source.h"

namespace vitalake::ingest {

struct GenerateSourceOptions {
  int64_t patients = 200;
  // Subjects that are known already: no patient is sent, only readings of theirs.
  std::vector<std::string> patient_ids = {};
  int64_t rate = 50;  // messages a second
  uint64_t seed = kDefaultSeed;
  double anomalies = 0;                      // share of the readings, 0 to 0.5
  double other_share = 0;                    // as in ObservationOptions
  bool device_types = false;                 // likewise
  std::optional<uint64_t> person_seed = {};  // likewise
};

// kInvalidArgument naming the option.
Status CheckGenerateSource(const GenerateSourceOptions& options);

class GenerateSource final : public StreamSource {
 public:
  // `locks`: folder of the slots. kLimit, kIo, kPermission; as CheckGenerateSource.
  static Result<std::unique_ptr<GenerateSource>> Open(const GenerateSourceOptions& options,
                                                      const std::string& stream,
                                                      const std::filesystem::path& locks,
                                                      Clock& clock);

  const std::string& topic() const override { return topic_; }
  Status Poll(PartitionOwner& owner, std::vector<StreamMessage>& into, size_t most,
              std::chrono::milliseconds patience) override;
  Status Seek(int32_t partition, int64_t offset) override;
  void Pause() override { paused_ = true; }
  void Resume() override { paused_ = false; }
  void CommitAdvisory(const std::map<int32_t, int64_t>&) override {}

 private:
  GenerateSource(const GenerateSourceOptions& options, Slot slot, Clock& clock)
      : options_(options), slot_(std::move(slot)), clock_(clock) {}

  std::string Payload(int64_t number);
  // Messages that are patients, before the readings.
  int64_t patients_sent() const { return options_.patient_ids.empty() ? options_.patients : 0; }
  // Messages that are due and not yet given.
  int64_t Due() const;

  const GenerateSourceOptions options_;
  Slot slot_;
  const std::string topic_ = "generator";
  Clock& clock_;
  bool offered_ = false;
  bool paused_ = false;
  std::optional<ObservationStream> readings_;
  int64_t next_ = 0;
  // When the message `paced_from_` was due; the others follow from it.
  std::chrono::nanoseconds paced_at_{0};
  int64_t paced_from_ = 0;
};

}  // namespace vitalake::ingest
