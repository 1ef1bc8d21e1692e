// PostSource: what callers post (PostBox), as a stream of one partition.
//
// Its messages have no positions of their own: bronze's commits give them, on behalf of a named
// writer. The writer's name is its partition, the process's slot on this host (Slot), which no
// other process has while it lives: so the offsets go on from where bronze is.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "base/clock.h"
#include "ingest/post_box.h"
#include "ingest/run_lock.h"
#include "ingest/stream/source.h"
#include "ingest/stream/writer.h"

namespace vitalake::ingest {

// The middle of its positions' names.
inline constexpr std::string_view kPostTopic = "http";

class PostSource final : public StreamSource {
 public:
  // `box` must outlive it. `locks`: folder of the slots. kLimit, kIo, kPermission.
  static Result<std::unique_ptr<PostSource>> Open(PostBox& box, const std::string& stream,
                                                  const std::filesystem::path& locks, Clock& clock);

  const std::string& topic() const override { return topic_; }
  Status Poll(PartitionOwner& owner, std::vector<StreamMessage>& into, size_t most,
              std::chrono::milliseconds patience) override;
  Status Seek(int32_t partition, int64_t offset) override;
  void Pause() override { paused_ = true; }
  void Resume() override { paused_ = false; }
  void CommitAdvisory(const std::map<int32_t, int64_t>&) override {}
  std::optional<int64_t> Waiting() override { return box_.load().waiting; }

 private:
  PostSource(PostBox& box, Slot slot, Clock& clock)
      : box_(box), slot_(std::move(slot)), clock_(clock) {}

  PostBox& box_;
  Slot slot_;
  const std::string topic_{kPostTopic};
  Clock& clock_;
  bool offered_ = false;
  bool paused_ = false;
};

// The keys of messages that bronze has of a stream, by whichever process, since kKeyTime ago.
Result<std::vector<PostBox::Kept>> KeptKeys(lake::Lake& lake, const std::string& stream,
                                            const Wait& wait);

// What became of a kept message, judged again. kNotFound: bronze does not have it any more.
Result<PostBox::Told> RecallMessage(lake::Lake& lake, const std::vector<lake::SilverView>& views,
                                    StreamSettings settings, const PostBox::Kept& kept,
                                    const Wait& wait);

}  // namespace vitalake::ingest
