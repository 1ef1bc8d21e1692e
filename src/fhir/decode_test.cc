#include "fhir/decode.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <fstream>
#include <set>
#include <thread>

#include "base/random.h"
#include "fhir/references.h"

namespace vitalake::fhir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string Gzip(std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string Zstd(std::string_view text) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress2(context, out.data(), out.size(), text.data(), text.size()));
  ZSTD_freeCCtx(context);
  return out;
}

// A record with its text copied out of its block.
struct Seen {
  RecordPlace place;
  std::string text, payload, full_url, delete_target, rule, message;
  BundleReferences references;
};

std::vector<Seen> Split(RecordBlock& block) {
  JsonParser parser;
  std::vector<Seen> out;
  for (const Record& record : block.Split(parser)) {
    Seen& seen = out.emplace_back();
    seen.place = record.place;
    seen.text = record.text;
    seen.payload = record.payload;
    seen.full_url = record.full_url;
    seen.delete_target = record.delete_target;
    if (record.references) seen.references = *record.references;
    EXPECT_EQ(record.fault.has_value(), record.text.empty() && record.delete_target.empty());
    if (!record.fault) continue;
    EXPECT_EQ(record.fault->severity, Severity::kFatal);
    seen.rule = record.fault->rule;
    seen.message = record.fault->message;
    EXPECT_FALSE(seen.message.empty());
  }
  return out;
}

std::vector<Seen> Read(const std::filesystem::path& path, const DecodeLimits& limits = {}) {
  auto reader = RecordReader::Open(path, limits);
  EXPECT_TRUE(reader.has_value());
  std::vector<Seen> out;
  if (!reader) return out;
  for (int64_t sequence = 0;; ++sequence) {
    auto block = (*reader)->Next();
    EXPECT_TRUE(block.has_value()) << block.error().ToString();
    if (!block || !*block) break;
    EXPECT_EQ((*block)->sequence(), sequence);
    std::ranges::move(Split(**block), std::back_inserter(out));
  }
  EXPECT_FALSE((*reader)->Next().value().has_value());
  return out;
}

class DecodeTest : public testing::Test {
 protected:
  DecodeTest() {
    std::string name = (std::filesystem::temp_directory_path() / "decode-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~DecodeTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path Write(const std::string& name, std::string_view content) {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return folder_ / name;
  }
  std::vector<Seen> ReadText(std::string_view content, const DecodeLimits& limits = {},
                             const std::string& name = "file.json") {
    return Read(Write(name, content), limits);
  }

  std::filesystem::path folder_;
};

std::vector<std::string> Texts(const std::vector<Seen>& records) {
  std::vector<std::string> out;
  for (const Seen& record : records) {
    out.push_back(record.rule.empty() ? record.text : "fault: " + record.rule);
  }
  return out;
}

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

TEST_F(DecodeTest, DecidesOnLongFirstLines) {
  const std::string object = "{\"a\":\"" + std::string(10'000, 'x') + "\"}";
  EXPECT_EQ(ReadText(object + "\n" + object, {.block_bytes = 64}).size(), 2u);
  EXPECT_EQ(ReadText(object, {.block_bytes = 64}).size(), 1u);
  EXPECT_EQ(ReadText(Gzip("[" + object + "," + object + "]"), {.block_bytes = 64}).size(), 2u);
}

// ---- Documents

TEST_F(DecodeTest, ReadsAPrettyPrintedResource) {
  const std::string text = "\n{\n  \"resourceType\": \"Patient\"\n}\n";
  const auto records = ReadText(text);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].text, "{\n  \"resourceType\": \"Patient\"\n}");
  EXPECT_EQ(records[0].place.line, 2);
  EXPECT_EQ(records[0].place.byte_offset, 1);
  EXPECT_EQ(records[0].place.entry, -1);
}

