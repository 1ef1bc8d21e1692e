#include "ingest/generate/source.h"

#include <gtest/gtest.h>

#include "base/json_tree.h"
#include "base/random.h"

namespace vitalake::ingest {
namespace {

using namespace std::chrono_literals;

constexpr Micros kStart = 1'790'000'000'000'000;

// Begins where it is told to.
class Owner final : public PartitionOwner {
 public:
  explicit Owner(int64_t start) : start_(start) {}
  Result<std::vector<int64_t>> Assigned(std::span<const PartitionOffer> offers) override {
    return std::vector<int64_t>(offers.size(), start_);
  }
  void Revoked(std::span<const int32_t>) override {}
  void Trouble(const Error& error) override { ADD_FAILURE() << error.ToString(); }

 private:
  int64_t start_;
};

class GenerateSourceTest : public testing::Test {
 protected:
  ~GenerateSourceTest() override { std::filesystem::remove_all(locks_); }

  // The payloads of the first `seconds` from offset `start` on.
  std::vector<std::string> Payloads(const GenerateSourceOptions& options, int64_t start,
                                    int seconds) {
    ManualClock clock(kStart);
    auto source = GenerateSource::Open(options, "s", locks_, clock);
    EXPECT_TRUE(source.has_value()) << source.error().ToString();
    Owner owner(start);
    std::vector<StreamMessage> messages;
    while (clock.NowMicros() < kStart + seconds * 1'000'000) {
      EXPECT_TRUE((*source)->Poll(owner, messages, 1000, 100ms).has_value());
    }
    std::vector<std::string> payloads;
    for (size_t i = 0; i < messages.size(); ++i) {
      EXPECT_EQ(messages[i].offset, std::max<int64_t>(start, 0) + static_cast<int64_t>(i));
      payloads.push_back(messages[i].payload);
    }
    return payloads;
  }
  static std::string Member(const std::string& payload, std::string_view name) {
    JsonParser parser;
    return std::string(parser.Parse(payload)->String(name));
  }

  SystemRandom random_;
  std::filesystem::path locks_ =
      std::filesystem::temp_directory_path() / ("vitalake-slots-" + random_.Uuid());
};

TEST_F(GenerateSourceTest, GivesPatientsThenReadingsAtItsRate) {
  const auto payloads = Payloads({.patients = 10, .rate = 20}, StreamSource::kFromBeginning, 3);
  EXPECT_NEAR(static_cast<double>(payloads.size()), 60, 2);
  for (size_t i = 0; i < payloads.size(); ++i) {
    EXPECT_EQ(Member(payloads[i], "resourceType"), i < 10 ? "Patient" : "Observation") << i;
    EXPECT_EQ(payloads[i].find('\n'), std::string::npos);
  }
  EXPECT_EQ(Member(payloads[0], "id"), "pat-000000");
  // Readings are of now: they were taken at most 20 minutes before they arrive (2026-09-21T14:13Z).
  EXPECT_TRUE(Member(payloads[10], "effectiveDateTime").starts_with("2026-09-2"))
      << Member(payloads[10], "effectiveDateTime");
}

TEST_F(GenerateSourceTest, MessageNIsTheSameWhereverReadingBegins) {
  for (const double anomalies : {0.0, 0.3}) {
    const GenerateSourceOptions options{
        .patients = 5, .rate = 50, .seed = 9, .anomalies = anomalies};
    const auto all = Payloads(options, 0, 4);
    const auto later = Payloads(options, 100, 1);
    ASSERT_GT(all.size(), 140u);
    for (size_t i = 0; i < 40; ++i) {
      EXPECT_EQ(Member(later[i], "id"), Member(all[100 + i], "id")) << i;
      EXPECT_EQ(Member(later[i], "status"), Member(all[100 + i], "status")) << i;
    }
    EXPECT_NE(Member(all[100], "id"), Member(Payloads({.seed = 8}, 300, 1)[0], "id"));
  }
}

TEST_F(GenerateSourceTest, DoesNotMakeUpForALongPause) {
  ManualClock clock(kStart);
  auto source = GenerateSource::Open({.patients = 1, .rate = 100}, "s", locks_, clock);
  ASSERT_TRUE(source.has_value());
  Owner owner(0);
  std::vector<StreamMessage> messages;
  ASSERT_TRUE((*source)->Poll(owner, messages, 100, 0ms).has_value());
  (*source)->Pause();
  clock.Advance(60'000'000);
  ASSERT_TRUE((*source)->Poll(owner, messages, 100, 0ms).has_value());
  EXPECT_TRUE(messages.empty());
  (*source)->Resume();
  ASSERT_TRUE((*source)->Poll(owner, messages, 100, 0ms).has_value());
  EXPECT_EQ(messages.size(), 1u);
}

TEST_F(GenerateSourceTest, NamesTheOptionThatIsWrong) {
  for (const GenerateSourceOptions& wrong :
       {GenerateSourceOptions{.patients = 0}, GenerateSourceOptions{.rate = 0},
        GenerateSourceOptions{.anomalies = 0.6}}) {
    EXPECT_EQ(CheckGenerateSource(wrong).error().kind, ErrorKind::kInvalidArgument);
  }
}

}  // namespace
}  // namespace vitalake::ingest
