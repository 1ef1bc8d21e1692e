#include "ingest/post_box.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace vitalake::ingest {
namespace {

using Kind = PostAnswer::Kind;
using namespace std::chrono_literals;

class PostBoxTest : public testing::Test {
 protected:
  void Open(std::vector<PostBox::Kept> kept = {}, PostBox::Recall recall = {}) {
    box_.Open(std::move(kept), std::move(recall));
    box_.Begin(3, 40);
  }
  // Posts and keeps the answer under its number.
  size_t Post(const std::string& payload, const std::string& key = "") {
    const size_t number = answers_.size();
    answers_.emplace_back();
    box_.Post(payload, key, [this, number](PostAnswer answer) {
      EXPECT_FALSE(answers_[number].has_value()) << "told twice";
      answers_[number] = std::move(answer);
    });
    return number;
  }
  std::vector<StreamMessage> Take(size_t most = 100) {
    std::vector<StreamMessage> messages;
    box_.Take(messages, most, 0ms);
    return messages;
  }
  void Settle(const std::vector<StreamMessage>& messages) {
    std::vector<MessageOutcome> outcomes;
    for (const StreamMessage& message : messages) {
      MessageOutcome& outcome = outcomes.emplace_back();
      outcome.partition = {"s", "http", message.partition, 0};
      outcome.offset = message.offset;
      outcome.counts.received = outcome.counts.written =
          static_cast<int64_t>(message.payload.size());
    }
    box_.Settled(outcomes);
  }
  static std::string Text(const std::vector<StreamMessage>& messages) {
    std::string text;
    for (const StreamMessage& message : messages) {
      text += fmt::format("{}:{} ", message.offset, message.payload);
    }
    return text;
  }
  std::optional<Kind> KindOf(size_t number) const {
    return answers_[number] ? std::optional(answers_[number]->kind) : std::nullopt;
  }

