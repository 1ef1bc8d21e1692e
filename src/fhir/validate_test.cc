#include "fhir/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fhir/validate_narrative.h"
#include "fhir/validate_primitives.h"

namespace vitalake::fhir {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// "rule path", with "!" in front when the element cannot be used and "#" for a number as text.
std::vector<std::string> Found(const std::string& json) {
  JsonParser parser;
  const auto resource = parser.Parse(json);
  if (!resource) return {"not JSON"};
  std::vector<std::string> found;
  for (const Finding& finding : Validate(*resource)) {
    const std::string mark = finding.effect == Effect::kUnusable     ? "!"
                             : finding.effect == Effect::kTextNumber ? "#"
                                                                     : "";
    found.push_back(mark + finding.issue.rule + " " + finding.issue.element_path);
  }
  return found;
}

std::vector<std::string> InPatient(const std::string& members) {
  return Found(R"({"resourceType":"Patient",)" + members + "}");
}

// An Observation that is right, with more members.
std::vector<std::string> InObservation(const std::string& members) {
  return Found(R"({"resourceType":"Observation","status":"final","code":{"text":"x"},)" + members +
               "}");
}

std::string Vital(const std::string& members) {
  return R"("category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/)"
         R"(observation-category","code":"vital-signs"}]}],)" +
         members;
}

TEST(ValidateTest, AcceptsWhatIsRight) {
  EXPECT_THAT(InPatient(R"("id":"a-1.B","active":true,"gender":"other","birthDate":"1970-01",
      "name":[{"use":"old","family":"F","given":["G","H"]}],"deceasedDateTime":"2020",
      "contained":[{"resourceType":"Organization","id":"o"}],
      "managingOrganization":{"reference":"#o"})"),
              IsEmpty());
  EXPECT_THAT(InObservation(R"("effectivePeriod":{"start":"2020-01-01","end":"2020-01-01"},
      "valueQuantity":{"value":1.50,"comparator":">=","unit":"kg"},"issued":"2020-01-01T00:00:00Z")"),
              IsEmpty());
}

TEST(ValidateTest, LeavesOtherResourcesAlone) {
  EXPECT_THAT(Found(R"({"resourceType":"Encounter","status":7})"), IsEmpty());
  EXPECT_THAT(Found(R"({"status":7})"), IsEmpty());
}

TEST(ValidateTest, FindsUnknownProperties) {
  EXPECT_THAT(InPatient(R"("fhir_comments":["x"])"),
              ElementsAre("unknown-property Patient.fhir_comments"));
  EXPECT_THAT(InObservation(R"("component":[{"code":{"coding":[{"colour":1}]}}])"),
              ElementsAre("unknown-property Observation.component[0].code.coding[0].colour"));
  EXPECT_THAT(InObservation(R"("valueFoo":1)"),
              ElementsAre("unknown-property Observation.valueFoo"));
}

TEST(ValidateTest, FindsWrongJsonTypes) {
  EXPECT_THAT(InPatient(R"("active":"true")"), ElementsAre("!type Patient.active"));
  EXPECT_THAT(InPatient(R"("birthDate":19700101)"), ElementsAre("!type Patient.birthDate"));
  EXPECT_THAT(InPatient(R"("name":["x"])"), ElementsAre("!type Patient.name[0]"));
  EXPECT_THAT(InPatient(R"("maritalStatus":"M")"), ElementsAre("type Patient.maritalStatus"));
  EXPECT_THAT(InPatient(R"("gender":{})"), ElementsAre("!type Patient.gender"));
}

TEST(ValidateTest, FindsWrongCardinality) {
  EXPECT_THAT(InPatient(R"("name":{"family":"x"})"), ElementsAre("!cardinality Patient.name"));
  EXPECT_THAT(InPatient(R"("gender":["male"])"), ElementsAre("!cardinality Patient.gender"));
  EXPECT_THAT(InPatient(R"("photo":{"url":"x"})"), ElementsAre("cardinality Patient.photo"));
}

TEST(ValidateTest, FindsMissingElements) {
  EXPECT_THAT(Found(R"({"resourceType":"Observation"})"),
              ElementsAre("required Observation.status", "required Observation.code"));
  EXPECT_THAT(InPatient(R"("link":[{"type":"refer"}])"),
              ElementsAre("required Patient.link[0].other"));
  EXPECT_THAT(InPatient(R"("text":{"status":"generated"})"),
              ElementsAre("required Patient.text.div"));
  EXPECT_THAT(InPatient(R"("extension":[{"valueString":"x"}])"),
              ElementsAre("required Patient.extension[0].url"));
}

