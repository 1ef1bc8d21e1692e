#include "ingest/kafka/reach.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace vitalake::ingest {
namespace {

KafkaOptions Options() {
  KafkaOptions options;
  options.brokers = "a:9092,b:9092";
  options.topic = "t";
  return options;
}

// Two brokers in these states, of which 2 leads partition 1.
std::string Statistics(std::string_view one, std::string_view two) {
  return fmt::format(
      R"({{"name":"x","brokers":{{":0/internal":{{"nodeid":-1,"source":"internal","state":"UP"}},)"
      R"("a:9092/1":{{"nodeid":1,"source":"learned","state":"{}"}},)"
      R"("b:9092/2":{{"nodeid":2,"source":"learned","state":"{}"}}}},"topics":{{"t":{{"partitions":)"
      R"({{"0":{{"leader":1}},"1":{{"leader":2}},"-1":{{"leader":-1}}}}}}}}}})",
      one, two);
}

TEST(OutOfReachTest, NamesWhatDoesNotAnswer) {
  constexpr int32_t kFirst[] = {0}, kBoth[] = {0, 1};
  const KafkaOptions options = Options();
  EXPECT_EQ(OutOfReach(Statistics("UP", "UP"), options, kBoth), "");
  EXPECT_EQ(OutOfReach(Statistics("UP", "DOWN"), options, kFirst), "");
  EXPECT_EQ(OutOfReach(Statistics("UP", "DOWN"), options, {}), "") << "the others' partitions";
  EXPECT_EQ(OutOfReach(Statistics("UP", "TRY_CONNECT"), options, kBoth),
            "the leader of partition 1 of t does not answer");
  EXPECT_EQ(OutOfReach(Statistics("DOWN", "INIT"), options, kBoth),
            "no broker answers at a:9092,b:9092");
  EXPECT_EQ(OutOfReach(Statistics("DOWN", "INIT"), options, {}),
            "no broker answers at a:9092,b:9092");
}

TEST(OutOfReachTest, WhatCannotBeReadTellsNothing) {
  EXPECT_EQ(OutOfReach("", Options(), {}), "");
  EXPECT_EQ(OutOfReach("{}", Options(), {}), "");
}

}  // namespace
}  // namespace vitalake::ingest
