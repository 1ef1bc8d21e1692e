// StagedBatch: messages that will be committed together, decoded and staged as they come.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/ids.h"
#include "base/result.h"
#include "fhir/decode.h"
#include "fhir/record_key.h"
#include "ingest/group_stage.h"
#include "ingest/message_outcome.h"
#include "ingest/stream/position.h"
#include "lake/lake.h"
#include "lake/ledger.h"
#include "lake/silver_view.h"

namespace vitalake::ingest {

struct StreamSettings {
  std::string name;
  std::string id_space;
  fhir::KeyRule key = fhir::KeyRule::kId;
  fhir::DecodeLimits limits;
  // Is told what became of each message; null: nobody asks.
  OutcomeListener* listener = nullptr;
  // Called once, when what earlier processes left between bronze and the other tables is there; an
  // error ends the stream. Empty: nothing.
  std::function<Status()> started = {};
  bool watched = false;  // batches gather what a StreamWatch is told (GroupStage::watched)
  // Told what bronze has got, before the tables that follow; null: nobody.
  std::function<void(const MessageRanges&)> in_bronze = {};

  RunId run_id() const { return {"stream/" + name}; }
  const char* key_mode() const { return key == fhir::KeyRule::kIdentifier ? "identifier" : "id"; }
};

// One thread fills it, then one (another, perhaps) commits it.
class StagedBatch {
 public:
  // For messages of `partitions`. All but those must outlive it.
  static Result<std::unique_ptr<StagedBatch>> Open(lake::Lake& lake, const StreamSettings& settings,
                                                   const std::vector<lake::SilverView>& views,
                                                   StagerPool& pool,
                                                   const std::vector<StreamPartition>& partitions);

  // Decodes and stages messages that come behind those it has. After an error it is of no use.
  Status Stage(const StreamBatch& piece, const Wait& wait);
  // Takes over what was staged.
  void Append(StreamBatch piece);

  const StreamBatch& batch() const { return batch_; }
  // Its messages that bronze lacks.
  std::span<const StreamMessage> AfterBronze() const {
    return std::span(batch_.messages).subspan(in_bronze_);
  }
  // Bronze has all messages up to here.
  void NoteInBronze();
  // Behind the messages of a partition that bronze has; nullopt: it has none of this batch.
  std::optional<int64_t> EndInBronze(int32_t partition) const;
  GroupStage& stage() { return *stage_; }
  // By partition.
  const MessageSources& sources() const { return sources_; }

 private:
  explicit StagedBatch(lake::Lake::WorkFolder folder) : folder_(std::move(folder)) {}

  lake::Lake::WorkFolder folder_;
  lake::LedgerRun run_;  // the partitions, as the stagers see them: one "file" each
  MessageSources sources_;
  StreamBatch batch_;
  size_t in_bronze_ = 0;  // of its messages
  std::map<int32_t, int64_t> ends_in_bronze_;
  std::optional<GroupStage> stage_;
};

}  // namespace vitalake::ingest