TEST_F(DecodeTest, KeepsTheTextOfArrayItems) {
  const std::string text = "[ {\"v\": 1.0 },\n 7, {\"w\" : [1, 2]},\n null, \"s\", [{\"x\":1}] ]";
  const auto records = ReadText(text);
  ASSERT_THAT(Texts(records), ElementsAre("{\"v\": 1.0 }", "fault: json", "{\"w\" : [1, 2]}",
                                          "fault: json", "fault: json", "{\"x\":1}"));
  for (size_t i = 0; i < records.size(); ++i) EXPECT_EQ(records[i].place.entry, int64_t(i));
  for (const Seen& record : records) {
    if (record.rule.empty()) {
      EXPECT_EQ(text.substr(record.place.byte_offset, record.place.byte_length), record.text);
    }
  }
  EXPECT_EQ(records[0].place.line, 1);
  EXPECT_EQ(records[2].place.line, 2);
  EXPECT_EQ(records[5].place.line, 3);
}

TEST_F(DecodeTest, ABrokenItemLeavesTheOthers) {
  const auto array = ReadText(R"([{"id":"1"},{"id" "2"},{"id":"3"}])");
  EXPECT_THAT(Texts(array), ElementsAre(R"({"id":"1"})", R"({"id" "2"})", R"({"id":"3"})"));
  const auto bundle = ReadText(
      R"({"resourceType":"Bundle","entry":[
          {"resource":{"id":"1"}},
          {"resource":{"id" "2"}},
          {"fullUrl" "x","resource":{"id":"3"}},
          7,
          {"fullUrl":"urn:uuid:z","resource":{"id":"4"}}]})");
  ASSERT_THAT(Texts(bundle), ElementsAre(R"({"id":"1"})", R"({"id" "2"})", "fault: json",
                                         "fault: bundle-entry", R"({"id":"4"})"));
  EXPECT_THAT(bundle[2].message, HasSubstr("line 4"));
  EXPECT_EQ(bundle[2].payload, R"({"fullUrl" "x","resource":{"id":"3"}})");
  EXPECT_EQ(bundle[4].full_url, "urn:uuid:z");
  EXPECT_EQ(bundle[4].place.entry, 4);
}

TEST_F(DecodeTest, NamesThePlaceInADocumentThatIsNotJson) {
  const auto records = ReadText("{\"resourceType\":\"Bundle\",\n\"entry\":[\n{\"resource\":{}\n");
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].rule, "json");
  EXPECT_THAT(records[0].message, HasSubstr("line "));
  EXPECT_THAT(records[0].message, HasSubstr("byte "));
  EXPECT_THAT(records[0].payload, HasSubstr("\"entry\""));
  const auto latin1 = ReadText("[{\"a\":\n\"caf\xe9\"}]");
  ASSERT_EQ(latin1.size(), 1u);
  EXPECT_THAT(latin1[0].message, HasSubstr("not UTF-8 (line 2, byte 11)"));
}

TEST_F(DecodeTest, RefusesOtherEncodingsAndFormats) {
  using std::string_view_literals::operator""sv;
  for (const auto& [bytes, word] : std::vector<std::pair<std::string_view, std::string>>{
           {"\xff\xfe{\0}\0\n\0{\0}\0"sv, "UTF-16"},
           {"\xfe\xff\0{\0}"sv, "UTF-16"},
           {"{\0}\0"sv, "UTF-16"},
           {"\0{\0}"sv, "UTF-16"},
           {"\xff\xfe\0\0{\0\0\0"sv, "UTF-32"},
           {"PK\x03\x04xxxx\nyyy\n"sv, "zip"},
           {"<Patient xmlns=\"http://hl7.org/fhir\">\n</Patient>"sv, "XML"}}) {
    for (const std::string& content : {std::string(bytes), Gzip(bytes)}) {
      const auto records = ReadText(content);
      ASSERT_EQ(records.size(), 1u) << word;
      EXPECT_FALSE(records[0].rule.empty());
      EXPECT_THAT(records[0].message, HasSubstr(word));
      EXPECT_EQ(records[0].place.byte_length, static_cast<int64_t>(bytes.size()));
    }
  }
}

