#include "fhir/decode.h"

#include <fmt/format.h>

#include <algorithm>

#include "fhir/decode_fixture.h"

namespace vitalake::fhir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// ---- NDJSON

TEST_F(DecodeTest, ReadsLinesWithTheirPlaces) {
  const auto records = ReadText("{\"a\":1}\n{\"b\":22}\r\n\r\n  \n {\"c\":3} \n{\"d\":4}");
  ASSERT_THAT(Texts(records), ElementsAre("{\"a\":1}", "{\"b\":22}", "{\"c\":3}", "{\"d\":4}"));
  EXPECT_EQ(records[0].place.line, 1);
  EXPECT_EQ(records[1].place.line, 2);
  EXPECT_EQ(records[1].place.byte_offset, 8);
  EXPECT_EQ(records[1].place.byte_length, 8);
  EXPECT_EQ(records[2].place.line, 5);
  EXPECT_EQ(records[2].place.byte_offset, 8 + 10 + 2 + 3 + 1);
  EXPECT_EQ(records[3].place.line, 6);
  EXPECT_EQ(records[3].place.entry, -1);
}

TEST_F(DecodeTest, CutsBlocksAtAnySizeAlike) {
  std::string text;
  for (int i = 0; i < 300; ++i) {
    text += fmt::format("{{\"n\":{},\"pad\":\"{}\"}}{}", i, std::string(i % 97, 'x'),
                        i % 3 == 0   ? "\r\n"
                        : i % 3 == 1 ? "\n\n"
                                     : "\n");
  }
  const auto whole = ReadText(text);
  ASSERT_EQ(whole.size(), 300u);
  for (const Seen& record : whole) {
    EXPECT_EQ(text.substr(record.place.byte_offset, record.place.byte_length), record.text);
    EXPECT_EQ(record.place.line,
              1 + std::count(text.begin(), text.begin() + record.place.byte_offset, '\n'));
  }
  for (const int64_t block : {1, 64, 100, 128, 1000, 4096}) {
    for (const std::string& bytes : {text, Gzip(text), Zstd(text)}) {
      const auto cut = ReadText(bytes, {.block_bytes = block});
      ASSERT_EQ(Texts(cut), Texts(whole)) << block;
      for (size_t i = 0; i < cut.size(); ++i) {
        EXPECT_EQ(cut[i].place.line, whole[i].place.line);
        EXPECT_EQ(cut[i].place.byte_offset, whole[i].place.byte_offset);
      }
    }
  }
}

TEST_F(DecodeTest, PassesOverAByteOrderMark) {
  const auto records = ReadText("\xef\xbb\xbf{\"a\":1}\n\xef\xbb\xbf{\"b\":2}\n");
  ASSERT_THAT(Texts(records), ElementsAre("{\"a\":1}", "{\"b\":2}"));
  EXPECT_EQ(records[0].place.byte_offset, 3);
  EXPECT_EQ(records[1].place.byte_offset, 14);
  EXPECT_THAT(Texts(ReadText("\xef\xbb\xbf{\"a\":1}")), ElementsAre("{\"a\":1}"));
}

TEST_F(DecodeTest, HasNoRecordsInFilesWithoutContent) {
  for (const std::string_view text : {"", "\n", "  \r\n\n\t", "\xef\xbb\xbf", "[]", " [ ] ",
                                      R"({"resourceType":"Bundle","type":"searchset"})",
                                      R"({"resourceType":"Bundle","entry":[]})"}) {
    EXPECT_THAT(ReadText(text), IsEmpty()) << text;
    EXPECT_THAT(ReadText(text, {}, "file.ndjson"), IsEmpty()) << text;
    EXPECT_THAT(ReadText(Gzip(text)), IsEmpty()) << text;
    EXPECT_THAT(ReadText(Zstd(text)), IsEmpty()) << text;
  }
}

