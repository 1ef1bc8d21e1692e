#include "clinical/assess.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "fhir/datetime.h"

namespace vitalake::clinical {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Micros At(std::string_view time) { return *fhir::ParseDateTime(time)->Utc(); }

AssessContext Context() {
  AssessContext context;
  context.received = At("2024-05-01T12:00:00Z");
  return context;
}

Assessment AssessText(const std::string& json, const AssessContext& context = Context()) {
  JsonParser parser;
  const auto resource = parser.Parse(json);
  EXPECT_TRUE(resource) << json;
  return resource ? Assess(*resource, context) : Assessment();
}

// "home | reason path | tokens" with " critical" and " retracted" behind.
std::string Verdict(const Assessment& a) {
  std::string text(ToString(a.home));
  text += " | ";
  if (a.rejection) text += a.rejection->reason + " " + a.rejection->element_path;
  text += " | " + a.quality.ToString();
  if (a.critical) text += " critical";
  if (a.retracted) text += " retracted";
  return text;
}

std::string VerdictOf(const std::string& json, const AssessContext& context = Context()) {
  return Verdict(AssessText(json, context));
}

std::vector<std::string> IssuesOf(const std::string& json) {
  std::vector<std::string> issues;
  for (const auto& issue : AssessText(json).issues) {
    issues.push_back(issue.rule + " " + issue.element_path);
  }
  return issues;
}

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

constexpr std::string_view kUnit =
    R"("unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]")";

constexpr std::string_view kPerMinute =
    R"("unit":"/min","system":"http://unitsofmeasure.org","code":"/min")";

std::string Component(std::string_view code, std::string_view rest) {
  return R"({"code":{"coding":[{"system":"http://loinc.org","code":")" + std::string(code) +
         R"("}]})" + std::string(rest) + "}";
}

std::string Pressure(std::string_view code, std::string_view value, std::string_view unit = kUnit) {
  const std::string comma = unit.empty() ? "" : ",";
  return Component(
      code, R"(,"valueQuantity":{"value":)" + std::string(value) + comma + std::string(unit) + "}");
}

std::string Panel(const std::string& components) {
  return R"({"resourceType":"Observation","id":"a","status":"final",
    "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category",
                            "code":"vital-signs"}]}],
    "code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},
    "subject":{"reference":"Patient/p"},"effectiveDateTime":"2024-05-01T10:00:00+02:00",
    "component":[)" +
         components + "]}";
}

std::string Reading(std::string_view systolic, std::string_view diastolic) {
  return Panel(Pressure("8480-6", systolic) + "," + Pressure("8462-4", diastolic));
}

std::string Vital(std::string_view code, std::string_view rest) {
  return R"({"resourceType":"Observation","id":"a","status":"final",
    "code":{"coding":[{"system":"http://loinc.org","code":")" +
         std::string(code) + R"("}]},"subject":{"reference":"Patient/p"},
    "effectiveDateTime":"2024-05-01T10:00:00Z",)" +
         std::string(rest) + "}";
}

TEST(AssessTest, AcceptsACleanReading) {
  const Assessment a = AssessText(Reading("120", "80"));
  EXPECT_EQ(Verdict(a), "blood-pressure |  | ");
  EXPECT_THAT(a.issues, IsEmpty());
}

