#include "ingest/stream/queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace vitalake::ingest {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<StreamMessage> Messages(int32_t partition, std::initializer_list<int64_t> offsets) {
  std::vector<StreamMessage> messages;
  for (const int64_t offset : offsets) messages.push_back({partition, offset, 0, "", "x"});
  return messages;
}

std::vector<int64_t> Offsets(const StreamQueue::Batch& batch) {
  std::vector<int64_t> offsets;
  for (const StreamMessage& message : batch.messages) offsets.push_back(message.offset);
  return offsets;
}

class StreamQueueTest : public testing::Test {
 protected:
  void Begin(int32_t partition) { queue_.Begin(std::vector{partition}); }
  void End(int32_t partition) { queue_.End(std::vector{partition}, 0ms); }

  StreamQueue::Batch Take(size_t most = 100) { return queue_.Take(most, 1 << 20, 0ms); }

  StreamQueue queue_{1 << 20};
};

TEST_F(StreamQueueTest, TellsOfAPartitionBeforeItsMessages) {
  Begin(3);
  queue_.Push(Messages(3, {7, 8}), queue_.NextTurn().tickets);
  const auto batch = Take();
  EXPECT_THAT(batch.begun, ElementsAre(3));
  EXPECT_THAT(Offsets(batch), ElementsAre(7, 8));
  EXPECT_FALSE(batch.closed);
}

TEST_F(StreamQueueTest, DropsMessagesOfAPartitionThatLeft) {
  Begin(0);
  Begin(1);
  const auto turn = queue_.NextTurn();
  queue_.Push(Messages(0, {1}), turn.tickets);
  End(0);
  queue_.Push(Messages(0, {2}), turn.tickets);  // polled before it left
  queue_.Push(Messages(1, {5}), turn.tickets);
  const auto batch = Take();
  EXPECT_THAT(batch.begun, ElementsAre(1));
  EXPECT_THAT(batch.ended, ElementsAre(0));
  EXPECT_THAT(Offsets(batch), ElementsAre(5));
}

TEST_F(StreamQueueTest, DropsWhatWasPolledBeforeTheSourceWasSentElsewhere) {
  Begin(0);
  const auto before = queue_.NextTurn();
  queue_.Push(Messages(0, {10}), before.tickets);
  queue_.Restart(0, 4);
  queue_.Push(Messages(0, {11}), before.tickets);
  const auto after = queue_.NextTurn();
  EXPECT_THAT(after.seeks, ElementsAre(std::pair(0, 4)));
  EXPECT_THAT(queue_.NextTurn().seeks, IsEmpty());
  queue_.Push(Messages(0, {4, 5}), after.tickets);
  EXPECT_THAT(Offsets(Take()), ElementsAre(4, 5));
}

TEST_F(StreamQueueTest, AnEarlierWishToMoveDoesNotMoveANewAssignment) {
  Begin(0);
  queue_.Restart(0, 4);
  Begin(0);
  EXPECT_THAT(queue_.NextTurn().seeks, IsEmpty());
}

TEST_F(StreamQueueTest, GivesNoMoreThanAskedForAndTheRestNext) {
  Begin(0);
  queue_.Push(Messages(0, {1, 2, 3}), queue_.NextTurn().tickets);
  EXPECT_THAT(Offsets(Take(2)), ElementsAre(1, 2));
  EXPECT_THAT(Offsets(Take(2)), ElementsAre(3));
}

TEST_F(StreamQueueTest, ANudgeEndsTheWait) {
  std::jthread nudging([&] { queue_.Nudge(); });
  const auto taken = queue_.Take(100, 1 << 20, 1min);
  EXPECT_THAT(Offsets(taken), IsEmpty());
  EXPECT_FALSE(taken.closed);
}

TEST_F(StreamQueueTest, IsFullUntilABatchIsTaken) {
  StreamQueue queue(100);
  queue.Begin(std::vector{0});
  EXPECT_TRUE(queue.AwaitRoom(0ms));
  queue.Push(Messages(0, {1}), queue.NextTurn().tickets);
  EXPECT_FALSE(queue.AwaitRoom(0ms));
  queue.Take(100, 1 << 20, 0ms);
  EXPECT_TRUE(queue.AwaitRoom(0ms));
}

TEST_F(StreamQueueTest, IsClosedOnceWhatWasPolledIsTaken) {
  Begin(0);
  queue_.Push(Messages(0, {1}), queue_.NextTurn().tickets);
  queue_.Close();
  EXPECT_FALSE(Take().closed);
  EXPECT_TRUE(Take().closed);
}

TEST_F(StreamQueueTest, APartitionLeavesOnceTheOtherSideIsDoneWithIt) {
  Begin(0);
  queue_.Push(Messages(0, {1}), queue_.NextTurn().tickets);
  Take();
  std::atomic<bool> left = false;
  std::jthread leaving([&] {
    queue_.End(std::vector{0}, 1min);
    left = true;
  });
  while (!queue_.partitions().empty()) std::this_thread::yield();
  EXPECT_FALSE(left);
  EXPECT_THAT(Take().ended, ElementsAre(0));
  EXPECT_FALSE(left);
  Take();  // done with it
  leaving.join();
  EXPECT_TRUE(left);
}

}  // namespace
}  // namespace vitalake::ingest