TEST_F(DecodeTest, LimitsDocumentsAndResourcesInThem) {
  const std::string big = "{\"a\":\"" + std::string(5000, 'x') + "\"}";
  const auto whole = ReadText("[{\"b\":1}," + big + "]", {.max_document_bytes = 4000});
  ASSERT_THAT(Texts(whole), ElementsAre("fault: limit"));
  EXPECT_THAT(whole[0].message, HasSubstr("4000"));
  EXPECT_EQ(whole[0].place.byte_length, 5018);
  EXPECT_THAT(Texts(ReadText(Gzip("[" + big + "]"), {.max_document_bytes = 4000})),
              ElementsAre("fault: limit"));
  const DecodeLimits small{.max_record_bytes = 4000};
  EXPECT_THAT(Texts(ReadText("[{\"b\":1}," + big + ",{\"c\":1}]", small)),
              ElementsAre("{\"b\":1}", "fault: limit", "{\"c\":1}"));
  EXPECT_THAT(Texts(ReadText(big, small)), ElementsAre("fault: limit"));
}

TEST_F(DecodeTest, AHundredMegabytesInOneResourceIsOneFault) {
  const std::string text =
      "{\"resourceType\":\"Patient\",\"a\":\"" + std::string(100 << 20, 'x') + "\"}";
  const auto document = ReadText(text);
  ASSERT_THAT(Texts(document), ElementsAre("fault: limit"));
  const auto lines = ReadText("{\"b\":1}\n" + text + "\n{\"c\":1}\n");
  ASSERT_THAT(Texts(lines), ElementsAre("{\"b\":1}", "fault: limit", "{\"c\":1}"));
}

TEST_F(DecodeTest, AMillionLevelsAreNoTrouble) {
  for (const std::string_view open : {"[", "{\"a\":", "{\"resourceType\":\"Bundle\",\"entry\":["}) {
    std::string text;
    for (int i = 0; i < 1'000'000; ++i) text += open;
    const auto records = ReadText(text);
    ASSERT_EQ(records.size(), 1u);
    if (!records[0].rule.empty()) continue;
    JsonParser parser;
    EXPECT_FALSE(parser.Parse(records[0].text, RecordLimits({})).has_value());
  }
  std::string closed = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  EXPECT_THAT(Texts(ReadText(closed)), ElementsAre("fault: limit"));
}

// ---- Compressed files

TEST_F(DecodeTest, ReadsGzipMembersAndZstdFramesInARow) {
  const std::string a = "{\"a\":1}\n{\"b\"", b = ":2}\n", c = "{\"c\":3}\n";
  const auto expected = ElementsAre("{\"a\":1}", "{\"b\":2}", "{\"c\":3}");
  EXPECT_THAT(Texts(ReadText(Gzip(a) + Gzip(b) + Gzip("") + Gzip(c))), expected);
  EXPECT_THAT(Texts(ReadText(Gzip(a + b + c) + std::string(512, '\0'))), expected);
  EXPECT_THAT(Texts(ReadText(Zstd(a) + Zstd(b) + Zstd(c))), expected);
}

std::string ManyLines(int count) {
  SeededRandom random(7);
  std::string text;
  for (int i = 0; i < count; ++i)
    text += fmt::format("{{\"n\":{},\"u\":\"{}\"}}\n", i, random.Uuid());
  return text;
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

// ---- Bundles

constexpr std::string_view kBundle = R"({
  "type": "transaction",
  "entry": [
    {"fullUrl": "urn:uuid:aaa", "request": {"method": "POST", "url": "Patient"},
     "resource": {"resourceType": "Patient", "id": "p1"}},
    {"fullUrl": "https://host/fhir/Observation/o1",
     "resource": {"id": "o1", "x": [1], "resourceType": "Observation"}},
    {"fullUrl": "urn:uuid:bbb", "resource": {"resourceType": "Patient"}},
    {"request": {"method": "DELETE", "url": "Patient/old"}},
    {"request": {"url": "https://host/fhir/Observation/o2/_history/3", "method": "DELETE"}},
    {"request": {"method": "DELETE", "url": "urn:uuid:aaa"}},
    {"request": {"method": "DELETE", "url": "Patient?identifier=1"}},
    {"request": {"method": "GET", "url": "Patient/secret"}},
    {"response": {"status": "201"}},
    {"resource": "text"},
    {"fullUrl": "urn:\u0075uid:ccc", "resource": {"resourceType": "Device", "id": "d"}}
  ],
  "resourceType": "Bundle"
})";