TEST_F(DecodeTest, GoesOnAfterALineOverTheLimit) {
  const std::string small = "{\"a\":1}";
  const std::string large = "{\"b\":\"" + std::string(200'000, 'x') + "\"}";
  const std::string text = small + "\n" + large + "\n" + small + "\n";
  for (const int64_t block : {64, 1000, 1 << 20}) {
    for (const std::string& bytes : {text, Gzip(text)}) {
      const auto records =
          ReadText(bytes, {.max_record_bytes = 1000, .max_ratio = 1'000'000, .block_bytes = block});
      ASSERT_THAT(Texts(records), ElementsAre(small, "fault: limit", small)) << block;
      EXPECT_EQ(records[1].place.line, 2);
      EXPECT_EQ(records[1].place.byte_offset, 8);
      EXPECT_EQ(records[1].place.byte_length, 200'008);
      EXPECT_THAT(records[1].message, HasSubstr("200008 bytes"));
      EXPECT_LE(records[1].payload.size(), 64u << 10);
      EXPECT_EQ(records[1].payload, large.substr(0, records[1].payload.size()));
      EXPECT_EQ(records[2].place.line, 3);
      EXPECT_EQ(records[2].place.byte_offset, 200'017);
    }
  }
  const auto last = ReadText(small + "\n" + large, {.max_record_bytes = 1000, .block_bytes = 64});
  ASSERT_THAT(Texts(last), ElementsAre(small, "fault: limit"));
  EXPECT_EQ(last[1].place.byte_length, 200'008);
}

TEST_F(DecodeTest, MakesBadLinesRecordsOfTheirOwn) {
  const auto records =
      ReadText("{\"a\":1}\nhello\n42\n\"text\"\n<x/>\nnull\n{\"b\":2\n{\"c\":3}\n");
  EXPECT_THAT(Texts(records), ElementsAre("{\"a\":1}", "fault: json", "fault: json", "fault: json",
                                          "fault: json", "fault: json", "{\"b\":2", "{\"c\":3}"));
  EXPECT_EQ(records[1].payload, "hello");
  EXPECT_EQ(records[1].place.line, 2);
}

TEST_F(DecodeTest, ReadsBundlesAndArraysInLines) {
  const auto records = ReadText(
      "[{\"id\":\"1\"},{\"id\":\"2\"}]\n"
      R"({"resourceType":"Bundle","entry":[{"fullUrl":"urn:uuid:q","resource":{"resourceType":"Patient","id":"3"}}]})"
      "\n{\"resourceType\":\"Patient\",\"id\":\"4\"}\n");
  ASSERT_THAT(Texts(records), ElementsAre("{\"id\":\"1\"}", "{\"id\":\"2\"}",
                                          "{\"resourceType\":\"Patient\",\"id\":\"3\"}",
                                          "{\"resourceType\":\"Patient\",\"id\":\"4\"}"));
  EXPECT_EQ(records[1].place.line, 1);
  EXPECT_EQ(records[1].place.entry, 1);
  EXPECT_EQ(records[2].place.line, 2);
  EXPECT_EQ(records[2].place.entry, 0);
  EXPECT_EQ(records[2].full_url, "urn:uuid:q");
  EXPECT_EQ(records[3].place.entry, -1);
  EXPECT_THAT(records[3].references, IsEmpty());
}

// ---- Telling lines from documents

TEST_F(DecodeTest, TellsLinesFromDocumentsByContent) {
  EXPECT_EQ(ReadText("{\n\"a\":1}\n").size(), 1u);
  EXPECT_EQ(ReadText("{\"a\":1}\n").size(), 1u);
  EXPECT_EQ(ReadText("{\"a\":1}\n\n\n").size(), 1u);
  EXPECT_EQ(ReadText("[{\"a\":1},\n{\"a\":2}\n]").size(), 2u);
  EXPECT_EQ(ReadText("[\n{\"a\":1}\n]").size(), 1u);
  EXPECT_EQ(ReadText("\n\n{\"a\":1}\n\n{\"a\":2}").size(), 2u);
  EXPECT_EQ(ReadText("{\"a\":\n{\"b\":1}\n}").size(), 1u);
  EXPECT_EQ(ReadText("{\"a\":{\"x\":1}\n,\"b\":2}").size(), 1u);
  EXPECT_EQ(ReadText("{\"a\":1}\nrubbish").size(), 2u);
}

TEST_F(DecodeTest, OneBrokenFirstLineDoesNotSpoilTheOthers) {
  EXPECT_EQ(ReadText("{\"a\":1\n{\"a\":2}\n{\"a\":3}\n").size(), 3u);
  EXPECT_EQ(ReadText("rubbish\n{\"a\":2}\n{\"a\":3}\n").size(), 3u);
  EXPECT_EQ(ReadText("{\"a\":\n{\"a\":2}\n{\"a\":3}\n", {}, "x.NDJSON").size(), 3u);
}

TEST_F(DecodeTest, BelievesNdjsonNames) {
  EXPECT_EQ(ReadText("{\n}\n", {}, "x.ndjson").size(), 2u);
  EXPECT_EQ(ReadText("{\n}\n", {}, "x.jsonl").size(), 2u);
  EXPECT_EQ(ReadText(Gzip("{\n}\n"), {}, "x.ndjson.gz").size(), 2u);
  EXPECT_EQ(ReadText("{\n}\n", {}, "x.json").size(), 1u);
}

TEST_F(DecodeTest, BelievesTheNameOfTheFileThatIsCopied) {
  const std::filesystem::path copy = Write("copy-1", "{\"a\":1},\n{\"a\":2}\n");
  EXPECT_EQ(Read(copy).size(), 1u);
  EXPECT_EQ(Read(copy, {}, "in/x.ndjson").size(), 2u);
  EXPECT_EQ(Read(Write("copy-2.ndjson", "{\n}\n"), {}, "in/x.json").size(), 1u);
}

TEST_F(DecodeTest, AFirstLineWithNulsDoesNotSpoilTheOthers) {
  using std::string_view_literals::operator""sv;
  for (const std::string_view first : {"\0"sv, "{\0\"\0"sv, "\0\0\0\0\0"sv}) {
    const std::string text = std::string(first) + "\n{\"a\":2}\n{\"a\":3}\n";
    for (const char* const name : {"x.ndjson", "x.json"}) {
      const auto records = ReadText(text, {}, name);
      ASSERT_EQ(records.size(), 3u);
      EXPECT_EQ(records[1].text, "{\"a\":2}");
      EXPECT_EQ(records[2].text, "{\"a\":3}");
    }
  }
}

TEST_F(DecodeTest, DecidesOnLongFirstLines) {
  const std::string object = "{\"a\":\"" + std::string(10'000, 'x') + "\"}";
  EXPECT_EQ(ReadText(object + "\n" + object, {.block_bytes = 64}).size(), 2u);
  EXPECT_EQ(ReadText(object, {.block_bytes = 64}).size(), 1u);
  EXPECT_EQ(ReadText(Gzip("[" + object + "," + object + "]"), {.block_bytes = 64}).size(), 2u);
}

// ---- Bundles

TEST_F(DecodeTest, ReadsBundleEntries) {
  const auto records = ReadText(kBundle);
  ASSERT_EQ(records.size(), 11u);
  EXPECT_EQ(records[0].text, R"({"resourceType": "Patient", "id": "p1"})");
  EXPECT_EQ(records[0].full_url, "urn:uuid:aaa");
  EXPECT_EQ(records[3].delete_target, "Patient/old");
  EXPECT_THAT(records[3].payload, HasSubstr("DELETE"));
  EXPECT_EQ(records[4].delete_target, "Observation/o2");
  EXPECT_EQ(records[5].delete_target, "Patient/p1");
  for (const size_t i : {6, 7, 8, 9}) EXPECT_EQ(records[i].rule, "bundle-entry") << i;
  EXPECT_THAT(records[7].message, HasSubstr("GET"));
  EXPECT_THAT(records[7].message, testing::Not(HasSubstr("secret")));
  EXPECT_EQ(records[8].payload, R"({"response": {"status": "201"}})");
  EXPECT_EQ(records[10].full_url, "urn:uuid:ccc");
  for (size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(records[i].place.entry, int64_t(i));
    const std::string_view text = kBundle.substr(records[i].place.byte_offset);
    EXPECT_EQ(text.front(), '{');
    EXPECT_EQ(
        records[i].place.line,
        1 + std::count(kBundle.begin(), kBundle.begin() + records[i].place.byte_offset, '\n'));
  }
  EXPECT_EQ(records[1].references,
            (BundleReferences{{"urn:uuid:aaa", "Patient/p1"},
                              {"https://host/fhir/Observation/o1", "Observation/o1"},
                              {"urn:uuid:bbb", "Patient/bbb"},
                              {"urn:uuid:ccc", "Device/d"}}));
}

TEST_F(DecodeTest, AFullUrlOfTwoResourcesMeansNeither) {
  const auto entry = [](std::string_view id, std::string_view more = "") {
    return fmt::format(
        R"({{"fullUrl":"urn:uuid:a","resource":{{"resourceType":"Patient","id":"{}"{}}}}})", id,
        more);
  };
  const auto bundle = [](const std::string& entries) {
    return R"({"resourceType":"Bundle","entry":[)" + entries + "]}";
  };
  const auto references = [&](const std::string& entries) {
    return ReadText(bundle(entries)).back().references;
  };
  EXPECT_THAT(references(entry("1") + "," + entry("2")), IsEmpty());
  EXPECT_THAT(references(entry("1") + "," + entry("2") + "," + entry("1")), IsEmpty());
  // Versions of one resource (Bundle of a history).
  const BundleReferences one = {{"urn:uuid:a", "Patient/1"}};
  EXPECT_EQ(references(entry("1") + "," + entry("1", R"(,"active":true)")), one);
  // The Bundle inside has its own.
  const std::string inner = "{\"resource\":" + bundle(entry("2")) + "}";
  EXPECT_EQ(references(entry("1") + "," + inner), (BundleReferences{{"urn:uuid:a", "Patient/2"}}));
  const std::string both = "{\"resource\":" + bundle(entry("2") + "," + entry("3")) + "}";
  EXPECT_THAT(references(entry("1") + "," + both), IsEmpty());
}

TEST_F(DecodeTest, CountsEntriesOfNestedBundlesOn) {
  const std::string inner =
      R"({"resourceType":"Bundle","entry":[{"fullUrl":"urn:uuid:i","resource":{"resourceType":"Patient","id":"2"}},)"
      R"({"resource":{"resourceType":"Patient","id":"3"}}]})";
  const auto records = ReadText(
      R"({"resourceType":"Bundle","entry":[{"fullUrl":"urn:uuid:o","resource":{"resourceType":"Patient","id":"1"}},)"
      R"({"resource":)" +
      inner + R"(},{"resource":{"resourceType":"Patient","id":"4"}}]})");
  ASSERT_EQ(records.size(), 4u);
  for (size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(records[i].place.entry, int64_t(i));
    EXPECT_THAT(records[i].text, HasSubstr(fmt::format("\"id\":\"{}\"", i + 1)));
  }
  EXPECT_EQ(records[1].references.size(), 2u);
  EXPECT_EQ(records[3].references.size(), 1u);
  EXPECT_EQ(ReadText("[" + inner + "," + inner + "]").size(), 4u);
}

TEST_F(DecodeTest, RefusesABundleWhoseEntryIsNoArray) {
  EXPECT_THAT(Texts(ReadText(R"({"resourceType":"Bundle","entry":{"resource":{}}})")),
              ElementsAre("fault: type"));
}

TEST_F(DecodeTest, DoesNotTakeABundleWithAMisspeltEntryForAnEmptyOne) {
  EXPECT_THAT(Texts(ReadText(R"({"resourceType":"Bundle","entries":[{"resource":{}}]})")),
              ElementsAre("fault: unknown-property"));
  EXPECT_THAT(ReadText(R"({"resourceType":"Bundle","id":"x","total":0,"_type":null,"link":[]})"),
              IsEmpty());
}

TEST_F(DecodeTest, IsNotMisledByTheWordBundle) {
  const std::string text = R"({"id":"x","code":{"text":"Bundle"},"resourceType":"Observation"})";
  EXPECT_THAT(Texts(ReadText(text)), ElementsAre(text));
}

// ---- Messages

TEST(Message, ComesInAnyShape) {
  const auto split = [](std::string text) {
    auto block =
        BlockFromMessage(std::move(text), {.max_document_bytes = 10'000, .block_bytes = 64});
    return Texts(Split(block));
  };
  EXPECT_THAT(split("{\"a\":1}"), ElementsAre("{\"a\":1}"));
  EXPECT_THAT(split("[{\"a\":1},{\"b\":2}]"), ElementsAre("{\"a\":1}", "{\"b\":2}"));
  EXPECT_THAT(split("{\"a\":1}\n{\"b\":2}\n"), ElementsAre("{\"a\":1}", "{\"b\":2}"));
  EXPECT_THAT(split(Gzip("{\"a\":1}\n{\"b\":2}\n")), ElementsAre("{\"a\":1}", "{\"b\":2}"));
  EXPECT_THAT(split(Zstd("{\"a\":1}")), ElementsAre("{\"a\":1}"));
  EXPECT_THAT(split(std::string(10'001, ' ')), ElementsAre("fault: limit"));
  EXPECT_THAT(split(Gzip("{\"a\":1}").substr(0, 12)), ElementsAre("fault: compression"));
  EXPECT_THAT(split(""), IsEmpty());
  EXPECT_THAT(split("hello"), ElementsAre("fault: json"));
  std::string many;
  for (int i = 0; i < 100; ++i) many += "{\"a\":1}\n";
  EXPECT_EQ(split(many).size(), 100u);
}

TEST(Message, IsLinesWhereTheMarkSaysSo) {
  JsonParser parser;
  const std::string text = "{\n{\"a\":1},\n{\"b\":2}\n";
  EXPECT_EQ(BlockFromMessage(text).Split(parser).size(), 1u);
  for (const std::string& marked :
       {std::string(kLinesMark) + text, Gzip(kLinesMark) + Gzip(text)}) {
    EXPECT_THAT(Texts(Split(*std::make_unique<RecordBlock>(BlockFromMessage(marked)))),
                ElementsAre("{", "{\"a\":1},", "{\"b\":2}"));
  }
}

TEST(Message, OverTheLimitIsOneRecordWithItsBeginning) {
  const std::string text = "{\"a\":1}\n" + std::string(70'000, ' ');
  auto block = BlockFromMessage(text, {.max_message_bytes = 70'000});
  JsonParser parser;
  const auto records = block.Split(parser);
  ASSERT_EQ(records.size(), 1u);
  ASSERT_TRUE(records[0].fault);
  EXPECT_EQ(records[0].fault->rule, "limit");
  EXPECT_THAT(records[0].fault->message, HasSubstr("70008 bytes"));
  EXPECT_EQ(records[0].payload, text.substr(0, 64 << 10));
  EXPECT_EQ(records[0].place.byte_length, 70'008);
  auto whole = BlockFromMessage(text, {.max_message_bytes = 70'008});
  EXPECT_THAT(Texts(Split(whole)), ElementsAre("{\"a\":1}"));
}

}  // namespace
}  // namespace vitalake::fhir
