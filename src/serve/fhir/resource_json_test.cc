#include "serve/fhir/resource_json.h"

#include <gtest/gtest.h>

namespace vitalake::serve {
namespace {

std::string Served(std::string_view text, const ResourceRow& row, const ServedParts& parts = {}) {
  JsonParser parser;
  const auto tree = parser.Parse(text);
  EXPECT_TRUE(tree);
  return tree ? ServedResource(*tree, row, parts) : "";
}

ResourceRow RowOf(FhirType type, std::string space = "") {
  ResourceRow row;
  row.type = type;
  row.id_space = std::move(space);
  row.id = "key";
  row.content_hash = "0123456789abcdef0123456789abcdef";
  row.received_at = 1'767'225'600'000'000;
  return row;
}

TEST(FhirResourceJsonTest, GivesIdVersionAndTimeWhereTheyAreAbsent) {
  EXPECT_EQ(Served(R"({"resourceType":"Patient","gender":"male"})", RowOf(FhirType::kPatient)),
            R"({"resourceType":"Patient","id":"key","meta":{"versionId":"0123456789abcdef",)"
            R"("lastUpdated":"2026-01-01T00:00:00.000000Z"},"gender":"male"})");
}

TEST(FhirResourceJsonTest, KeepsWhatWasSent) {
  ResourceRow row = RowOf(FhirType::kPatient);
  row.version_id = "7";
  row.last_updated = 1'767'225'600'000'000;
  EXPECT_EQ(
      Served(
          R"({"resourceType":"Patient","id":"sent","meta":{"versionId":"7","source":"#a",)"
          R"("lastUpdated":"2026-01-01T01:00:00+01:00"},"multipleBirthInteger":2.50,"name":[{}]})",
          row),
      R"({"resourceType":"Patient","id":"key","meta":{"source":"#a","versionId":"7",)"
      R"("lastUpdated":"2026-01-01T01:00:00+01:00"},"multipleBirthInteger":2.50,"name":[{}]})");
}

TEST(FhirResourceJsonTest, MakesNumbersOfNumericText) {
  const std::string served =
      Served(R"({"valueQuantity":{"value":"120.50","unit":"x"},"valueString":"5","component":[)"
             R"({"valueQuantity":{"value":"1e"}}],"referenceRange":[{"low":{"value":"4"}}]})",
             RowOf(FhirType::kObservation));
  EXPECT_NE(served.find(R"("value":120.50)"), std::string::npos) << served;
  EXPECT_NE(served.find(R"("valueString":"5")"), std::string::npos) << served;
  EXPECT_NE(served.find(R"("value":"1e")"), std::string::npos) << served;
  EXPECT_NE(served.find(R"("low":{"value":4})"), std::string::npos) << served;
}

TEST(FhirResourceJsonTest, NamesServedIdsInReferences) {
  const std::string served =
      Served(R"({"subject":{"reference":"Patient/p"},"device":{"reference":"Device/d"},)"
             R"("hasMember":[{"reference":"Observation/o"},{"reference":"#c"}]})",
             RowOf(FhirType::kObservation, "clinic"));
  EXPECT_NE(served.find(R"("id":"clinic.key")"), std::string::npos) << served;
  EXPECT_NE(served.find(R"("Patient/clinic.p")"), std::string::npos) << served;
  EXPECT_NE(served.find(R"("Device/d")"), std::string::npos) << served;
  EXPECT_NE(served.find(R"("Observation/clinic.o"},{"reference":"#c")"), std::string::npos);
}

TEST(FhirResourceJsonTest, LeavesOutWhatIsNotAskedFor) {
  const std::string text =
      R"({"text":{"div":"x"},"status":"final","code":{},"note":[],"effectiveDateTime":"2026",)"
      R"("_effectiveDateTime":{"id":"a"}})";
  const std::string elements =
      Served(text, RowOf(FhirType::kObservation),
             {.summary = Summary::kNo, .elements = {"Observation.effective"}});
  EXPECT_EQ(elements.find("\"note\""), std::string::npos);
  EXPECT_NE(elements.find("\"_effectiveDateTime\""), std::string::npos);
  EXPECT_NE(elements.find("\"status\""), std::string::npos);
  EXPECT_NE(elements.find("SUBSETTED"), std::string::npos);
  const std::string data =
      Served(text, RowOf(FhirType::kObservation), {.summary = Summary::kData, .elements = {}});
  EXPECT_EQ(data.find("\"text\""), std::string::npos);
  EXPECT_NE(data.find("\"note\""), std::string::npos);
  const std::string words =
      Served(text, RowOf(FhirType::kObservation), {.summary = Summary::kText, .elements = {}});
  EXPECT_NE(words.find("\"text\""), std::string::npos);
  EXPECT_EQ(words.find("\"note\""), std::string::npos);
}

}  // namespace
}  // namespace vitalake::serve