TEST(AssessTest, DecidesScopeFirst) {
  EXPECT_EQ(VerdictOf(R"({"resourceType":"Encounter","id":7})"), "out-of-scope |  | ");
  EXPECT_EQ(VerdictOf(R"({"resourceType":"Observation"})"), "out-of-scope |  | ");
  EXPECT_EQ(VerdictOf(Vital("718-7", R"("valueQuantity":{"value":"x"})")), "out-of-scope |  | ");
  // Any of the components makes a blood pressure, whatever the code; a single value does not.
  EXPECT_EQ(VerdictOf(Replaced(Panel(Pressure("8462-4", "80")), "85354-9", "34534-8")),
            "blood-pressure |  | partial");
  EXPECT_EQ(VerdictOf(Replaced(Reading("120", "80"), "85354-9", "55284-4")),
            "blood-pressure |  | ");
  EXPECT_EQ(VerdictOf(Vital("8480-6", R"("valueQuantity":{"value":120,"unit":"mmHg"})")),
            "vital-sign |  | ");
  // By category alone, by a component's code alone.
  EXPECT_EQ(VerdictOf(Replaced(Panel(Component("1-1", R"(,"valueString":"x")")), "85354-9", "2-2")),
            "vital-sign |  | ");
  EXPECT_EQ(VerdictOf(Vital("1-1", "\"component\":[" + Component("8867-4", R"(,"valueQuantity":
                {"value":70,"unit":"bpm"})") +
                                       "]")),
            "vital-sign |  | ");
}

// views/observation.json has the same codings: see silver_views_test.cc.
TEST(AssessTest, TakesPressuresByAnyCodingOfTheCodeTable) {
  const auto coded = [](std::string_view code, std::string_view system, const char* loinc,
                        const std::string& json) {
    return Replaced(
        json, R"("system":"http://loinc.org","code":")" + std::string(loinc) + "\"",
        R"("system":")" + std::string(system) + R"(","code":")" + std::string(code) + "\"");
  };
  const std::string absent =
      Replaced(Panel(""), R"("component":[])", R"("dataAbsentReason":{"text":"refused"})");
  for (const auto& [system, code] : {std::pair("urn:oid:2.16.840.1.113883.6.1", "85354-9"),
                                     std::pair("http://snomed.info/sct", "75367002")}) {
    EXPECT_EQ(VerdictOf(coded(code, system, "85354-9", absent)), "blood-pressure |  | partial");
  }
  const std::string other = Replaced(Reading("120", "80"), "85354-9", "34534-8");
  for (const auto& [system, high, low] :
       {std::tuple("urn:oid:2.16.840.1.113883.6.1", "8480-6", "8462-4"),
        std::tuple("http://loinc.org", "8459-0", "8453-3"),
        std::tuple("http://snomed.info/sct", "271649006", "271650006"),
        std::tuple("urn:iso:std:iso:11073:10101", "150021", "150022")}) {
    EXPECT_EQ(VerdictOf(coded(low, system, "8462-4", coded(high, system, "8480-6", other))),
              "blood-pressure |  | ")
        << high;
  }
}

// `json` with the LOINC codes of another system, "" none.
std::string OfSystem(std::string json, std::string_view system) {
  constexpr std::string_view kSent = R"("system":"http://loinc.org",)";
  const std::string now = system.empty() ? "" : R"("system":")" + std::string(system) + "\",";
  for (size_t at = 0; (at = json.find(kSent, at)) != json.npos; at += now.size()) {
    json.replace(at, kSent.size(), now);
  }
  return json;
}

TEST(AssessTest, ACodeWithoutASystemIsJudgedAsLoincs) {
  for (const std::string& json :
       {Reading("120", "80"), Reading("120", "800"), Reading("351", "80"),
        Vital("8867-4", R"("valueQuantity":{"value":72,"unit":"furlong"})"),
        Vital("8310-5", R"("valueQuantity":{"value":37})"),
        Vital("8480-6", R"("valueQuantity":{"value":400,"unit":"mmHg"})")}) {
    EXPECT_EQ(VerdictOf(OfSystem(json, "")), VerdictOf(json)) << json;
  }
  EXPECT_THAT(IssuesOf(OfSystem(Reading("120", "80"), "")),
              testing::ElementsAre("code Observation.code.coding[0]",
                                   "code Observation.component[0].code.coding[0]",
                                   "code Observation.component[1].code.coding[0]"));
}

