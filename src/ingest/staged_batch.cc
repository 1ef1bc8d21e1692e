#include "ingest/staged_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace vitalake::ingest {

Result<std::unique_ptr<StagedBatch>> StagedBatch::Open(
    lake::Lake& lake, const StreamSettings& settings, const std::vector<lake::SilverView>& views,
    StagerPool& pool, const std::vector<StreamPartition>& partitions) {
  VL_TRY(lake::Lake::WorkFolder folder, lake.MakeWorkFolder("stream"));
  std::unique_ptr<StagedBatch> batch(new StagedBatch(std::move(folder)));
  batch->run_ = {settings.run_id(), lake.clock().NowMicros(), {}};
  for (const StreamPartition& partition : partitions) {
    lake::LedgerFile file;
    file.ordinal = partition.partition;
    file.path = fmt::format("{}/{}", partition.topic, partition.partition);
    file.source = settings.name;
    file.id_space = settings.id_space;
    file.key_mode = settings.key_mode();
    batch->run_.files.push_back(std::move(file));
  }
  for (size_t i = 0; i < partitions.size(); ++i) {
    batch->sources_[partitions[i].partition] = {&batch->run_, &batch->run_.files[i],
                                                partitions[i].AppId()};
  }
  StagerContext context{views, {}, settings.limits};
  context.watched = settings.watched;
  batch->stage_.emplace(lake, context, batch->run_, batch->folder_.path(), false, &pool);
  if (settings.listener != nullptr) batch->stage_->CountMessages();
  return batch;
}

Status StagedBatch::Stage(const StreamBatch& piece, const Wait& wait) {
  return stage_->AddMessages(piece.messages, sources_, wait);
}

void StagedBatch::Append(StreamBatch piece) {
  std::ranges::move(piece.messages, std::back_inserter(batch_.messages));
  batch_.bytes += piece.bytes;
  for (auto& [partition, range] : piece.ranges) {
    const auto [entry, is_new] = batch_.ranges.try_emplace(partition, range);
    if (!is_new) entry->second.end = range.end;
  }
}

void StagedBatch::NoteInBronze() {
  in_bronze_ = batch_.messages.size();
  for (const auto& [partition, range] : batch_.ranges) ends_in_bronze_[partition] = range.end;
}

std::optional<int64_t> StagedBatch::EndInBronze(int32_t partition) const {
  const auto found = ends_in_bronze_.find(partition);
  return found == ends_in_bronze_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace vitalake::ingest