TEST(ValidateTest, FindsCodesOutsideRequiredBindings) {
  EXPECT_THAT(Found(R"({"resourceType":"Observation","status":"done","code":{"text":"x"}})"),
              ElementsAre("!code Observation.status"));
  EXPECT_THAT(InPatient(R"("gender":"M")"), ElementsAre("code Patient.gender"));
  EXPECT_THAT(InPatient(R"("telecom":[{"system":"tel","use":"mobile"}])"),
              ElementsAre("code Patient.telecom[0].system"));
  EXPECT_THAT(InPatient(R"("telecom":[{"system":"phone","use":"cell"}])"),
              ElementsAre("code Patient.telecom[0].use"));
  EXPECT_THAT(InPatient(R"("name":[{"use":"full","family":"x"}])"),
              ElementsAre("code Patient.name[0].use"));
  EXPECT_THAT(InPatient(R"("address":[{"use":"main","type":"home"}])"),
              ElementsAre("code Patient.address[0].use", "code Patient.address[0].type"));
  EXPECT_THAT(InPatient(R"("identifier":[{"use":"first"}])"),
              ElementsAre("code Patient.identifier[0].use"));
  EXPECT_THAT(InPatient(R"("link":[{"other":{"display":"x"},"type":"same"}])"),
              ElementsAre("!code Patient.link[0].type"));
  EXPECT_THAT(InObservation(R"("valueQuantity":{"value":1,"comparator":"~"})"),
              ElementsAre("code Observation.valueQuantity.comparator"));
  EXPECT_THAT(InPatient(R"("text":{"status":"made","div":"<div>x</div>"})"),
              ElementsAre("code Patient.text.status"));
}

TEST(ValidateTest, FindsWrongSyntax) {
  EXPECT_THAT(InPatient(R"("id":"bad-id 1")"), ElementsAre("!id Patient.id"));
  EXPECT_THAT(InPatient(R"("id":"a_1")"), ElementsAre("id Patient.id"));
  EXPECT_THAT(InPatient("\"id\":\"" + std::string(64, 'a') + "\""), IsEmpty());
  EXPECT_THAT(InPatient("\"id\":\"" + std::string(65, 'a') + "\""), ElementsAre("!id Patient.id"));
  EXPECT_THAT(InPatient(R"("birthDate":"not a date")"), ElementsAre("!date Patient.birthDate"));
  EXPECT_THAT(InPatient(R"("birthDate":"2023-02-29")"), ElementsAre("!date Patient.birthDate"));
  EXPECT_THAT(InPatient(R"("birthDate":"2024-02-29")"), IsEmpty());
  EXPECT_THAT(InPatient(R"("birthDate":"2020-01-01T10:00:00Z")"),
              ElementsAre("!date Patient.birthDate"));
  EXPECT_THAT(InPatient(R"("meta":{"lastUpdated":"2020-01-01"})"),
              ElementsAre("date Patient.meta.lastUpdated"));
  EXPECT_THAT(InObservation(R"("effectiveDateTime":"2020-01-01T10:00Z")"),
              ElementsAre("date Observation.effectiveDateTime"));
  EXPECT_THAT(InObservation(R"("effectiveDateTime":"2020-01-01T10:00:00")"),
              ElementsAre("date Observation.effectiveDateTime"));
  EXPECT_THAT(InObservation(R"("issued":"x")"), ElementsAre("date Observation.issued"));
  EXPECT_THAT(InObservation(R"("valueTime":"25:00:00")"),
              ElementsAre("!date Observation.valueTime"));
  EXPECT_THAT(InObservation(R"("valueTime":"23:00:00")"), IsEmpty());
  EXPECT_THAT(InPatient(R"("implicitRules":"http://a b")"),
              ElementsAre("uri Patient.implicitRules"));
  EXPECT_THAT(InPatient(R"("language":" en")"), ElementsAre("code Patient.language"));
  EXPECT_THAT(InPatient(R"("telecom":[{"rank":0}])"),
              ElementsAre("!number Patient.telecom[0].rank"));
  EXPECT_THAT(InPatient(R"("telecom":[{"rank":1.0}])"),
              ElementsAre("!number Patient.telecom[0].rank"));
  EXPECT_THAT(InPatient(R"("telecom":[{"rank":1}])"), IsEmpty());
  EXPECT_THAT(InPatient(R"("photo":[{"contentType":"a/b","data":"YWJj"}])"), IsEmpty());
  EXPECT_THAT(InPatient(R"("photo":[{"contentType":"a/b","data":"YWJ"}])"),
              ElementsAre("base64 Patient.photo[0].data"));
  EXPECT_THAT(InPatient(R"("multipleBirthInteger":2147483648)"),
              ElementsAre("number Patient.multipleBirthInteger"));
  EXPECT_THAT(InPatient(R"("name":[{"family":""}])"), ElementsAre("empty Patient.name[0].family"));
}

TEST(ValidateTest, ReadsNumbersGivenAsText) {
  EXPECT_THAT(InObservation(R"("valueQuantity":{"value":"217"})"),
              ElementsAre("#text_number Observation.valueQuantity.value"));
  EXPECT_THAT(InObservation(R"("valueQuantity":{"value":"NaN"})"),
              ElementsAre("!type Observation.valueQuantity.value"));
  EXPECT_THAT(InObservation(R"("valueQuantity":{"value":"2,5"})"),
              ElementsAre("!type Observation.valueQuantity.value"));
  EXPECT_THAT(InObservation(R"("referenceRange":[{"low":{"value":"1"}}])"),
              ElementsAre("text_number Observation.referenceRange[0].low.value"));
}

TEST(ValidateTest, FindsEmptyValuesAndNulls) {
  EXPECT_THAT(InPatient(R"("maritalStatus":{})"), ElementsAre("ele-1 Patient.maritalStatus"));
  EXPECT_THAT(InPatient(R"("name":[])"), ElementsAre("empty Patient.name"));
  EXPECT_THAT(InPatient(R"("birthDate":null)"), ElementsAre("null Patient.birthDate"));
  EXPECT_THAT(InPatient(R"("name":[null])"), ElementsAre("null Patient.name[0]"));
}

TEST(ValidateTest, FollowsPrimitiveExtensions) {
  EXPECT_THAT(InPatient(R"("_birthDate":{"extension":[{"url":"u","valueDateTime":"1974"}]})"),
              IsEmpty());
  EXPECT_THAT(InPatient(R"("name":[{"given":["a",null],"_given":[null,{"id":"x"}]}])"), IsEmpty());
  EXPECT_THAT(InPatient(R"("_name":[{}])"), ElementsAre("unknown-property Patient._name"));
  EXPECT_THAT(InPatient(R"("_birthDate":"x")"), ElementsAre("type Patient._birthDate"));
  EXPECT_THAT(InObservation(R"("_valueInteger":{"value":0})"),
              ElementsAre("unknown-property Observation._valueInteger.value"));
  // A required element may be present by its extension alone.
  EXPECT_THAT(Found(R"({"resourceType":"Observation","code":{"text":"x"},
                        "_status":{"extension":[{"url":"u","valueCode":"c"}]}})"),
              IsEmpty());
}