TEST(AssessTest, ACodeOfAnotherSystemIsNoVitalSign) {
  constexpr std::string_view kOther = "http://lab.example";
  const std::string pulse = Vital("8867-4", R"("valueQuantity":{"value":72,"unit":"furlong"})");
  EXPECT_EQ(VerdictOf(OfSystem(pulse, kOther)), "out-of-scope |  | ");
  const std::string panel = OfSystem(Reading("400", "80"), kOther);
  EXPECT_EQ(VerdictOf(panel), "vital-sign |  | ") << "by its category";
  EXPECT_THAT(IssuesOf(panel), Contains("code Observation.component[0].code.coding[0]"));
}

TEST(AssessTest, TheCategoryMayLackItsSystemOrHaveTheOldOne) {
  constexpr std::string_view kSystem =
      R"("system":"http://terminology.hl7.org/CodeSystem/observation-category",)";
  const std::string json =
      Replaced(Panel(Component("1-1", R"(,"valueString":"x")")), "85354-9", "2-2");
  for (const auto& [system, home] :
       {std::pair("", "vital-sign |  | "),
        std::pair(R"("system":"http://hl7.org/fhir/observation-category",)", "vital-sign |  | "),
        std::pair(R"("system":"http://example.org",)", "out-of-scope |  | ")}) {
    EXPECT_EQ(VerdictOf(Replaced(json, kSystem, system)), home) << system;
  }
}

TEST(AssessTest, TakesBodyFluidGlucoseFromCgmOnly) {
  const std::string json = Vital("2344-0", R"("valueQuantity":{"value":100,"unit":"mg/dL"})");
  EXPECT_EQ(VerdictOf(json), "out-of-scope |  | ");
  AssessContext context = Context();
  context.cgm_source = true;
  EXPECT_EQ(VerdictOf(json, context), "vital-sign |  | ");
  // In scope by its category it is measured as in silver.vital_sign.
  const std::string elsewhere = Replaced(Panel(Pressure("2344-0", "5")), "85354-9", "2-2");
  EXPECT_EQ(VerdictOf(elsewhere), "vital-sign | unit Observation.component[0].valueQuantity | ");
}

TEST(AssessTest, RefusesWhatIsNoResource) {
  EXPECT_EQ(VerdictOf("[]"), "out-of-scope | type  | ");
  EXPECT_EQ(VerdictOf("{}"), "out-of-scope | type resourceType | ");
  EXPECT_EQ(VerdictOf(R"({"resourceType":7})"), "out-of-scope | type resourceType | ");
  EXPECT_EQ(VerdictOf(R"({"resourceType":"observation"})"), "out-of-scope | type resourceType | ");
}

TEST(AssessTest, RefusesWrongTypesAndSyntaxWhereUsed) {
  EXPECT_EQ(VerdictOf(R"({"resourceType":"Patient","id":"bad id"})"), "patient | id Patient.id | ");
  EXPECT_EQ(VerdictOf(R"({"resourceType":"Patient","id":"a","birthDate":"soon"})"),
            "patient | date Patient.birthDate | ");
  EXPECT_EQ(VerdictOf(R"({"resourceType":"Patient","id":"a","gender":"M","maritalStatus":"S",
                          "colour":1,"birthDate":null})"),
            "patient |  | ");
  EXPECT_EQ(VerdictOf(R"({"resourceType":"Patient","id":"a","gender":"male","gender":"male"})"),
            "patient | duplicate-key Patient.gender | ");
  EXPECT_EQ(VerdictOf(Replaced(Reading("120", "80"), "\"final\"", "\"done\"")),
            "blood-pressure | code Observation.status | ");
  EXPECT_EQ(VerdictOf(Replaced(Reading("120", "80"), "2024-05-01T10", "2024-13-01T10")),
            "blood-pressure | date Observation.effectiveDateTime | time_imprecise");
  EXPECT_EQ(VerdictOf(Reading("true", "80")),
            "blood-pressure | type Observation.component[0].valueQuantity.value | ");
  EXPECT_EQ(VerdictOf(Reading("\"NaN\"", "80")),
            "blood-pressure | type Observation.component[0].valueQuantity.value | ");
  EXPECT_EQ(VerdictOf(Replaced(Reading("120", "80"), "\"component\":[", "\"component\":[7,")),
            "blood-pressure | type Observation.component[0] | ");
}

TEST(AssessTest, AcceptsUnderscoresInIdsUnlessTold) {
  const std::string json = R"({"resourceType":"Patient","id":"patient_01_id"})";
  EXPECT_EQ(VerdictOf(json), "patient |  | ");
  EXPECT_THAT(IssuesOf(json), Contains("id Patient.id"));
  AssessContext context = Context();
  context.underscore_in_id = false;
  EXPECT_EQ(VerdictOf(json, context), "patient | id Patient.id | ");
}

TEST(AssessTest, NotesAMissingId) {
  const std::string json = Replaced(Reading("120", "80"), R"("id":"a",)", "");
  EXPECT_EQ(VerdictOf(json), "blood-pressure |  | ");
  EXPECT_THAT(IssuesOf(json), Contains("id Observation.id"));
}

TEST(AssessTest, NeedsASubject) {
  const std::string json = Reading("120", "80");
  const std::string sent = R"("subject":{"reference":"Patient/p"},)";
  const auto with = [&](std::string_view subject) {
    return VerdictOf(Replaced(json, sent, subject));
  };
  EXPECT_EQ(with(""), "blood-pressure | subject Observation.subject | ");
  EXPECT_EQ(with(R"("subject":{"display":"Ann"},)"),
            "blood-pressure | subject Observation.subject | ");
  EXPECT_EQ(with(R"("subject":{"identifier":{"system":"s"}},)"),
            "blood-pressure | subject Observation.subject | ");
  EXPECT_EQ(with(R"("subject":{"reference":"Group/g"},)"),
            "blood-pressure | subject Observation.subject | ");
  for (const std::string_view reference :
       {"http://h/fhir/Patient/1/_history/2", "urn:uuid:9a3b", "urn:foobar:patient:1",
        "Patient?identifier=1", "something"}) {
    EXPECT_EQ(with("\"subject\":{\"reference\":\"" + std::string(reference) + "\"},"),
              "blood-pressure |  | ")
        << reference;
  }
  EXPECT_EQ(with(R"("subject":{"identifier":{"value":"1"}},)"), "blood-pressure |  | ");
}

TEST(AssessTest, SaysWhichSubjectNobodyIs) {
  const auto said = [](std::string_view subject, std::string_view more = "") {
    const Assessment a = AssessText(Replaced(
        Reading("120", "80"), R"("subject":{"reference":"Patient/p"},)",
        R"("subject":{"reference":")" + std::string(subject) + "\"}," + std::string(more)));
    const auto found = std::ranges::find(a.issues, "reference", &fhir::Issue::rule);
    return found == a.issues.end() ? "" : found->element_path + ": " + found->message;
  };
  for (const std::string reference : {"urn:uuid:9a3b", "#p", "something"}) {
    EXPECT_EQ(said(reference), "Observation.subject.reference: nothing that came with it is '" +
                                   reference + "'; kept without a patient");
  }
  EXPECT_EQ(said("#p", R"("contained":[{"resourceType":"Patient","id":"p"}],)"), "");
  EXPECT_EQ(said("https://h/Patient/p"), "");
  EXPECT_EQ(said("Patient?identifier=1"), "");
}

TEST(AssessTest, NeedsACode) {
  const std::string json =
      Replaced(Panel(Component("1-1", R"(,"valueString":"x")")),
               R"("code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]})",
               R"("code":{"text":"Pulse"})");
  EXPECT_EQ(VerdictOf(json), "vital-sign | code Observation.code | ");
}

