#include "ingest/post_source.h"

#include <fmt/format.h>

#include <algorithm>

#include "ingest/bronze_stream.h"

namespace vitalake::ingest {
namespace {

// Keeps what it is told.
class Recorder final : public OutcomeListener {
 public:
  void Settled(const std::vector<MessageOutcome>& outcomes) override { told = outcomes; }
  std::vector<MessageOutcome> told;
};

}  // namespace

Result<std::unique_ptr<PostSource>> PostSource::Open(PostBox& box, const std::string& stream,
                                                     const std::filesystem::path& locks,
                                                     Clock& clock) {
  VL_TRY(Slot slot, TakeSlot(locks, fmt::format("{}-{}", kPostTopic, stream)));
  return std::unique_ptr<PostSource>(new PostSource(box, std::move(slot), clock));
}

Status PostSource::Poll(PartitionOwner& owner, std::vector<StreamMessage>& into, size_t most,
                        std::chrono::milliseconds patience) {
  if (!offered_) {
    PartitionOffer offer;
    offer.partition = slot_.number;
    offer.counts_messages = false;  // what was answered is not kept to be given again
    const auto starts = owner.Assigned(std::span(&offer, 1));
    if (!starts) {
      owner.Trouble(starts.error());
      clock_.SleepFor(patience);
      return {};
    }
    offered_ = true;
    box_.Begin(slot_.number, std::max<int64_t>(starts->front(), 0));
    return {};
  }
  if (paused_) {
    clock_.SleepFor(patience);
    return {};
  }
  box_.Take(into, most, patience);
  return {};
}

Status PostSource::Seek(int32_t, int64_t offset) {
  box_.Rewind(std::max<int64_t>(offset, 0));
  return {};
}

Result<std::vector<PostBox::Kept>> KeptKeys(lake::Lake& lake, const std::string& stream,
                                            const Wait& wait) {
  using Op = engine::ColumnBound::Op;
  VL_TRY(const delta::SnapshotPtr snapshot, lake.Latest(kBronzeStream));
  const std::string prefix = fmt::format("{}/{}/", stream, kPostTopic);
  std::string behind = prefix;
  ++behind.back();
  VL_TRY(const std::string rows,
         engine::RelationSql(lake.Files(snapshot, kBronzeStream),
                             {.columns = {"partition", "offset", "received_at", "request_key"},
                              .bounds = {{"partition", Op::kGreaterEqual, prefix},
                                         {"partition", Op::kLess, behind}}}));
  const Micros since = lake.clock().NowMicros() -
                       std::chrono::duration_cast<std::chrono::microseconds>(kKeyTime).count();
  VL_TRY(engine::Connection connection, lake.engine().Connect());
  VL_TRY(engine::QueryResult found,
         connection.Stream(fmt::format("SELECT request_key, \"partition\", \"offset\", received_at "
                                       "FROM ({}) WHERE request_key IS NOT NULL AND "
                                       "starts_with(\"partition\", ?) AND epoch_us(received_at) >= "
                                       "{} ORDER BY received_at DESC LIMIT {}",
                                       rows, since, kKeys),
                           {prefix}, wait));
  std::vector<PostBox::Kept> kept;
  for (;;) {
    VL_TRY(const bool more, found.Next());
    if (!more) return kept;
    kept.push_back({std::string(found.GetString(0)), std::string(found.GetString(1)),
                    found.GetInt64(2), found.GetInt64(3)});
  }
}

Result<PostBox::Told> RecallMessage(lake::Lake& lake, const std::vector<lake::SilverView>& views,
                                    StreamSettings settings, const PostBox::Kept& kept,
                                    const Wait& wait) {
  VL_TRY(const delta::SnapshotPtr bronze, lake.Latest(kBronzeStream));
  const auto partitions = PartitionsIn(*bronze, settings.name, kPostTopic);
  const auto partition = std::ranges::find(partitions, kept.app_id, &StreamPartition::AppId);
  if (partition == partitions.end()) {
    return Fail(ErrorKind::kNotFound, fmt::format("bronze does not have {}", kept.app_id));
  }
  VL_TRY(StreamBatch batch,
         ReadFromBronze(lake, {*partition, kept.offset, kept.offset + 1}, 1, 1, wait));
  if (batch.messages.empty()) {
    return Fail(ErrorKind::kNotFound,
                fmt::format("bronze does not have offset {} of {}", kept.offset, kept.app_id));
  }
  Recorder recorder;
  settings.listener = &recorder;
  StreamWriter writer(lake, settings, views);
  const auto hash = HashBytes(batch.messages.front().payload);
  VL_RETURN_IF_ERROR(writer.Retell(std::move(batch), wait));
  return PostBox::Told{hash, recorder.told.at(0)};
}

}  // namespace vitalake::ingest