TEST_F(DecodeTest, ReadsBundleEntries) {
  const auto records = ReadText(kBundle);
  ASSERT_EQ(records.size(), 11u);
  EXPECT_EQ(records[0].text, R"({"resourceType": "Patient", "id": "p1"})");
  EXPECT_EQ(records[0].full_url, "urn:uuid:aaa");
  EXPECT_EQ(records[3].delete_target, "Patient/old");
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

// ---- Several readers, mutations

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

std::string Mutated(std::string text, Random& random) {
  for (uint64_t n = random.Below(4); n > 0 && !text.empty(); --n) {
    const size_t at = random.Below(text.size());
    switch (random.Below(4)) {
      case 0:
        text[at] = static_cast<char>(random.Below(256));
        break;
      case 1:
        text.erase(at, random.Below(20));
        break;
      case 2:
        text.insert(at, 1, "{}[]\",:\n\\"[random.Below(9)]);
        break;
      default:
        text.resize(at);
        break;
    }
  }
  return text;
}

size_t NonBlankLines(std::string_view text) {
  size_t count = 0;
  bool blank = true;
  for (const char c : text) {
    if (c == '\n') {
      count += !blank;
      blank = true;
    } else if (std::string_view(" \t\r").find(c) == std::string_view::npos) {
      blank = false;
    }
  }
  return count + !blank;
}

// Lines that begin with an object that is no Bundle are one record each, whatever is in them.
TEST(Mutation, OfLinesKeepsOneRecordPerLine) {
  SeededRandom random(1);
  JsonParser parser;
  const std::string text =
      "{\"a\":[1,{\"b\":\"x\"}]}\r\n{\"resourceType\":\"Patient\"}\n\n{\"c\":null}\n";
  for (int round = 0; round < 20'000; ++round) {
    const std::string mutated = "{\"first\":1}\n{}\n" + Mutated(text, random);
    size_t arrays = 0;  // a line that begins with '[' may hold any number
    for (size_t at = 0; (at = mutated.find_first_not_of(" \t\r\n", at)) != std::string::npos;) {
      arrays += mutated[at] == '[';
      at = mutated.find('\n', at);
    }
    if (arrays > 0 || mutated.find("\n\xef\xbb\xbf") != std::string::npos) continue;
    auto block = BlockFromMessage(mutated);
    const auto records = block.Split(parser);
    ASSERT_EQ(records.size(), NonBlankLines(mutated)) << mutated;
  }
}

TEST(Mutation, OfABundleNeverLosesTheWholeOrGainsRecords) {
  SeededRandom random(2);
  JsonParser parser;
  for (int round = 0; round < 20'000; ++round) {
    const std::string mutated = Mutated(std::string(kBundle), random);
    auto block = BlockFromMessage(mutated, {.max_record_bytes = 200});
    const auto records = block.Split(parser);
    for (const Record& record : records) {
      if (!record.fault) {
        ASSERT_EQ(record.text.empty(), !record.delete_target.empty());
        (void)parser.ParsePadded(record.text);
      }
      ASSERT_LE(record.place.byte_offset + record.place.byte_length,
                static_cast<int64_t>(mutated.size()));
    }
    if (!records.empty()) continue;
    // Nothing came out: then nothing was in.
    const auto tree = parser.Parse(mutated);
    if (!tree) {
      ASSERT_EQ(NonBlankLines(mutated), 0u) << mutated;
    } else {
      const JsonValue list = tree->Find("entry");
      ASSERT_TRUE(!list || (list.is_array() && list.size() == 0)) << mutated;
    }
  }
}

}  // namespace
}  // namespace vitalake::fhir
