#include "ingest/post_source.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <thread>

#include "ingest/stream/pipeline.h"
#include "ingest/test_lake.h"

namespace vitalake::ingest {
namespace {

using Kind = PostAnswer::Kind;
using namespace std::chrono_literals;

std::string Pulse(const std::string& id, int value, const std::string& updated = "2026-01-01") {
  return fmt::format(
      R"({{"resourceType":"Observation","id":"{}","meta":{{"lastUpdated":"{}T00:00:00Z"}},)"
      R"("status":"final","category":[{{"coding":[{{"system":)"
      R"("http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}}]}}],)"
      R"("code":{{"coding":[{{"system":"http://loinc.org","code":"8867-4"}}]}},"subject":)"
      R"({{"reference":"Patient/p"}},"effectiveDateTime":"2026-01-01T08:00:00Z","valueQuantity":)"
      R"({{"value":{},"unit":"/min","system":"http://unitsofmeasure.org","code":"/min"}}}})",
      id, updated, value);
}

class PostSourceTest : public testing::Test {
 protected:
  PostSourceTest() {
    EXPECT_TRUE(lake_.lake().CreateMissingTables().has_value());
    views_ = lake::LoadSilverViews({}).value();
    settings_.name = "s";
  }
  ~PostSourceTest() override { Stop(); }

  // The stream, as a process begins it.
  void Start() {
    box_ = std::make_unique<PostBox>(clock_, PostBox::Limits{});
    auto kept = KeptKeys(lake_.lake(), "s", {});
    ASSERT_TRUE(kept.has_value()) << kept.error().ToString();
    box_->Open(std::move(*kept), [this](const PostBox::Kept& one) {
      return RecallMessage(lake_.lake(), views_, settings_, one, {});
    });
    Run();
  }
  void Run() {
    stream_ = std::jthread([this](const std::stop_token& stop) {
      auto source = PostSource::Open(*box_, "s", lake_.folder() / "slots", clock_);
      ASSERT_TRUE(source.has_value()) << source.error().ToString();
      StreamSettings settings = settings_;
      settings.listener = box_.get();
      BatchLimits limits;
      limits.every = 0ms;
      StreamPipeline pipeline(lake_.lake(), views_, settings, limits, **source);
      const Status ran = pipeline.Run(stop);
      EXPECT_TRUE(ran.has_value()) << ran.error().ToString();
    });
  }
  void Stop() {
    if (!stream_.joinable()) return;
    stream_.request_stop();
    stream_.join();
    box_->Close();
  }
  PostAnswer Post(const std::string& payload, const std::string& key = "") {
    auto answer = std::make_shared<std::promise<PostAnswer>>();
    auto future = answer->get_future();
    box_->Post(payload, key, [answer](PostAnswer told) { answer->set_value(std::move(told)); });
    if (future.wait_for(60s) != std::future_status::ready) {
      ADD_FAILURE() << "no answer";
      return {};
    }
    return future.get();
  }
  static std::string Text(const PostAnswer& answer) {
    const lake::OutcomeCounts& counts = answer.outcome.counts;
    std::string text = fmt::format(
        "{}@{}: received {}, written {}, superseded {}, duplicate {}, quarantined {}, "
        "out of scope {}",
        answer.outcome.partition.AppId(), answer.outcome.offset, counts.received, counts.written,
        counts.superseded, counts.duplicate, counts.quarantined, counts.out_of_scope);
    for (const RefusedEntry& entry : answer.outcome.refused) {
      text += fmt::format("; {} record {} {}", entry.position, entry.record, entry.reason);
    }
    return text;
  }

  SystemClock clock_;
  TestLake lake_;
  std::vector<lake::SilverView> views_;
  StreamSettings settings_;
  std::unique_ptr<PostBox> box_;
  std::jthread stream_;
};

