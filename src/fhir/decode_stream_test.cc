#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mutex>
#include <set>
#include <thread>

#include "fhir/decode.h"
#include "fhir/decode_fixture.h"

namespace vitalake::fhir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// ---- Compressed files

TEST_F(DecodeTest, ReadsGzipMembersAndZstdFramesInARow) {
  const std::string a = "{\"a\":1}\n{\"b\"", b = ":2}\n", c = "{\"c\":3}\n";
  const auto expected = ElementsAre("{\"a\":1}", "{\"b\":2}", "{\"c\":3}");
  EXPECT_THAT(Texts(ReadText(Gzip(a) + Gzip(b) + Gzip("") + Gzip(c))), expected);
  EXPECT_THAT(Texts(ReadText(Gzip(a + b + c) + std::string(512, '\0'))), expected);
  EXPECT_THAT(Texts(ReadText(Zstd(a) + Zstd(b) + Zstd(c))), expected);
  for (const char first : {'\x50', '\x5f'}) {
    const std::string skipped = first + std::string("\x2a\x4d\x18\x04\0\0\0skip", 11);
    EXPECT_THAT(Texts(ReadText(skipped + Zstd(a + b) + skipped + Zstd(c))), expected);
  }
}

TEST_F(DecodeTest, DeliversWhatLiesBeforeACutInACompressedStream) {
  const std::string text = ManyLines(20'000);
  const auto all = ReadText(text);
  for (const std::string& packed : {Gzip(text), Zstd(text)}) {
    const auto records = ReadText(packed.substr(0, packed.size() / 2), {.block_bytes = 64 << 10});
    ASSERT_GT(records.size(), 1000u);
    ASSERT_LT(records.size(), 19'000u);
    for (size_t i = 0; i + 1 < records.size(); ++i) ASSERT_EQ(records[i].text, all[i].text);
    EXPECT_EQ(records.back().rule, "compression");
    EXPECT_THAT(records.back().message, HasSubstr("cut off"));
    EXPECT_EQ(records.back().place.line, static_cast<int64_t>(records.size()));
    EXPECT_EQ(records.back().place.byte_offset, all[records.size() - 1].place.byte_offset);
  }
}

TEST_F(DecodeTest, EndsWithAFaultWhereACompressedStreamIsBroken) {
  const std::string text = ManyLines(20'000);
  for (std::string packed :
       {Gzip(text), Zstd(text), Gzip(text) + "rubbish", Zstd(text) + "rubbish"}) {
    if (!packed.ends_with("rubbish"))
      packed.replace(packed.size() / 2, 64, std::string(64, '\xff'));
    const auto records = ReadText(packed);
    ASSERT_FALSE(records.empty());
    EXPECT_EQ(records.back().rule, "compression");
  }
  for (const std::string& packed : {Gzip("{\"a\":\n1}"), Zstd("{\"a\":\n1}")}) {
    for (size_t cut = 5; cut < packed.size(); ++cut) {
      const auto records = ReadText(packed.substr(0, cut));
      ASSERT_EQ(records.size(), 1u) << cut;
      EXPECT_EQ(records[0].rule, "compression");
    }
  }
}

TEST_F(DecodeTest, StopsAtTheRatio) {
  const std::string bomb(50 << 20, ' ');
  for (const std::string& packed : {Gzip(bomb), Zstd(bomb)}) {
    const auto records = ReadText(packed, {}, "x.ndjson");
    ASSERT_EQ(records.size(), 1u);
    EXPECT_EQ(records[0].rule, "limit");
    EXPECT_THAT(records[0].message, HasSubstr("max_ratio"));
    EXPECT_LT(records[0].place.byte_length, 20 << 20);
    EXPECT_EQ(ReadText(packed).size(), 1u);
  }
  std::string lines;
  for (int i = 0; i < 200'000; ++i) lines += "{\"a\":1}\n";
  const auto some = ReadText(Zstd(lines));
  EXPECT_GT(some.size(), 1000u);
  EXPECT_EQ(some.back().rule, "limit");
}

// ---- Files that cannot be read

TEST_F(DecodeTest, SaysWhyAFileCannotBeOpened) {
  EXPECT_EQ(RecordReader::Open(folder_ / "none.json").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(RecordReader::Open(folder_).error().kind, ErrorKind::kIo);
  const auto path = Write("closed.json", "{}");
  ASSERT_EQ(::chmod(path.c_str(), 0), 0);
  const bool root = ::geteuid() == 0;
  if (root) {
    ASSERT_EQ(::chmod(folder_.c_str(), 0755), 0);
    ASSERT_EQ(::seteuid(65534), 0);
  }
  const auto closed = RecordReader::Open(path);
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ASSERT_FALSE(closed.has_value());
  EXPECT_EQ(closed.error().kind, ErrorKind::kPermission);
  EXPECT_THAT(closed.error().message, HasSubstr("closed.json"));
}

TEST_F(DecodeTest, NoticesAFileThatShrinks) {
  const auto path = Write("shrinks.ndjson", ManyLines(1000));
  auto reader = RecordReader::Open(path, {.block_bytes = 4096});
  ASSERT_TRUE(reader.has_value());
  ASSERT_TRUE((*reader)->Next().value().has_value());
  std::filesystem::resize_file(path, 5000);
  const auto next = (*reader)->Next();
  ASSERT_FALSE(next.has_value());
  EXPECT_EQ(next.error().kind, ErrorKind::kIo);
  EXPECT_THAT(next.error().message, HasSubstr("shrank"));
  EXPECT_FALSE((*reader)->Next().value().has_value());
}

TEST_F(DecodeTest, GoesOnReadingAFileThatIsRemoved) {
  const auto path = Write("removed.ndjson", ManyLines(1000));
  auto reader = RecordReader::Open(path, {.block_bytes = 4096});
  ASSERT_TRUE(reader.has_value());
  std::filesystem::remove(path);
  size_t count = 0;
  while (auto block = (*reader)->Next().value()) count += Split(*block).size();
  EXPECT_EQ(count, 1000u);
}

TEST_F(DecodeTest, CountsBytes) {
  const std::string text = ManyLines(1000), packed = Gzip(text);
  auto reader = RecordReader::Open(Write("x.gz", packed));
  ASSERT_TRUE(reader.has_value());
  while ((*reader)->Next().value()) {
  }
  EXPECT_EQ((*reader)->bytes_out(), static_cast<int64_t>(text.size()));
  EXPECT_EQ((*reader)->bytes_in(), static_cast<int64_t>(packed.size()));
}

TEST_F(DecodeTest, HandsEveryRecordToExactlyOneOfManyWorkers) {
  const auto path = Write("x.ndjson", ManyLines(20'000));
  auto reader = RecordReader::Open(path, {.block_bytes = 10'000});
  ASSERT_TRUE(reader.has_value());
  std::mutex mutex;
  std::multiset<int64_t> lines;
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back([&] {
      JsonParser parser;
      while (auto block = (*reader)->Next().value()) {
        const auto records = block->Split(parser);
        const std::lock_guard lock(mutex);
        for (const Record& record : records) lines.insert(record.place.line);
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  ASSERT_EQ(lines.size(), 20'000u);
  EXPECT_EQ(std::set(lines.begin(), lines.end()).size(), 20'000u);
  EXPECT_EQ(*lines.rbegin(), 20'000);
}

}  // namespace
}  // namespace vitalake::fhir
