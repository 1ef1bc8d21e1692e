#include <fmt/format.h>

#include "fhir/decode.h"
#include "fhir/decode_fixture.h"

namespace vitalake::fhir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

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
    const std::string lies = text.substr(record.place.byte_offset, record.place.byte_length);
    EXPECT_EQ(lies, record.rule.empty() ? record.text : record.payload);
  }
  EXPECT_EQ(records[1].payload, "7");
  EXPECT_EQ(records[3].payload, "null");
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
           {"{\0}\0\n\0{\0}\0\n\0"sv, "UTF-16"},
           {"\0{\0}\0\n\0{\0}\0\n"sv, "UTF-16"},
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

}  // namespace
}  // namespace vitalake::fhir
