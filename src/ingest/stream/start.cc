#include "ingest/stream/start.h"

#include <algorithm>

#include "base/log.h"

namespace vitalake::ingest {

Result<StreamStart> FindStart(lake::Lake& lake, const std::string& stream, const std::string& topic,
                              const PartitionOffer& offer) {
  VL_TRY(const delta::SnapshotPtr bronze, lake.Latest(kBronzeStream));
  const auto epochs = EpochsIn(*bronze, stream, topic, offer.partition);
  StreamStart start{{stream, topic, offer.partition, 0},
                    std::max<int64_t>(offer.low, 0),
                    offer.low >= 0 ? offer.low : StreamSource::kFromBeginning};
  if (epochs.empty()) return start;
  const auto [epoch, position] = *epochs.rbegin();
  start.partition.epoch = epoch;
  if (offer.anew) {
    ++start.partition.epoch;
    log::Warn(
        "stream {}: {}/{} is no longer what our position {} is of: it was made anew; epoch {} "
        "begins",
        stream, topic, offer.partition, position, start.partition.epoch);
    return start;
  }
  if (offer.high >= 0 && position > offer.high) {
    ++start.partition.epoch;
    log::Warn(
        "stream {}: {}/{} ends at {}, before our position {}: it was made anew; epoch {} begins",
        stream, topic, offer.partition, offer.high, position, start.partition.epoch);
    return start;
  }
  start.offset = position;
  if (position < offer.low) {
    log::Fault(
        "stream {}: offsets {} to {} of {}/{} are gone at the source before they were read (its "
        "retention passed); going on behind them",
        stream, position, offer.low - 1, topic, offer.partition);
    start.offset = offer.low;
  }
  if (offer.counts_messages && offer.low >= 0 && position - 1 >= offer.low) --start.offset;
  return start;
}

}  // namespace vitalake::ingest
