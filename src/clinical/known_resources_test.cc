// Known resources with the decision about each written down by hand from the domain's rules: HL7's
// examples, the reference platform's samples, and HL7's valid and invalid validator cases.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "clinical/assess.h"
#include "fhir/datetime.h"

namespace vitalake::clinical {
namespace {

namespace fs = std::filesystem;
using testing::Contains;

const fs::path kData = fs::path(VITALAKE_SOURCE_DIR) / "../shared/data";

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path << " is missing";
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  return text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text;
}

AssessContext Context() {
  AssessContext context;
  context.received = *fhir::ParseDateTime("2026-11-22T00:00:00Z")->Utc();
  return context;
}

Assessment AssessText(const std::string& text) {
  JsonParser parser;
  const auto resource = parser.Parse(text);
  EXPECT_TRUE(resource);
  return resource ? Assess(*resource, Context()) : Assessment();
}

std::vector<std::string> FilesIn(const fs::path& folder, std::string_view prefix = "") {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().stem();
    if (entry.path().extension() == ".json" && name.starts_with(prefix)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

struct Wanted {
  Home home;
  std::string reason;  // of the rejection; "" = kept
  std::string quality;
};

// In scope: category vital-signs, or a code of the table. All others are out of scope. Dates
// without time are imprecise; a body length of 25 cm is outside the usual range.
const std::map<std::string, Wanted> kObservations = {
    {"blood-pressure", {Home::kBloodPressure, "", "time_imprecise"}},
    {"blood-pressure-cancel", {Home::kBloodPressure, "", "time_imprecise"}},
    {"blood-pressure-dar", {Home::kBloodPressure, "", "time_imprecise partial"}},
    {"bmi", {Home::kVitalSign, "", "time_imprecise"}},
    {"bmi-using-related", {Home::kVitalSign, "", "time_imprecise"}},
    {"body-height", {Home::kVitalSign, "", "converted time_imprecise"}},
    {"body-length", {Home::kVitalSign, "", "time_imprecise unusual"}},
    {"body-temperature", {Home::kVitalSign, "", "time_imprecise"}},
    {"example", {Home::kVitalSign, "", "converted time_imprecise"}},
    {"f001", {Home::kVitalSign, "", ""}},                // glucose 6.3 mmol/L
    {"f202", {Home::kVitalSign, "", "time_imprecise"}},  // entered in error, no time
    {"head-circumference", {Home::kVitalSign, "", "time_imprecise"}},
    {"heart-rate", {Home::kVitalSign, "", "time_imprecise"}},
    {"map-sitting", {Home::kVitalSign, "", ""}},  // category laboratory, but mean pressure
    {"mbp", {Home::kVitalSign, "", "time_imprecise"}},
    {"respiratory-rate", {Home::kVitalSign, "", "time_imprecise"}},
    {"satO2", {Home::kVitalSign, "", ""}},
    {"unsat", {Home::kVitalSign, "", ""}},                            // glucose, cancelled
    {"vitals-panel", {Home::kVitalSign, "value", "time_imprecise"}},  // members only, no value
};

TEST(KnownResourcesTest, Hl7Observations) {
  const auto names = FilesIn(kData / "hl7-r4-examples", "Observation-");
  ASSERT_EQ(names.size(), 64u);
  size_t in_scope = 0;
  for (const std::string& name : names) {
    const Assessment a = AssessText(ReadFile(kData / "hl7-r4-examples" / (name + ".json")));
    const auto wanted = kObservations.find(name.substr(sizeof "Observation-" - 1));
    if (wanted == kObservations.end()) {
      EXPECT_EQ(a.home, Home::kOutOfScope) << name;
      EXPECT_FALSE(a.rejection) << name;
      continue;
    }
    ++in_scope;
    EXPECT_EQ(a.home, wanted->second.home) << name;
    EXPECT_EQ(a.rejection ? a.rejection->reason : "", wanted->second.reason) << name;
    EXPECT_EQ(a.quality.ToString(), wanted->second.quality) << name;
  }
  EXPECT_EQ(in_scope, kObservations.size());
}

// The specification's own examples break none of its rules (f202 misses what the
// vital-signs profile wants).
TEST(KnownResourcesTest, Hl7ExamplesHaveNoFaults) {
  for (const std::string& name : FilesIn(kData / "hl7-r4-examples")) {
    if (name == "package") continue;
    const Assessment a = AssessText(ReadFile(kData / "hl7-r4-examples" / (name + ".json")));
    for (const fhir::Issue& issue : a.issues) {
      if (issue.severity == fhir::Severity::kInformation) continue;  // names a token
      const bool expected = name == "Observation-f202" && issue.rule == "vs-1";
      EXPECT_TRUE(expected) << name << ": " << issue.rule << " " << issue.element_path;
    }
  }
}

TEST(KnownResourcesTest, Hl7CriticalAndRetracted) {
  const auto assess = [](const char* name) {
    return AssessText(ReadFile(kData / "hl7-r4-examples" / (std::string(name) + ".json")));
  };
  EXPECT_TRUE(assess("Observation-respiratory-rate").critical) << "26 breaths a minute";
  EXPECT_FALSE(assess("Observation-heart-rate").critical) << "44 beats a minute";
  EXPECT_TRUE(assess("Observation-f202").retracted);
  EXPECT_TRUE(assess("Observation-blood-pressure-cancel").retracted);
  EXPECT_FALSE(assess("Observation-blood-pressure").retracted);
}

TEST(KnownResourcesTest, Hl7Patients) {
  const auto names = FilesIn(kData / "hl7-r4-examples", "Patient-");
  ASSERT_EQ(names.size(), 22u);
  for (const std::string& name : names) {
    const Assessment a = AssessText(ReadFile(kData / "hl7-r4-examples" / (name + ".json")));
    EXPECT_EQ(a.home, Home::kPatient) << name;
    EXPECT_FALSE(a.rejection) << name;
    EXPECT_EQ(a.quality.ToString(), "") << name;
  }
}

std::string Filled(std::string text, const std::map<std::string, std::string>& values) {
  for (const auto& [place, value] : values) {
    size_t at = text.find(place);
    EXPECT_NE(at, std::string::npos) << place;
    for (; at != std::string::npos; at = text.find(place)) text.replace(at, place.size(), value);
  }
  return text;
}

TEST(KnownResourcesTest, ReferencePlatformMessages) {
  const std::string message = ReadFile(kData / "seed-samples/observation-template.json");
  const struct {
    std::string systolic, diastolic, quality;
    bool critical;
    std::string reason;
  } cases[] = {{"118", "79", "text_number time_imprecise", false, ""},
               {"217", "102", "text_number time_imprecise unusual", true, ""},
               {"301", "150", "text_number time_imprecise implausible", true, ""},
               {"90", "95", "text_number time_imprecise implausible", false, ""},
               {"351", "95", "text_number time_imprecise", false, "impossible"}};
  for (const auto& c : cases) {
    const Assessment a =
        AssessText(Filled(message, {{"{id}", "8f5a4c4e-6c0b-4d8e-9f2b-3b0c8b1d2e3f"},
                                    {"{patient_id}", "patient_01_id"},
                                    {"{systolic_value}", c.systolic},
                                    {"{diastolic_value}", c.diastolic},
                                    {"{systolic_code}", "N"},
                                    {"{systolic_interpretation}", "Normal"},
                                    {"{diastolic_code}", "N"},
                                    {"{diastolic_interpretation}", "Normal"}}));
    EXPECT_EQ(a.home, Home::kBloodPressure);
    EXPECT_EQ(a.rejection ? a.rejection->reason : "", c.reason) << c.systolic;
    EXPECT_EQ(a.quality.ToString(), c.quality) << c.systolic;
    EXPECT_EQ(a.critical, c.critical) << c.systolic;
    EXPECT_EQ(a.issues.size() > 1, true) << "both numbers are text";
  }
}

std::vector<std::string> PathsOf(const Assessment& a) {
  std::vector<std::string> paths;
  for (const fhir::Issue& issue : a.issues) paths.push_back(issue.rule + " " + issue.element_path);
  return paths;
}

TEST(KnownResourcesTest, ReferencePlatformPatients) {
  for (const char* name : {"patient-01", "patient-02", "patient-03"}) {
    const Assessment a =
        AssessText(ReadFile(kData / "seed-samples" / (std::string(name) + ".json")));
    EXPECT_EQ(a.home, Home::kPatient) << name;
    EXPECT_FALSE(a.rejection) << name;
    EXPECT_THAT(PathsOf(a), Contains("id Patient.id")) << name;
    EXPECT_THAT(PathsOf(a), Contains("required Patient.text.div")) << name;
  }
}

struct Faulty {
  Home home;
  std::string rejected;  // "reason path"
  std::string remarked;  // "rule path"
};

// Faults that need terminology or profiles are out of reach: neither rejected nor remarked.
const std::map<std::string, Faulty> kFaulty = {
    {"Observation-ex-pain", {Home::kOutOfScope, "", "required Observation.code"}},
    {"ai4", {Home::kPatient, "date Patient.birthDate", ""}},
    {"ai6", {Home::kPatient, "", ""}},  // profile: identifier
    {"json-comments", {Home::kPatient, "", "unknown-property Patient.fhir_comments"}},
    {"obs-de", {Home::kVitalSign, "", ""}},            // profile: code system version
    {"obs-loinc-other", {Home::kOutOfScope, "", ""}},  // value set of a profile
    {"obs-quantity", {Home::kOutOfScope, "", "required Observation.code"}},
    {"obs-temp-code2", {Home::kVitalSign, "", ""}},  // unknown SNOMED CT code
    {"obs-vs-2", {Home::kBloodPressure, "", "required Observation.text.div"}},
    {"pat-example-ext", {Home::kPatient, "", ""}},  // unknown extension
    {"pat-security-bad-xhtml", {Home::kPatient, "", "txt-1 Patient.text.div"}},
    {"patient-id-bad-2", {Home::kPatient, "id Patient.id", ""}},
    {"patient-ig-bad", {Home::kPatient, "", ""}},        // profile: name
    {"scoring-test", {Home::kPatient, "", ""}},          // value set of a profile
    {"supplement-obs", {Home::kOutOfScope, "", ""}},     // code system supplement
    {"supplement-obs-1a", {Home::kOutOfScope, "", ""}},  // unknown code
};

TEST(KnownResourcesTest, ValidatorCasesWithFaults) {
  const fs::path folder = kData / "fhir-validator-cases/err";
  ASSERT_EQ(FilesIn(folder).size(), kFaulty.size());
  for (const std::string& name : FilesIn(folder)) {
    ASSERT_TRUE(kFaulty.contains(name)) << name;
    const Faulty& wanted = kFaulty.at(name);
    const Assessment a = AssessText(ReadFile(folder / (name + ".json")));
    EXPECT_EQ(a.home, wanted.home) << name;
    EXPECT_EQ(a.rejection ? a.rejection->reason + " " + a.rejection->element_path : "",
              wanted.rejected)
        << name;
    if (!wanted.remarked.empty()) {
      EXPECT_THAT(PathsOf(a), Contains(wanted.remarked)) << name;
    }
  }
}

TEST(KnownResourcesTest, ValidatorCasesWithoutFaultsAreAccepted) {
  const fs::path folder = kData / "fhir-validator-cases/ok";
  const auto names = FilesIn(folder);
  ASSERT_EQ(names.size(), 39u);
  for (const std::string& name : names) {
    const Assessment a = AssessText(ReadFile(folder / (name + ".json")));
    EXPECT_FALSE(a.rejection) << name << ": " << a.rejection->message;
    for (const fhir::Issue& issue : a.issues) {
      EXPECT_EQ(issue.severity, fhir::Severity::kInformation)
          << name << ": " << issue.rule << " " << issue.element_path;
    }
  }
}

}  // namespace
}  // namespace vitalake::clinical