  SystemClock clock_;
  std::deque<std::optional<PostAnswer>> answers_;  // outlives the box, which answers at its end
  PostBox box_{clock_, {.messages = 3, .bytes = 10'000, .trouble = 1h}};
};

TEST_F(PostBoxTest, GivesOffsetsInOrderAndAnswersWhenSettled) {
  Open();
  Post("a");
  Post("bb");
  const auto messages = Take();
  EXPECT_EQ(Text(messages), "40:a 41:bb ");
  EXPECT_EQ(messages[0].partition, 3);
  EXPECT_EQ(Text(Take()), "");
  EXPECT_EQ(KindOf(0), std::nullopt);
  Settle(messages);
  EXPECT_EQ(KindOf(0), Kind::kTaken);
  EXPECT_EQ(answers_[1]->outcome.counts.received, 2);
  EXPECT_EQ(answers_[1]->outcome.offset, 41);
  EXPECT_EQ(box_.load().messages, 0);
  EXPECT_EQ(box_.load().bytes, 0);
}

TEST_F(PostBoxTest, WhatAnotherPartitionSettledIsNotOurs) {
  Open();
  Post("a");
  auto messages = Take();
  messages[0].partition = 2;
  Settle(messages);
  EXPECT_EQ(KindOf(0), std::nullopt);
}

TEST_F(PostBoxTest, HandsOverAgainAfterAnErrorWhatBronzeLacks) {
  Open();
  Post("a");
  Post("b");
  const auto first = Take();
  Post("c");
  Settle({first[0]});
  box_.Rewind(41);
  EXPECT_EQ(Text(Take()), "41:b 42:c ");
  // Bronze had "b" after all.
  box_.Rewind(42);
  EXPECT_EQ(Text(Take()), "42:c ");
}

TEST_F(PostBoxTest, RefusesWhatIsTooMuchAndWhatComesBeforeOrAfterTheStream) {
  EXPECT_EQ(KindOf(Post("early")), Kind::kClosed);
  Open();
  Post("a");
  Post("b");
  Post("c");
  EXPECT_EQ(KindOf(Post("d")), Kind::kFull);
  const auto messages = Take(2);
  EXPECT_EQ(KindOf(Post("d")), Kind::kFull);  // under way counts, too
  box_.Refuse();
  EXPECT_EQ(KindOf(3), Kind::kClosed);  // "c", which waited
  EXPECT_EQ(KindOf(1), std::nullopt);
  Settle({messages[0]});
  EXPECT_EQ(KindOf(1), Kind::kTaken);
  box_.Close();
  EXPECT_EQ(KindOf(2), Kind::kUnknown);
  EXPECT_EQ(KindOf(Post("late")), Kind::kClosed);
}

TEST_F(PostBoxTest, ALargeMessageFitsOnlyAlone) {
  Open();
  Post(std::string(20'000, 'x'));
  EXPECT_EQ(KindOf(0), std::nullopt);
  EXPECT_EQ(KindOf(Post("y")), Kind::kFull);
}

TEST_F(PostBoxTest, OldMessagesWithoutAnswerMeanTrouble) {
  PostBox box(clock_, {.messages = 10, .bytes = 10'000, .trouble = -1ms});
  box.Open({}, {});
  box.Begin(0, 0);
  std::vector<Kind> kinds;
  for (int i = 0; i < 2; ++i) {
    box.Post("a", "", [&](const PostAnswer& answer) { kinds.push_back(answer.kind); });
  }
  EXPECT_EQ(kinds, std::vector{Kind::kTrouble});
  box.Close();
}

TEST_F(PostBoxTest, OneKeyIsTakenInOnce) {
  Open();
  Post("a", "k");
  Post("a", "k");  // before the first has its answer
  EXPECT_EQ(KindOf(Post("b", "k")), Kind::kReused);
  const auto messages = Take();
  EXPECT_EQ(Text(messages), "40:a ");
  EXPECT_EQ(messages[0].request_key, "k");
  Settle(messages);
  EXPECT_EQ(KindOf(0), Kind::kTaken);
  EXPECT_EQ(KindOf(1), Kind::kTaken);
  EXPECT_FALSE(answers_[0]->again);
  EXPECT_TRUE(answers_[1]->again);
  const size_t later = Post("a", "k");
  EXPECT_EQ(KindOf(later), Kind::kTaken);
  EXPECT_EQ(answers_[later]->outcome.offset, 40);
  EXPECT_EQ(KindOf(Post("b", "k")), Kind::kReused);
  EXPECT_EQ(Text(Take()), "");
  // A key that was refused is free.
  Post("c", "l");
  box_.Refuse();
  box_.Open({}, {});
  Post("c", "l");
  EXPECT_EQ(Text(Take()), "41:c ");
}

TEST_F(PostBoxTest, KeysThatBronzeHasAreRecalled) {
  int recalled = 0;
  Open({{"k", "s/http/0/0", 7, clock_.NowMicros()}, {"gone", "s/http/9/0", 1, clock_.NowMicros()}},
       [&](const PostBox::Kept& kept) -> Result<PostBox::Told> {
         ++recalled;
         if (kept.key == "gone") return Fail(ErrorKind::kNotFound, "gone");
         PostBox::Told told{HashBytes("a"), {}};
         told.outcome.offset = kept.offset;
         return told;
       });
  const size_t same = Post("a", "k");
  EXPECT_EQ(KindOf(same), Kind::kTaken);
  EXPECT_TRUE(answers_[same]->again);
  EXPECT_EQ(answers_[same]->outcome.offset, 7);
  EXPECT_EQ(KindOf(Post("b", "k")), Kind::kReused);
  EXPECT_EQ(KindOf(Post("a", "gone")), Kind::kUnknown);
  EXPECT_EQ(recalled, 3);
  EXPECT_EQ(Text(Take()), "");
}

}  // namespace
}  // namespace vitalake::ingest
