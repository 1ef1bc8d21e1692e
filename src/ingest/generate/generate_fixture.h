// What the tests of the generator share: its output, read back from the JSON with no help of it.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_tree.h"
#include "ingest/generate/generate.h"

namespace vitalake::ingest {

inline GenerateSink Into(std::string& text) {
  return [&text](std::string_view block) -> Status {
    text += block;
    return {};
  };
}

inline std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

struct Output {
  std::string text;
  std::string labels;
  GenerateSummary summary;
};

inline Output Observations(const ObservationOptions& options) {
  Output out;
  out.summary = GenerateObservations(options, Into(out.text), Into(out.labels)).value();
  return out;
}

inline std::string Patients(const PatientOptions& options) {
  std::string text;
  EXPECT_TRUE(GeneratePatients(options, Into(text)).has_value());
  return text;
}

// "2026-01-31T10:00:00.5+05:45" -> microseconds since 1970; by the C library, not by our own code.
inline Micros Moment(std::string_view view) {
  const std::string text(view);
  std::tm tm{};
  const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &tm);
  // strptime takes "2026-1-2" too: FHIR wants the full width.
  if (rest == nullptr || rest != text.c_str() + 19) {
    ADD_FAILURE() << "no FHIR time: " << text;
    return 0;
  }
  double fraction = 0;
  if (*rest == '.') {
    char* end = nullptr;
    fraction = std::strtod(rest, &end);
    rest = end;
  }
  int64_t offset = 0;
  int hours = 0;
  int minutes = 0;
  if (std::string_view(rest) != "Z") {
    EXPECT_EQ(std::sscanf(rest + 1, "%2d:%2d", &hours, &minutes), 2) << text;
    EXPECT_EQ(std::string_view(rest).size(), 6u) << text;
    EXPECT_TRUE(*rest == '+' || *rest == '-') << text;
    offset = (*rest == '+' ? 60 : -60) * (hours * 60 + minutes);
  }
  return (::timegm(&tm) - offset) * 1'000'000 + std::llround(fraction * 1e6);
}

// What the tests look at, read from the JSON with no help of the generator.
struct Seen {
  std::string text;
  std::string id, identifier, version, status, patient, shape_unit, code, effective, updated;
  double systolic = 0, diastolic = 0;
  std::string systolic_text, components;
  std::string systolic_code, diastolic_code;
  bool diastolic_absent = false;
  bool diastolic_first = false;
  bool single = false;

  Micros effective_at() const { return Moment(effective); }
  Micros updated_at() const { return Moment(updated); }
};

inline void SeeComponent(JsonValue component, bool first, Seen& seen) {
  const std::string_view code =
      (*component.Find("code").Find("coding").children().begin()).String("code");
  const JsonValue quantity = component.Find("valueQuantity");
  ASSERT_NE(static_cast<bool>(quantity), static_cast<bool>(component.Find("dataAbsentReason")));
  if (quantity) {
    EXPECT_EQ(quantity.String("system"), "http://unitsofmeasure.org");
    EXPECT_EQ(quantity.String("code"), "mm[Hg]");
    seen.shape_unit = quantity.String("unit");
  }
  const double value = quantity ? *quantity.Find("value").AsDouble() : 0;
  std::string level;
  if (quantity) {
    const JsonValue interpretation = *component.Find("interpretation").children().begin();
    level = (*interpretation.Find("coding").children().begin()).String("code");
  }
  if (code == "8480-6") {
    seen.systolic = value;
    seen.systolic_text = quantity.Find("value").text();
    seen.systolic_code = level;
  } else {
    ASSERT_EQ(code, "8462-4");
    seen.diastolic = value;
    seen.diastolic_code = level;
    seen.diastolic_absent = !quantity;
    seen.diastolic_first = first;
  }
}

inline Seen See(const std::string& line) {
  static JsonParser parser;
  Seen seen;
  seen.text = line;
  const auto parsed = parser.Parse(line);
  if (!parsed) {
    ADD_FAILURE() << parsed.error().message << ": " << line;
    return seen;
  }
  EXPECT_FALSE(parser.has_duplicate_key());
  const JsonValue o = *parsed;
  EXPECT_EQ(o.String("resourceType"), "Observation");
  seen.id = o.String("id");
  seen.version = o.Find("meta").String("versionId");
  seen.updated = o.Find("meta").String("lastUpdated");
  const JsonValue identifier = *o.Find("identifier").children().begin();
  EXPECT_EQ(identifier.String("system"), "urn:ietf:rfc:3986");
  seen.identifier = identifier.String("value");
  seen.status = o.String("status");
  const JsonValue category = *o.Find("category").children().begin();
  EXPECT_EQ((*category.Find("coding").children().begin()).String("code"), "vital-signs");
  seen.code = (*o.Find("code").Find("coding").children().begin()).String("code");
  seen.patient = o.Find("subject").String("reference");
  EXPECT_TRUE(seen.patient.starts_with("Patient/"));
  seen.patient.erase(0, 8);
  seen.effective = o.String("effectiveDateTime");
  seen.single = static_cast<bool>(o.Find("valueQuantity"));
  if (seen.single) {
    EXPECT_FALSE(o.Find("component"));
    return seen;
  }
  EXPECT_EQ(seen.code, "85354-9");
  EXPECT_EQ(o.Find("component").size(), 2u);
  bool first = true;
  for (const JsonValue component : o.Find("component").children()) {
    SeeComponent(component, first, seen);
    first = false;
  }
  seen.components = line.substr(line.find("\"component\""));
  return seen;
}

inline std::vector<Seen> SeeAll(const std::string& text) {
  std::vector<Seen> all;
  for (const std::string& line : Lines(text)) all.push_back(See(line));
  return all;
}

// Five standard deviations of a binomial count.
inline double Slack(int64_t n, double p) {
  return 5 * std::sqrt(static_cast<double>(n) * p * (1 - p));
}

}  // namespace vitalake::ingest
