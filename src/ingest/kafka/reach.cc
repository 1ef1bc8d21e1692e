#include "ingest/kafka/reach.h"

#include <fmt/format.h>

#include <set>

#include "base/json_tree.h"

namespace vitalake::ingest {

std::string OutOfReach(std::string_view statistics, const KafkaOptions& options,
                       std::span<const int32_t> held) {
  JsonParser parser;
  const auto json = parser.Parse(statistics);
  if (!json || !json->Find("brokers").is_object()) return {};
  std::set<int64_t> answering;  // by id; -1: one whose id is not known yet
  for (const JsonValue broker : json->Find("brokers").children()) {
    if (broker.String("state") != "UP" || broker.String("source") == "internal") continue;
    const JsonValue id = broker.Find("nodeid");
    answering.insert(id ? id.AsInt().value_or(-1) : -1);
  }
  if (answering.empty()) return fmt::format("no broker answers at {}", options.brokers);
  const JsonValue topics = json->Find("topics");
  const JsonValue topic = topics ? topics.Find(options.topic) : topics;
  const JsonValue partitions = topic ? topic.Find("partitions") : topic;
  for (const int32_t number : held) {
    const JsonValue partition = partitions ? partitions.Find(fmt::to_string(number)) : JsonValue();
    const JsonValue leader = partition ? partition.Find("leader") : JsonValue();
    if (!leader || answering.contains(leader.AsInt().value_or(-1))) continue;
    return fmt::format("the leader of partition {} of {} does not answer", number, options.topic);
  }
  return {};
}

}  // namespace vitalake::ingest