TEST(AssessTest, NeedsAValueOrAReason) {
  const std::string absent = R"(,"dataAbsentReason":{"text":"refused"})";
  EXPECT_EQ(VerdictOf(Panel(Component("8480-6", "") + "," + Component("8462-4", ""))),
            "blood-pressure | value Observation | partial");
  EXPECT_EQ(VerdictOf(Panel(Component("8480-6", absent) + "," + Component("8462-4", absent))),
            "blood-pressure |  | partial");
  EXPECT_EQ(VerdictOf(Panel(Pressure("8480-6", "120") + "," + Component("8462-4", absent))),
            "blood-pressure |  | partial");
  EXPECT_EQ(VerdictOf(Panel(Component("8480-6", R"(,"valueString":"120")"))),
            "blood-pressure | value Observation | partial");
  for (const auto& [code, unit] : {std::pair("8478-0", kUnit), std::pair("8867-4", kPerMinute)}) {
    EXPECT_EQ(VerdictOf(Panel(Pressure(code, "93", unit))), "blood-pressure |  | partial");
    EXPECT_EQ(VerdictOf(Panel(Component("8480-6", "") + "," + Pressure(code, "93", unit))),
              "blood-pressure |  | partial");
  }
  EXPECT_EQ(VerdictOf(Panel(Component("8478-0", ""))),
            "blood-pressure | value Observation | partial");
  EXPECT_EQ(VerdictOf(Vital("8867-4", R"("note":[{"text":"x"}])")),
            "vital-sign | value Observation | ");
  EXPECT_EQ(VerdictOf(Vital("8867-4", R"("dataAbsentReason":{"text":"x"})")), "vital-sign |  | ");
  EXPECT_EQ(VerdictOf(Vital("8867-4", R"("valueQuantity":{"unit":"/min"})")),
            "vital-sign | value Observation | ");
  EXPECT_EQ(VerdictOf(Vital("8867-4", R"("valueString":"fast")")), "vital-sign |  | ");
  EXPECT_EQ(VerdictOf(Vital("8867-4", R"("valueQuantity":{"value":1e999,"unit":"/min"})")),
            "vital-sign | value Observation.valueQuantity.value | ");
}

