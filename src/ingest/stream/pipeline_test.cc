#include "ingest/stream/pipeline.h"

#include <gmock/gmock.h>

#include "ingest/stream/stream_fixture.h"

namespace vitalake::ingest {
namespace {

using ::testing::ElementsAre;

TEST_F(StreamPipelineTest, MessagesAreSeenAtOnceAndCommittedTogether) {
  source_.Assign(0);
  Start(3);
  for (int i = 0; i < 3; ++i) {
    source_.Give(0, Reading(fmt::format("r{}", i)));
    ASSERT_TRUE(watch_.Await(fmt::format("observe 0:{}-{}", i, i + 1)));
  }
  ASSERT_TRUE(watch_.Await("committed 0:0-3"));
  source_.Give(0, Reading("r3"));
  ASSERT_TRUE(watch_.Await("observe 0:3-4"));
  ASSERT_TRUE(Stop().has_value()) << done_.error().ToString();
  EXPECT_THAT(watch_.log(),
              ElementsAre("begin 0@-", "observe 0:0-1", "observe 0:1-2", "observe 0:2-3",
                          "committed 0:0-3", "observe 0:3-4", "committed 0:3-4", "end 0"));
  EXPECT_EQ(Ids(), "r0 r1 r2 r3\n");
  EXPECT_EQ(Received(), "4,4\n");
  EXPECT_THAT(source_.advice(), ElementsAre(std::pair(0, 4)));
}

TEST_F(StreamPipelineTest, AFailedCommitTakesTheBatchBehindItWithIt) {
  source_.Assign(0);
  Start(1);
  source_.Give(0, Reading("r0"));
  ASSERT_TRUE(watch_.Await("committed 0:0-1"));
  bool seen_meanwhile = false;
  FailNextCommit();
  BeforeNextCommit([&] {
    source_.Give(0, Reading("r2"));
    seen_meanwhile = watch_.Await("observe 0:2-3");
  });
  source_.Give(0, Reading("r1"));
  ASSERT_TRUE(watch_.Await("begin 0@1"));
  ASSERT_TRUE(watch_.Await("observe 0:1-3"));
  ASSERT_TRUE(watch_.Await("committed 0:1-3"));
  EXPECT_TRUE(seen_meanwhile);
  ASSERT_TRUE(Stop().has_value());
  EXPECT_THAT(watch_.log(), ElementsAre("begin 0@-", "observe 0:0-1", "committed 0:0-1",
                                        "observe 0:1-2", "observe 0:2-3", "begin 0@1",
                                        "observe 0:1-3", "committed 0:1-3", "end 0"));
  EXPECT_EQ(Ids(), "r0 r1 r2\n");
  EXPECT_EQ(Offsets(), "vitals/topic/0/0,0 1 2\n");
  EXPECT_EQ(Received(), "3,3\n");
}

TEST_F(StreamPipelineTest, ABatchThatBronzeHasAlreadyIsFinishedFromThere) {
  source_.Assign(0);
  Start(1);
  source_.Give(0, Reading("r0"));
  ASSERT_TRUE(watch_.Await("committed 0:0-1"));
  FailNextCommit(1);  // bronze is the first commit of a batch
  source_.Give(0, Reading("r1"));
  ASSERT_TRUE(watch_.Await("begin 0@2"));
  source_.Give(0, Reading("r2"));
  ASSERT_TRUE(watch_.Await("committed 0:2-3"));
  ASSERT_TRUE(Stop().has_value());
  EXPECT_EQ(Ids(), "r0 r1 r2\n");
  EXPECT_EQ(Offsets(), "vitals/topic/0/0,0 1 2\n");
  EXPECT_EQ(Received(), "3,3\n");
}

TEST_F(StreamPipelineTest, APartitionLeavesBehindTheOpenBatch) {
  source_.Assign(0);
  source_.Assign(1);
  Start(1);
  source_.Give(0, Reading("a0"));
  ASSERT_TRUE(watch_.Await("committed 0:0-1"));
  bool seen_meanwhile = false;
  BeforeNextCommit([&] {
    source_.Give(0, Reading("a2"));
    seen_meanwhile = watch_.Await("observe 0:2-3");
    source_.Revoke(0);
  });
  source_.Give(0, Reading("a1"));
  ASSERT_TRUE(source_.AwaitGone(0));
  // Another process begins where we end.
  EXPECT_TRUE(seen_meanwhile);
  EXPECT_EQ(Offsets(), "vitals/topic/0/0,0 1 2\n");
  EXPECT_EQ(Ids(), "a0 a1 a2\n");
  source_.Give(0, Reading("a3"));
  source_.Give(1, Reading("b0"));
  ASSERT_TRUE(watch_.Await("committed 1:0-1"));
  ASSERT_TRUE(Stop().has_value());
  EXPECT_THAT(watch_.log(),
              ElementsAre("begin 0@-", "begin 1@-", "observe 0:0-1", "committed 0:0-1",
                          "observe 0:1-2", "observe 0:2-3", "committed 0:1-2", "committed 0:2-3",
                          "end 0", "observe 1:0-1", "committed 1:0-1", "end 1"));
  EXPECT_EQ(Ids(), "a0 a1 a2 b0\n");
}

TEST_F(StreamPipelineTest, WhatAnotherProcessCommittedMeanwhileIsNotThereTwice) {
  source_.Assign(0);
  Start(1);
  source_.Give(0, Reading("r0"));
  ASSERT_TRUE(watch_.Await("committed 0:0-1"));
  Status other_done;
  BeforeNextCommit([&] {
    source_.Give(0, Reading("r2"));
    watch_.Await("observe 0:2-3");
    const StreamPartition partition{"vitals", "topic", 0, 0};
    const auto lake = OpenLake(*disk_);
    StreamWriter other(*lake, settings_, views_);
    other_done = [&]() -> Status {
      VL_RETURN_IF_ERROR(other.Follow(partition, {}));
      VL_TRY(const auto staged, other.OpenBatch({partition}));
      StreamBatch batch;
      batch.messages.push_back({0, 1, 1'775'001'600'000'001, "", Reading("r1")});
      batch.ranges[0] = {partition, 1, 2};
      VL_RETURN_IF_ERROR(staged->Stage(batch, {}));
      staged->Append(std::move(batch));
      VL_RETURN_IF_ERROR(other.Write(*staged, {}));
      return other.FlushLedger({});
    }();
  });
  source_.Give(0, Reading("r1"));
  ASSERT_TRUE(watch_.Await("committed 0:2-3"));
  ASSERT_TRUE(other_done.has_value()) << other_done.error().ToString();
  ASSERT_TRUE(Stop().has_value());
  EXPECT_EQ(Ids(), "r0 r1 r2\n");
  EXPECT_EQ(Offsets(), "vitals/topic/0/0,0 1 2\n");
  EXPECT_EQ(Received(), "3,3\n");
}

TEST_F(StreamPipelineTest, SaysWhetherThereIsMoreThanABatchHolds) {
  source_.Assign(0);
  Start(2);
  source_.Give(0, Reading("r0"));
  ASSERT_TRUE(watch_.Await("observe 0:0-1"));
  source_.Give(0, Reading("r1"));
  ASSERT_TRUE(watch_.Await("committed 0:0-2"));
  source_.Give(0, Reading("r2"));
  ASSERT_TRUE(watch_.Await("observe 0:2-3"));
  ASSERT_TRUE(Stop().has_value());
  ASSERT_EQ(progress_.size(), 2u);
  EXPECT_TRUE(progress_[0].catching_up);
  EXPECT_FALSE(progress_[1].catching_up);
  EXPECT_EQ(progress_[1].messages, 3);
}

TEST_F(StreamPipelineTest, JudgesWhileItGathersAndGathersNothingAfterARest) {
  source_.Assign(0);
  Start({.every = std::chrono::hours(1), .at_once = true});
  source_.Give(0, Reading("r0"));
  ASSERT_TRUE(watch_.Await("committed 0:0-1"));
  source_.Give(0, Reading("r1"));
  ASSERT_TRUE(watch_.Await("observe 0:1-2"));
  source_.Give(0, Reading("r2"));
  ASSERT_TRUE(watch_.Await("observe 0:2-3"));
  ASSERT_TRUE(Stop().has_value());
  EXPECT_TRUE(watch_.Await("committed 0:1-3"));
  EXPECT_EQ(progress_.size(), 2u);
  EXPECT_EQ(Ids(), "r0 r1 r2\n");
}

TEST_F(StreamPipelineTest, GathersNothingWhereSomebodyIsToBeTold) {
  source_.Assign(0);
  watch_.set_awaits_bronze(true);
  Start({.every = std::chrono::hours(1)});
  source_.Give(0, Reading("r0"));
  EXPECT_TRUE(watch_.Await("committed 0:0-1"));
}

TEST_F(StreamPipelineTest, WhatSomebodyAwaitsIsInBronzeBeforeTheBatchAheadIsInAllTables) {
  source_.Assign(0);
  watch_.set_awaits_bronze(true);
  Start({.every = std::chrono::hours(1)});
  source_.Give(0, Reading("r0"));
  ASSERT_TRUE(watch_.Await("committed 0:0-1"));
  bool told = false;
  const auto meanwhile = [&] {
    source_.Give(0, Reading("r2"));
    told = watch_.Await("bronze 0:2-3");
    source_.Give(0, Reading("r3"));
    told = told && watch_.Await("bronze 0:2-4");
    watch_.set_awaits_bronze(false);
    source_.Give(0, Reading("r4"));
    told = told && watch_.Await("observe 0:4-5");
  };
  BeforeNextCommit(meanwhile, 1);  // bronze is the first commit of a batch
  source_.Give(0, Reading("r1"));
  ASSERT_TRUE(watch_.Await("committed 0:2-5"));
  EXPECT_TRUE(told);
  ASSERT_TRUE(Stop().has_value());
  EXPECT_EQ(Ids(), "r0 r1 r2 r3 r4\n");
  EXPECT_EQ(Offsets(), "vitals/topic/0/0,0 1 2 3 4\n");
  EXPECT_EQ(Received(), "5,5\n");
}

TEST_F(StreamPipelineTest, WhatIsInBronzeAheadOfAFailedBatchIsFinishedFromThere) {
  source_.Assign(0);
  watch_.set_awaits_bronze(true);
  Start({.every = std::chrono::hours(1)});
  source_.Give(0, Reading("r0"));
  ASSERT_TRUE(watch_.Await("committed 0:0-1"));
  const auto meanwhile = [&] {
    source_.Give(0, Reading("r2"));
    EXPECT_TRUE(watch_.Await("bronze 0:2-3"));
  };
  FailNextCommit(1);
  BeforeNextCommit(meanwhile, 1);
  source_.Give(0, Reading("r1"));
  ASSERT_TRUE(watch_.Await("begin 0@3"));
  source_.Give(0, Reading("r3"));
  ASSERT_TRUE(watch_.Await("committed 0:3-4"));
  ASSERT_TRUE(Stop().has_value());
  EXPECT_EQ(Ids(), "r0 r1 r2 r3\n");
  EXPECT_EQ(Offsets(), "vitals/topic/0/0,0 1 2 3\n");
  EXPECT_EQ(Received(), "4,4\n");
}

class WaitingTest : public StreamPipelineTest, public testing::WithParamInterface<int> {};

TEST_P(WaitingTest, AWholeBatchThatWaitsAtTheSourceIsMuch) {
  source_.set_received(clock_.NowMicros());
  source_.set_waiting(GetParam());
  source_.Assign(0);
  Start(1'000, std::chrono::milliseconds(0));
  source_.Give(0, Reading("r0"));
  ASSERT_TRUE(watch_.Await("committed 0:0-1"));
  ASSERT_TRUE(Stop().has_value());
  ASSERT_EQ(progress_.size(), 1u);
  EXPECT_EQ(progress_[0].catching_up, GetParam() >= 1'000);
}

INSTANTIATE_TEST_SUITE_P(Messages, WaitingTest, testing::Values(0, 999, 1'000));

// Behind the batch of the first message waits a second one; that of the second has nothing behind.
class CatchingUpTest : public StreamPipelineTest, public testing::WithParamInterface<bool> {};

TEST_P(CatchingUpTest, IsToldByTheAgeOfWhatIsCommittedWhereMoreWaits) {
  constexpr Micros kHour = 3'600'000'000;  // longer than the test may take
  const Micros age = GetParam() ? kHour : -kHour;
  source_.set_received(clock_.NowMicros() - age);
  source_.Assign(0);
  bool waits = false;
  watch_.WhileFirstIsObserved([&] {
    source_.Give(0, Reading("r1"));
    waits = source_.AwaitPolled(0, 2);
  });
  source_.Give(0, Reading("r0"));
  Start(1'000, std::chrono::milliseconds(0));
  ASSERT_TRUE(watch_.Await("committed 0:1-2"));
  ASSERT_TRUE(Stop().has_value());
  ASSERT_TRUE(waits);
  ASSERT_EQ(progress_.size(), 2u);
  EXPECT_EQ(progress_[0].catching_up, GetParam());
  EXPECT_FALSE(progress_[1].catching_up);
}

INSTANTIATE_TEST_SUITE_P(Old, CatchingUpTest, testing::Bool());

TEST_F(StreamPipelineTest, DrainsTheBatchAtWorkAndTheOneThatIsOpen) {
  source_.Assign(0);
  Start(1);
  source_.Give(0, Reading("r0"));
  ASSERT_TRUE(watch_.Await("committed 0:0-1"));
  BeforeNextCommit([&] {
    source_.Give(0, Reading("r2"));
    watch_.Await("observe 0:2-3");
    running_.request_stop();
  });
  source_.Give(0, Reading("r1"));
  ASSERT_TRUE(watch_.Await("end 0"));
  ASSERT_TRUE(Stop().has_value());
  EXPECT_EQ(Ids(), "r0 r1 r2\n");
  EXPECT_EQ(Received(), "3,3\n");
}

}  // namespace
}  // namespace vitalake::ingest
