#include "ingest/file_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/random.h"

namespace vitalake::ingest {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class Owner : public PartitionOwner {
 public:
  Result<std::vector<int64_t>> Assigned(std::span<const PartitionOffer> offers) override {
    high = offers.front().high;
    anew += offers.front().anew ? 1 : 0;
    return std::vector{offers.front().anew ? int64_t{0} : start};
  }
  void Revoked(std::span<const int32_t>) override {}
  void Trouble(const Error& error) override { trouble = error.ToString(); }

  int64_t start = 0;
  int64_t high = -1;
  int anew = 0;  // offers of another file
  std::string trouble;
};

class FileSourceTest : public testing::Test {
 protected:
  FileSourceTest() : path_(std::filesystem::temp_directory_path() / ("tail-" + random_.Uuid())) {}
  ~FileSourceTest() override { std::filesystem::remove(path_); }

  void Append(std::string_view text) {
    std::ofstream(path_, std::ios::app | std::ios::binary) << text;
  }
  void Rewrite(std::string_view text) {
    std::ofstream(path_, std::ios::trunc | std::ios::binary) << text;
  }
  // Offset and payload of what two polls give: the first may only offer the partition.
  std::vector<std::pair<int64_t, std::string>> Poll(FileSource& source, size_t most = 100) {
    std::vector<StreamMessage> messages;
    for (int i = 0; i < 2 && messages.empty(); ++i) {
      EXPECT_TRUE(source.Poll(owner_, messages, most, 1ms).has_value());
    }
    std::vector<std::pair<int64_t, std::string>> found;
    for (const StreamMessage& message : messages)
      found.emplace_back(message.offset, message.payload);
    return found;
  }

  SystemRandom random_;
  ManualClock clock_{0};
  std::filesystem::path path_;
  Owner owner_;
};

TEST_F(FileSourceTest, GivesLinesAtTheirOffsetsAsTheyAreCompleted) {
  Append("one\n\ntwo\nthr");
  FileSource source(path_.string(), clock_);
  EXPECT_THAT(Poll(source), ElementsAre(Pair(0, "one"), Pair(5, "two")));
  EXPECT_THAT(Poll(source), IsEmpty());
  Append("ee\n");
  EXPECT_THAT(Poll(source), ElementsAre(Pair(9, "three")));
  EXPECT_EQ(source.topic(), path_.filename().string());
  EXPECT_EQ(owner_.high, 12);
}

TEST_F(FileSourceTest, GoesOnBehindTheLineThatAPositionFollows) {
  Append("one\ntwo\nthree\n");
  owner_.start = 4;  // of the line before our position
  FileSource source(path_.string(), clock_);
  EXPECT_THAT(Poll(source), ElementsAre(Pair(4, "two"), Pair(8, "three")));
  ASSERT_TRUE(source.Seek(0, 5).has_value());
  EXPECT_THAT(Poll(source), ElementsAre(Pair(8, "three")));
  ASSERT_TRUE(source.Seek(0, 1).has_value());
  EXPECT_THAT(Poll(source, 1), ElementsAre(Pair(4, "two")));
  ASSERT_TRUE(source.Seek(0, StreamSource::kFromBeginning).has_value());
  EXPECT_THAT(Poll(source, 1), ElementsAre(Pair(0, "one")));
}

TEST_F(FileSourceTest, AFileWrittenAnewIsReadFromItsBeginningOnceBronzeHasWhatWasGiven) {
  for (const std::string_view text : {"a\n", "1st\n2nd\n", "first\nsecond\nthird\n"}) {
    Rewrite("one\ntwo\n");
    FileSource source(path_.string(), clock_);
    EXPECT_THAT(Poll(source), ElementsAre(Pair(0, "one"), Pair(4, "two")));
    Rewrite(text);
    owner_.anew = 0;
    EXPECT_THAT(Poll(source), IsEmpty());
    EXPECT_EQ(owner_.anew, 0) << "what was given may have to be read again";
    source.CommitAdvisory({{0, 5}});
    const auto lines = Poll(source);
    EXPECT_EQ(owner_.anew, 1);
    EXPECT_EQ(owner_.high, static_cast<int64_t>(text.size()));
    ASSERT_FALSE(lines.empty());
    EXPECT_EQ(lines[0].first, 0);
    EXPECT_EQ(lines[0].second, text.substr(0, text.find('\n')));
    EXPECT_THAT(Poll(source), IsEmpty());
    EXPECT_EQ(owner_.anew, 1);
  }
}

TEST_F(FileSourceTest, AFileReplacedByAnotherIsReadToItsEndFirst) {
  Append("one\n");
  FileSource source(path_.string(), clock_);
  EXPECT_THAT(Poll(source), ElementsAre(Pair(0, "one")));
  source.CommitAdvisory({{0, 1}});
  Append("two\nlast");
  const std::filesystem::path aside = path_.string() + ".1";
  std::filesystem::rename(path_, aside);
  EXPECT_THAT(Poll(source), ElementsAre(Pair(4, "two")));
  EXPECT_THAT(Poll(source), IsEmpty()) << "nothing has its name yet";
  Append("one\ntwo\nlast\nnew\n");
  EXPECT_THAT(Poll(source), ElementsAre(Pair(8, "last")));
  EXPECT_THAT(Poll(source), IsEmpty());
  source.CommitAdvisory({{0, 9}});
  EXPECT_THAT(Poll(source),
              ElementsAre(Pair(0, "one"), Pair(4, "two"), Pair(8, "last"), Pair(13, "new")));
  EXPECT_EQ(owner_.anew, 1);
  std::filesystem::remove(aside);
}

TEST_F(FileSourceTest, ARestartSeesThatNoLineBeginsWhereTheLastOneDid) {
  Append("longer than\nit was\n");
  owner_.start = 4;  // of the line before our position
  FileSource source(path_.string(), clock_);
  EXPECT_THAT(Poll(source), ElementsAre(Pair(0, "longer than"), Pair(12, "it was")));
  EXPECT_EQ(owner_.anew, 1);
}

TEST_F(FileSourceTest, WaitsForAFileThatIsNotThere) {
  FileSource source(path_.string(), clock_);
  EXPECT_THAT(Poll(source), IsEmpty());
  EXPECT_THAT(owner_.trouble, HasSubstr("cannot be opened"));
  Append("one\n");
  EXPECT_THAT(Poll(source), ElementsAre(Pair(0, "one")));
}

}  // namespace
}  // namespace vitalake::ingest