TEST(ValidateTest, AllowsOneChoice) {
  EXPECT_THAT(InPatient(R"("deceasedBoolean":true,"deceasedDateTime":"2020")"),
              ElementsAre("!choice Patient.deceasedDateTime"));
  EXPECT_THAT(InPatient(R"("multipleBirthBoolean":true,"multipleBirthInteger":2)"),
              ElementsAre("choice Patient.multipleBirthInteger"));
  EXPECT_THAT(InObservation(R"("valueString":"x","_valueString":{"id":"a"})"), IsEmpty());
}

TEST(ValidateTest, FindsRepeatedMembers) {
  EXPECT_THAT(InPatient(R"("gender":"male","gender":"female")"),
              ElementsAre("!duplicate-key Patient.gender"));
}

TEST(ValidateTest, ChecksInvariants) {
  EXPECT_THAT(InPatient(R"("extension":[{"url":"u"}])"), ElementsAre("ext-1 Patient.extension[0]"));
  EXPECT_THAT(InPatient(R"("extension":[{"url":"u","valueCode":"c","extension":[
                  {"url":"v","valueCode":"c"}]}])"),
              ElementsAre("ext-1 Patient.extension[0]"));
  EXPECT_THAT(InPatient(R"("telecom":[{"value":"1"}])"), ElementsAre("cpt-2 Patient.telecom[0]"));
  EXPECT_THAT(InPatient(R"("contact":[{"gender":"male"}])"),
              ElementsAre("pat-1 Patient.contact[0]"));
  EXPECT_THAT(InPatient(R"("name":[{"period":{"start":"2021","end":"2020"}}])"),
              ElementsAre("per-1 Patient.name[0].period"));
  EXPECT_THAT(InPatient(R"("name":[{"period":{"start":"2020-06","end":"2020"}}])"), IsEmpty());
  EXPECT_THAT(InObservation(R"("valueQuantity":{"value":1,"code":"kg"})"),
              ElementsAre("qty-3 Observation.valueQuantity"));
  EXPECT_THAT(InObservation(R"("referenceRange":[{"type":{"text":"x"}}])"),
              ElementsAre("obs-3 Observation.referenceRange[0]"));
  EXPECT_THAT(InPatient(R"("managingOrganization":{"reference":"#o"})"),
              ElementsAre("ref-1 Patient.managingOrganization.reference"));
  EXPECT_THAT(InPatient(R"("contained":[{"id":"o"}])"),
              ElementsAre("required Patient.contained[0].resourceType"));
}