TEST_F(PostSourceTest, MessagesOfOneCommitAreToldApart) {
  // Posted before the stream runs, so that they are taken together.
  const std::vector<std::string> payloads = {Pulse("a", 60), "[" + Pulse("b", 61) + ",{}]",
                                             Pulse("b", 61),
                                             R"({"resourceType":"Practitioner","id":"x"})"};
  box_ = std::make_unique<PostBox>(clock_, PostBox::Limits{});
  box_->Open({}, {});
  std::vector<std::string> told(payloads.size());
  for (size_t i = 0; i < payloads.size(); ++i) {
    box_->Post(payloads[i], "", [&told, i](const PostAnswer& answer) { told[i] = Text(answer); });
  }
  Run();
  while (box_->load().messages > 0) std::this_thread::yield();
  Stop();
  EXPECT_EQ(told[0],
            "s/http/0/0@0: received 1, written 1, superseded 0, duplicate 0, quarantined 0, out of "
            "scope 0");
  // Of two with the same content in one commit the one behind ranks higher: it is written.
  EXPECT_EQ(told[1],
            "s/http/0/0@1: received 2, written 0, superseded 0, duplicate 1, quarantined 1, out of "
            "scope 0; http/0/1:1 record 1 type");
  EXPECT_EQ(told[2],
            "s/http/0/0@2: received 1, written 1, superseded 0, duplicate 0, quarantined 0, out of "
            "scope 0");
  EXPECT_EQ(told[3],
            "s/http/0/0@3: received 1, written 0, superseded 0, duplicate 0, quarantined 0, out of "
            "scope 1");
  EXPECT_EQ(lake_.lake().Latest("silver.vital_sign").value()->version().value, 1);
}

TEST_F(PostSourceTest, AnswersOneByOne) {
  Start();
  EXPECT_EQ(Text(Post(Pulse("a", 60))),
            "s/http/0/0@0: received 1, written 1, superseded 0, duplicate 0, quarantined 0, out of "
            "scope 0");
  EXPECT_EQ(lake_.Rows("SELECT id FROM silver.vital_sign"), "a\n");  // when it is told
  EXPECT_EQ(Text(Post("[" + Pulse("a", 60) + "," + Pulse("b", 70) + "]")),
            "s/http/0/0@1: received 2, written 1, superseded 0, duplicate 1, quarantined 0, out of "
            "scope 0");
  EXPECT_EQ(Text(Post(Pulse("a", 50, "2025-01-01") + "\nno JSON\n{}")),
            "s/http/0/0@2: received 3, written 0, superseded 1, duplicate 0, quarantined 2, out of "
            "scope 0; http/0/2 record 1 json; http/0/2 record 2 type");
}

TEST_F(PostSourceTest, ARestartGoesOnBehindBronzeAndKnowsItsKeys) {
  const std::string mixed = "[" + Pulse("a", 60) + ",{}]";
  Start();
  const std::string first = Text(Post(mixed, "the key"));
  Post(Pulse("b", 61));
  Stop();
  Start();
  const PostAnswer again = Post(mixed, "the key");
  EXPECT_TRUE(again.again);
  EXPECT_EQ(Text(again), first);
  EXPECT_EQ(Post(Pulse("c", 62), "the key").kind, Kind::kReused);
  EXPECT_EQ(Post(Pulse("d", 63)).outcome.offset, 2);
  EXPECT_EQ(lake_.Rows("SELECT \"offset\", request_key FROM bronze.observation_stream ORDER BY 1"),
            "0,the key\n1,\n2,\n");
  EXPECT_EQ(lake_.Rows("SELECT count(*) FROM ops.quarantine"), "1\n");
  Stop();
  EXPECT_EQ(lake_.Rows("SELECT sum(received), sum(written), sum(quarantined) FROM ops.ledger"),
            "4,3,1\n");
}

TEST_F(PostSourceTest, TwoProcessesHaveSlotsOfTheirOwn) {
  PostBox other(clock_, {});
  Start();
  EXPECT_EQ(Post(Pulse("a", 60)).outcome.partition.partition, 0);
  const auto second = PostSource::Open(other, "s", lake_.folder() / "slots", clock_);
  ASSERT_TRUE(second.has_value());
  const auto elsewhere = PostSource::Open(other, "t", lake_.folder() / "slots", clock_);
  ASSERT_TRUE(elsewhere.has_value());
  EXPECT_TRUE(std::filesystem::exists(lake_.folder() / "slots/http-s-1.lock"));
  EXPECT_TRUE(std::filesystem::exists(lake_.folder() / "slots/http-t-0.lock"));
}

}  // namespace
}  // namespace vitalake::ingest
