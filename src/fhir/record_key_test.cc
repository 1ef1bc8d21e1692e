#include "fhir/record_key.h"

#include <gtest/gtest.h>

namespace vitalake::fhir {
namespace {

RecordKey KeyOf(std::string_view text, KeyRule rule = KeyRule::kId,
                std::string_view full_url = {}) {
  JsonParser parser;
  const auto tree = parser.Parse(text);
  EXPECT_TRUE(tree.has_value()) << text;
  return ReadingKey(*tree, rule, full_url);
}

TEST(RecordKey, IsTheIdByDefault) {
  const RecordKey key = KeyOf(R"({"resourceType":"Observation","id":"o1",
      "identifier":[{"system":"urn:ietf:rfc:3986","value":"urn:uuid:u1"}]})",
                              KeyRule::kId, "urn:uuid:f");
  EXPECT_EQ(key.key, "o1");
  EXPECT_EQ(key.origin, KeyOrigin::kId);
}

TEST(RecordKey, IsTheFirstUriIdentifierWhereTheSourceSaysSo) {
  const RecordKey key = KeyOf(R"({"resourceType":"Observation","id":"blood-pressure","identifier":[
      {"system":"http://other","value":"x"},{"system":"urn:ietf:rfc:3986"},
      {"system":"urn:ietf:rfc:3986","value":"urn:uuid:u1"},
      {"system":"urn:ietf:rfc:3986","value":"urn:uuid:u2"}]})",
                              KeyRule::kIdentifier);
  EXPECT_EQ(key.key, "u1");
  EXPECT_EQ(key.origin, KeyOrigin::kIdentifier);
  EXPECT_EQ(KeyOf(R"({"resourceType":"Observation","identifier":[
      {"system":"urn:ietf:rfc:3986","value":"urn:oid:1.2"}]})",
                  KeyRule::kIdentifier)
                .key,
            "urn:oid:1.2");
}

TEST(RecordKey, OfAPatientIsItsIdUnderEitherRule) {
  EXPECT_EQ(KeyOf(R"({"resourceType":"Patient","id":"p","identifier":[
      {"system":"urn:ietf:rfc:3986","value":"urn:uuid:u1"}]})",
                  KeyRule::kIdentifier)
                .key,
            "p");
}

TEST(RecordKey, FallsBackToTheFullUrl) {
  const RecordKey urn = KeyOf(R"({"resourceType":"Patient"})", KeyRule::kId, "urn:uuid:f");
  EXPECT_EQ(urn.key, "f");
  EXPECT_EQ(urn.origin, KeyOrigin::kFullUrl);
  EXPECT_EQ(KeyOf(R"({"resourceType":"Patient","id":7})", KeyRule::kId, "http://h/Patient/9").key,
            "9");
  EXPECT_EQ(
      KeyOf(R"({"resourceType":"Observation","id":"constant"})", KeyRule::kIdentifier, "urn:uuid:f")
          .key,
      "f");
}

constexpr std::string_view kReading = R"({"resourceType":"Observation","status":"final",
    "subject":{"reference":"Patient/1"},"code":{"text":"bp"},"effectiveDateTime":"2024-01-01",
    "component":[{"code":{"text":"s"},"valueQuantity":{"value":120}},
                 {"code":{"text":"d"},"valueQuantity":{"value":80}}]})";

std::string With(std::string_view from, std::string_view to) {
  std::string text(kReading);
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(RecordKey, ElseHashesWhatMakesAReading) {
  const RecordKey key = KeyOf(kReading);
  EXPECT_EQ(key.origin, KeyOrigin::kHash);
  EXPECT_EQ(key.key.size(), 32u);
  EXPECT_EQ(key.key.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(KeyOf(With("final", "amended")).key, key.key);
  EXPECT_EQ(KeyOf(With("{\"resourceType\"", "{\"meta\":{},\"note\":[{}],\"resourceType\"")).key,
            key.key);
  EXPECT_EQ(KeyOf(With("\"valueQuantity\":{\"value\":80}}",
                       "\"interpretation\":[],\"valueQuantity\":{\"value\":80}}"))
                .key,
            key.key);
  for (const auto& changed :
       {With("Patient/1", "Patient/2"), With("\"bp\"", "\"hr\""), With("2024-01-01", "2024-01-02"),
        With("120", "121"), With("\"d\"", "\"e\""), With("effectiveDateTime", "effectiveInstant"),
        With("\"status\"", "\"device\":{\"reference\":\"Device/1\"},\"status\""),
        With("\"status\"", "\"valueString\":\"x\",\"status\"")}) {
    EXPECT_NE(KeyOf(changed).key, key.key) << changed;
  }
}

TEST(RecordKey, HashesAPatientsContent) {
  const std::string key = KeyOf(R"({"resourceType":"Patient","name":[{"family":"a"}]})").key;
  EXPECT_EQ(KeyOf(R"({"resourceType":"Patient","name":[{"family":"a"}],"text":{},"meta":{}})").key,
            key);
  EXPECT_NE(KeyOf(R"({"resourceType":"Patient","name":[{"family":"b"}]})").key, key);
}

TEST(RecordKey, NamesItsOrigin) {
  EXPECT_EQ(ToString(KeyOrigin::kId), "id");
  EXPECT_EQ(ToString(KeyOrigin::kIdentifier), "identifier");
  EXPECT_EQ(ToString(KeyOrigin::kFullUrl), "fullUrl");
  EXPECT_EQ(ToString(KeyOrigin::kHash), "hash");
}

TEST(VersionNumber, IsDigitsAloneAndTheLargestWhereItIsTooLarge) {
  EXPECT_EQ(VersionNumber("0012"), 12);
  for (const std::string_view none : {"", "-1", "+1", "1.0", "1e3", " 1", "a"}) {
    EXPECT_EQ(VersionNumber(none), std::nullopt) << none;
  }
  for (const std::string_view large : {"9223372036854775806", "9223372036854775807",
                                       "9223372036854775808", "99999999999999999999999"}) {
    EXPECT_EQ(VersionNumber(large), kLargestVersion) << large;
  }
}

}  // namespace
}  // namespace vitalake::fhir