TEST(ValidateTest, ChecksObservationInvariants) {
  EXPECT_THAT(InObservation(R"("valueString":"x","dataAbsentReason":{"text":"y"})"),
              ElementsAre("obs-6 Observation"));
  const std::string code = R"({"coding":[{"system":"http://loinc.org","code":"8480-6"}]})";
  const std::string both = R"({"resourceType":"Observation","status":"final","code":)" + code +
                           R"(,"component":[{"code":)" + code + R"(,"valueString":"x"}])";
  EXPECT_THAT(Found(both + R"(,"valueString":"x"})"),
              ElementsAre("obs-7 Observation.component[0]"));
  EXPECT_THAT(Found(both + "}"), IsEmpty());
}

TEST(ValidateTest, ChecksVitalSigns) {
  EXPECT_THAT(InObservation(Vital(R"("valueString":"x")")),
              ElementsAre("vs-1 Observation.effective[x]"));
  EXPECT_THAT(InObservation(Vital(R"("valueString":"x","effectiveDateTime":"2020-01")")),
              ElementsAre("vs-1 Observation.effectiveDateTime"));
  EXPECT_THAT(InObservation(Vital(R"("valueString":"x","effectiveDateTime":"2020-01-01")")),
              IsEmpty());
  EXPECT_THAT(InObservation(Vital(R"("effectiveDateTime":"2020-01-01")")),
              ElementsAre("vs-2 Observation"));
  EXPECT_THAT(
      InObservation(Vital(R"("effectiveDateTime":"2020-01-01","hasMember":[{"display":"x"}])")),
      IsEmpty());
  EXPECT_THAT(InObservation(Vital(R"("effectiveDateTime":"2020-01-01","component":[
                  {"code":{"text":"a"}},{"code":{"text":"b"},"dataAbsentReason":{"text":"c"}}])")),
              ElementsAre("vs-3 Observation.component[0]"));
  // The vital-signs profile binds vital signs only.
  EXPECT_THAT(InObservation(R"("component":[{"code":{"text":"a"}}])"), IsEmpty());
}

TEST(ValidateTest, LooksIntoNarratives) {
  using enum NarrativeFault;
  EXPECT_EQ(CheckNarrative("<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>a<br/></p></div>"),
            kNone);
  EXPECT_EQ(CheckNarrative("<div><img src=\"a.png\"/></div>"), kNone);
  EXPECT_EQ(CheckNarrative("<div><a href='x'>y</a><!-- <script> --></div>"), kNone);
  EXPECT_EQ(CheckNarrative("<p>a</p>"), kNotDiv);
  EXPECT_EQ(CheckNarrative("<divx>a</divx>"), kNotDiv);
  EXPECT_EQ(CheckNarrative("<div>a<script>b</script></div>"), kForbidden);
  EXPECT_EQ(CheckNarrative("<div>a<iframe/></div>"), kForbidden);
  EXPECT_EQ(CheckNarrative("<div>a<form></form></div>"), kForbidden);
  EXPECT_EQ(CheckNarrative("<div onclick=\"x()\">a</div>"), kForbidden);
  EXPECT_EQ(CheckNarrative("<div><a href=\"JavaScript:x\">a</a></div>"), kForbidden);
  EXPECT_EQ(CheckNarrative("<div> \n </div>"), kEmpty);
  EXPECT_THAT(InPatient(R"("text":{"status":"generated","div":"<div><script>x</script></div>"})"),
              ElementsAre("txt-1 Patient.text.div"));
}

TEST(ValidateTest, KnowsNumberTexts) {
  for (const char* text : {"0", "-0", "217", "1.50", "1e5", "1E-22", "-1.0e+245"}) {
    EXPECT_TRUE(IsNumberText(text)) << text;
  }
  for (const char* text :
       {"", "-", "01", ".5", "1.", "1e", "+1", " 1", "1 ", "NaN", "0x1", "1,5"}) {
    EXPECT_FALSE(IsNumberText(text)) << text;
  }
}

TEST(ValidateTest, DoesNotEnterWhatWasNotExpanded) {
  JsonParser parser;
  const std::string json =
      R"({"resourceType":"Patient","name":[{"family":"x","colour":"y"}],"maritalStatus":{"a":[1]}})";
  JsonLimits limits;
  limits.expand_depth = 1;
  const auto resource = parser.Parse(json, limits);
  ASSERT_TRUE(resource);
  EXPECT_THAT(Validate(*resource), IsEmpty());
}

}  // namespace
}  // namespace vitalake::fhir