TEST(AssessTest, KeepsAMissingComponentWithARemark) {
  const std::string json = Panel(Pressure("8480-6", "120"));
  EXPECT_EQ(VerdictOf(json), "blood-pressure |  | partial");
  EXPECT_THAT(IssuesOf(json), Contains("partial Observation"));
}

TEST(AssessTest, RefusesImpossibleValues) {
  const std::string path = "Observation.component[0].valueQuantity.value";
  EXPECT_EQ(VerdictOf(Reading("0", "0")), "blood-pressure | impossible " + path + " | implausible");
  EXPECT_EQ(VerdictOf(Reading("351", "80")), "blood-pressure | impossible " + path + " | ");
  EXPECT_EQ(VerdictOf(Reading("350", "80")), "blood-pressure |  | implausible critical");
  EXPECT_EQ(VerdictOf(Reading("120", "-1")),
            "blood-pressure | impossible Observation.component[1].valueQuantity.value | ");
}

TEST(AssessTest, RefusesUnknownUnits) {
  EXPECT_EQ(VerdictOf(Panel(Pressure("8480-6", "120", R"("unit":"ell")"))),
            "blood-pressure | unit Observation.component[0].valueQuantity | partial");
  EXPECT_EQ(VerdictOf(Vital("2339-0", R"("valueQuantity":{"value":100})")),
            "vital-sign | unit Observation.valueQuantity | ");
  EXPECT_EQ(VerdictOf(Vital("9-9", R"("valueQuantity":{"value":3,"unit":"ell"})")),
            "out-of-scope |  | ");
}

TEST(AssessTest, AssumesAbsentUnits) {
  const std::string json =
      Panel(Pressure("8480-6", "120", R"("system":"http://unitsofmeasure.org")") + "," +
            Pressure("8462-4", "80", ""));
  EXPECT_EQ(VerdictOf(json), "blood-pressure |  | unit_assumed");
  EXPECT_THAT(IssuesOf(json), Contains("unit Observation.component[0].valueQuantity"));
  EXPECT_EQ(VerdictOf(Panel(Pressure("8480-6", "16", "") + "," + Pressure("8462-4", "10", ""))),
            "blood-pressure | unit Observation.component[0].valueQuantity | ");
}

TEST(AssessTest, ConvertsAndReadsText) {
  EXPECT_EQ(VerdictOf(Panel(Pressure("8480-6", "16", R"("unit":"kPa")") + "," +
                            Pressure("8462-4", "10.6", R"("unit":"kPa")"))),
            "blood-pressure |  | converted");
  EXPECT_EQ(VerdictOf(Reading("\"217\"", "\"102\"")),
            "blood-pressure |  | text_number unusual critical");
}

TEST(AssessTest, MarksImplausibleReadings) {
  EXPECT_EQ(VerdictOf(Reading("80", "120")), "blood-pressure |  | implausible");
  EXPECT_THAT(IssuesOf(Reading("80", "120")), Contains("implausible Observation"));
  EXPECT_EQ(VerdictOf(Panel(Pressure("8480-6", "120") + "," + Pressure("8462-4", "80") + "," +
                            Pressure("8480-6", "121"))),
            "blood-pressure |  | implausible");
}

TEST(AssessTest, JudgesOtherComponentsToo) {
  const std::string pair = Pressure("8480-6", "120") + "," + Pressure("8462-4", "80") + ",";
  EXPECT_EQ(VerdictOf(Panel(pair + Pressure("8478-0", "93"))), "blood-pressure |  | ");
  EXPECT_EQ(VerdictOf(Panel(pair + Pressure("8478-0", "93", R"("unit":"ell")"))),
            "blood-pressure | unit Observation.component[2].valueQuantity | ");
  EXPECT_EQ(VerdictOf(Panel(pair + Pressure("1-1", "5", R"("unit":"ell")"))),
            "blood-pressure |  | ");
}

TEST(AssessTest, TokensOfOtherComponentsAreNotThePressures) {
  const std::string pair = Pressure("8480-6", "120") + "," + Pressure("8462-4", "80") + ",";
  for (const std::string& other :
       {Pressure("8867-4", "310", kPerMinute), Pressure("8478-0", "300"),
        Pressure("8478-0", "12", R"("unit":"kPa")"), Pressure("8867-4", "\"70\"", kPerMinute),
        Pressure("8867-4", "70", "")}) {
    EXPECT_TRUE(AssessText(Panel(pair + other)).quality.empty()) << other;
    EXPECT_EQ(IssuesOf(Panel(pair + other)).size(), 1u) << other;
  }
  EXPECT_EQ(VerdictOf(Panel(pair + Pressure("8867-4", "310", kPerMinute))),
            "blood-pressure |  |  critical");
  EXPECT_EQ(
      VerdictOf(Replaced(
          Vital("8867-4", R"("valueQuantity":{"value":70,"unit":"/min"})"), R"("valueQuantity")",
          "\"component\":[" + Pressure("9279-1", "1", kPerMinute) + R"(],"valueQuantity")")),
      "vital-sign |  |  critical");
}

TEST(AssessTest, KeepsComparators) {
  EXPECT_EQ(VerdictOf(Panel(Pressure("8480-6", "180", R"("comparator":">","unit":"mmHg")"))),
            "blood-pressure |  | partial off_scale critical");
}

// 5 minutes to 26 hours ahead of receipt (2024-05-01T12:00Z) is noted, more is refused.
TEST(AssessTest, ComparesTheClock) {
  const std::string json = Reading("120", "80");
  const auto at = [&](std::string_view time) {
    return VerdictOf(Replaced(json, "2024-05-01T10:00:00+02:00", time));
  };
  const std::string late = "blood-pressure | time Observation.effectiveDateTime | ";
  EXPECT_EQ(at("2024-05-01T12:04:59.999999Z"), "blood-pressure |  | ");
  EXPECT_EQ(at("2024-05-01T12:05:00Z"), "blood-pressure |  | clock_ahead");
  EXPECT_EQ(at("2024-05-02T14:00:00Z"), "blood-pressure |  | clock_ahead");
  EXPECT_EQ(at("2024-05-02T14:00:00.000001Z"), late);
  EXPECT_EQ(at("2024-05-02T15:00:00+02:00"), "blood-pressure |  | clock_ahead");
  EXPECT_EQ(at("0001-01-01T00:00:00Z"), "blood-pressure |  | ");
  // No moment: a date may be ahead by its offset.
  EXPECT_EQ(at("2024-05-01"), "blood-pressure |  | time_imprecise");
  EXPECT_EQ(at("2024-05-02"), "blood-pressure |  | time_imprecise");
  EXPECT_EQ(at("2024-05-03"), late + "time_imprecise");
  EXPECT_EQ(at("2024-05-01T23:00:00"), "blood-pressure |  | time_imprecise");
  EXPECT_EQ(VerdictOf(Replaced(json, "2024-05-01T10:00:00+02:00", "2099-01-01T00:00:00Z"), {}),
            "blood-pressure |  | ")
      << "no time of receipt";
}

TEST(AssessTest, ReadsEveryKindOfEffectiveTime) {
  const std::string json = Reading("120", "80");
  const auto with = [&](std::string_view effective) {
    return VerdictOf(
        Replaced(json, R"("effectiveDateTime":"2024-05-01T10:00:00+02:00",)", effective));
  };
  EXPECT_EQ(with(""), "blood-pressure |  | time_imprecise");
  EXPECT_EQ(with(R"("effectiveInstant":"2024-05-01T10:00:00Z",)"), "blood-pressure |  | ");
  EXPECT_EQ(with(R"("effectivePeriod":{"start":"2024-05-01T10:00:00Z"},)"), "blood-pressure |  | ");
  EXPECT_EQ(with(R"("effectivePeriod":{"end":"2024-05-01T10:00:00Z"},)"), "blood-pressure |  | ");
  EXPECT_EQ(with(R"("effectivePeriod":{"start":"2024-06-01T10:00:00Z"},)"),
            "blood-pressure | time Observation.effectivePeriod.start | ");
  EXPECT_EQ(with(R"("effectiveTiming":{"event":["2024-05-01T10:00:00Z"]},)"),
            "blood-pressure |  | ");
  EXPECT_EQ(with(R"("effectiveTiming":{"event":[null,"2024-05-01T10:00:00Z"]},)"),
            "blood-pressure |  | ");
  EXPECT_EQ(with(R"("effectiveTiming":{"code":{"text":"daily"}},)"),
            "blood-pressure |  | time_imprecise");
}

TEST(AssessTest, KeepsRetractionsWithoutUsableValues) {
  for (const std::string_view status : {"entered-in-error", "cancelled"}) {
    const std::string json =
        Replaced(Reading("999", "\"x\""), "\"final\"", "\"" + std::string(status) + "\"");
    EXPECT_EQ(VerdictOf(json), "blood-pressure |  |  retracted") << status;
    EXPECT_EQ(VerdictOf(Replaced(json, "Patient/p", "Group/p")), "blood-pressure |  |  retracted");
    EXPECT_EQ(
        VerdictOf(Replaced(json, R"("subject":{"reference":"Patient/p"},)", R"("subject":5,)")),
        "blood-pressure |  |  retracted");
    EXPECT_EQ(VerdictOf(Replaced(json, "2024-05-01T10:00:00+02:00", "yesterday")),
              "blood-pressure |  | time_imprecise retracted");
    EXPECT_EQ(VerdictOf(Replaced(json, "2024-05-01T10:00:00+02:00", "2034-05-01T10:00:00Z")),
              "blood-pressure |  | clock_ahead retracted");
    EXPECT_EQ(VerdictOf(Replaced(json, R"("id":"a")", R"("id":"a b")")),
              "blood-pressure | id Observation.id |  retracted");
  }
}

TEST(AssessTest, NamesEveryTokenInAnIssue) {
  const auto with = [](std::string_view unit, std::string_view value, std::string_view more) {
    return Panel(Component("8480-6", R"(,"valueQuantity":{"value":)" + std::string(value) + "," +
                                         std::string(unit) + std::string(more) + "}") +
                 "," + Pressure("8462-4", "80"));
  };
  const std::string path = "Observation.component[0].valueQuantity";
  constexpr std::string_view kKpa =
      R"("unit":"kPa","system":"http://unitsofmeasure.org","code":"kPa")";
  for (const auto& [json, token, issue] :
       std::vector<std::tuple<std::string, std::string, std::string>>{
           {with(kKpa, "16", ""), "converted", "converted " + path},
           {with(kUnit, "210", ""), "unusual", "unusual " + path},
           {with(kUnit, "120", R"(,"comparator":">")"), "off_scale",
            "off-scale " + path + ".comparator"},
           {Panel(Pressure("8480-6", "120") + "," +
                  Component("8462-4", R"(,"dataAbsentReason":{"text":"refused"})")),
            "partial", "partial Observation"},
           {Replaced(Reading("120", "80"), "2024-05-01T10:00:00+02:00", "2024-05-01"),
            "time_imprecise", "time Observation.effectiveDateTime"}}) {
    EXPECT_THAT(VerdictOf(json), HasSubstr(token));
    EXPECT_THAT(IssuesOf(json), Contains(issue)) << token;
  }
  // Of none at all Validate says so.
  const std::string timeless =
      Replaced(Reading("120", "80"), R"("effectiveDateTime":"2024-05-01T10:00:00+02:00",)", "");
  EXPECT_THAT(VerdictOf(timeless), HasSubstr("time_imprecise"));
  EXPECT_THAT(IssuesOf(timeless), Contains("vs-1 Observation.effective[x]"));
  EXPECT_THAT(IssuesOf(timeless), Not(Contains(HasSubstr("time "))));
  EXPECT_THAT(IssuesOf(Replaced(Vital("8867-4", R"("valueQuantity":{"value":70,"unit":"/min"})"),
                                R"("effectiveDateTime":"2024-05-01T10:00:00Z",)", "")),
              Contains("time Observation.effective[x]"));
}

TEST(AssessTest, ARetractionNeedsNoSubjectAndNoCode) {
  EXPECT_EQ(VerdictOf(R"({"resourceType":"Observation","id":"a","status":"entered-in-error",
      "code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]}})"),
            "blood-pressure |  | time_imprecise retracted");
  EXPECT_EQ(VerdictOf(R"({"resourceType":"Observation","id":"a","status":"cancelled",
      "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category",
                              "code":"vital-signs"}]}]})"),
            "vital-sign |  | time_imprecise retracted");
}

TEST(AssessTest, SaysWhetherARefusedReadingWasCritical) {
  const std::string json = Replaced(Reading("210", "125"), "2024-05-01T10", "2024-06-01T10");
  EXPECT_EQ(VerdictOf(json),
            "blood-pressure | time Observation.effectiveDateTime | unusual critical");
  EXPECT_THAT(VerdictOf(Reading("3510", "80")), Not(HasSubstr("critical"))) << "cannot be";
}

TEST(AssessTest, MessagesCarryNoPatientData) {
  const Assessment a = AssessText(
      R"({"resourceType":"Patient","id":"secret id","birthDate":"secret","gender":"secret"})");
  ASSERT_TRUE(a.rejection);
  EXPECT_THAT(a.rejection->message, Not(HasSubstr("secret")));
  for (const auto& issue : a.issues) EXPECT_THAT(issue.message, Not(HasSubstr("secret")));
  EXPECT_EQ(a.issues.size(), 2u);
}

}  // namespace
}  // namespace vitalake::clinical
