#include "ingest/generate.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/hash.h"
#include "base/json_tree.h"

namespace vitalake::ingest {
namespace {

namespace fs = std::filesystem;

GenerateSink Into(std::string& text) {
  return [&text](std::string_view block) -> Status {
    text += block;
    return {};
  };
}

std::vector<std::string> Lines(const std::string& text) {
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

Output Observations(const ObservationOptions& options) {
  Output out;
  out.summary = GenerateObservations(options, Into(out.text), Into(out.labels)).value();
  return out;
}

std::string Patients(const PatientOptions& options) {
  std::string text;
  EXPECT_TRUE(GeneratePatients(options, Into(text)).has_value());
  return text;
}

// "2026-01-31T10:00:00.5+05:45" -> microseconds since 1970; by the C library, not by our own code.
Micros Moment(std::string_view view) {
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

void SeeComponent(JsonValue component, bool first, Seen& seen) {
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

Seen See(const std::string& line) {
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

std::vector<Seen> SeeAll(const std::string& text) {
  std::vector<Seen> all;
  for (const std::string& line : Lines(text)) all.push_back(See(line));
  return all;
}

// Five standard deviations of a binomial count.
double Slack(int64_t n, double p) { return 5 * std::sqrt(static_cast<double>(n) * p * (1 - p)); }

TEST(GenerateObservationsTest, SameSeedSameBytes) {
  // Fixed for good: what one machine makes, every other makes, and next year too.
  const Output out = Observations({.count = 3000, .anomaly_share = 0.05, .other_share = 0.1});
  EXPECT_EQ(HashBytes(out.text).ToHex(), "741adce468051e5047cfbe3ac22ef72c");
  EXPECT_EQ(HashBytes(out.labels).ToHex(), "f48178773c2b256c91d16e2a9e173f61");
  EXPECT_EQ(HashBytes(Patients({.count = 1000, .replaced_share = 0.1})).ToHex(),
            "90c36389fdb96daad2f94647427183eb");
}

TEST(GenerateObservationsTest, AnotherSeedOtherBytes) {
  const std::string one = Observations({.count = 100, .seed = 1}).text;
  const std::string two = Observations({.count = 100, .seed = 2}).text;
  EXPECT_NE(one, two);
  EXPECT_NE(See(Lines(one)[0]).id, See(Lines(two)[0]).id);
  EXPECT_NE(Patients({.count = 10, .seed = 1}), Patients({.count = 10, .seed = 2}));
}

TEST(GenerateObservationsTest, OneByOneGivesTheSame) {
  const ObservationOptions options{.count = 2000, .anomaly_share = 0.1};
  const Output out = Observations(options);
  ObservationStream stream = ObservationStream::Make(options).value();
  std::string text;
  std::string labels;
  Micros before = 0;
  while (!stream.done()) {
    EXPECT_GE(stream.next_arrival(), before);
    before = stream.next_arrival();
    stream.Next(text, labels);
  }
  EXPECT_EQ(text, out.text);
  EXPECT_EQ(labels, out.labels);
  EXPECT_LT(before, options.end);
}

TEST(GenerateObservationsTest, CountsAndBlocks) {
  int blocks = 0;
  std::string text;
  const auto summary = GenerateObservations({.count = 5000},
                                            [&](std::string_view block) -> Status {
                                              EXPECT_EQ(block.back(), '\n');
                                              text += block;
                                              ++blocks;
                                              return {};
                                            },
                                            {})
                           .value();
  EXPECT_EQ(summary.records, 5000);
  EXPECT_EQ(summary.labels, 0);
  EXPECT_EQ(summary.bytes, static_cast<int64_t>(text.size()));
  EXPECT_EQ(Lines(text).size(), 5000u);
  // 1.7 KB each, so about 8 MB in blocks of 1 MB.
  EXPECT_NEAR(static_cast<double>(text.size()) / 5000, 1700, 100);
  EXPECT_EQ(blocks, 8);
  EXPECT_EQ(Observations({.count = 0}).text, "");
}

TEST(GenerateObservationsTest, CleanReadings) {
  constexpr int kCount = 20'000;
  const std::vector<Seen> all = SeeAll(Observations({.count = kCount}).text);
  ASSERT_EQ(all.size(), static_cast<size_t>(kCount));
  std::set<std::string> ids, patients, offsets;
  int first = 0, absent = 0, decimals = 0, millis = 0, home = 0;
  double sum = 0, squares = 0;
  Micros before = 0;
  for (const Seen& seen : all) {
    EXPECT_TRUE(ids.insert(seen.id).second) << seen.id;
    EXPECT_EQ(seen.identifier, "urn:uuid:" + seen.id);
    EXPECT_EQ(seen.version, "1");
    EXPECT_EQ(seen.status, "final");
    patients.insert(seen.patient);
    const size_t zone = seen.effective.find_first_of("Z+-", 19);
    offsets.insert(seen.effective.substr(zone));
    millis += seen.effective[19] == '.';
    home += seen.shape_unit == "mmHg";
    first += seen.diastolic_first;
    absent += seen.diastolic_absent;
    decimals += seen.systolic_text.find('.') != std::string::npos;
    sum += seen.systolic;
    squares += seen.systolic * seen.systolic;

    EXPECT_GE(seen.systolic, 70);
    EXPECT_LE(seen.systolic, 260.5);
    const double s = seen.systolic;
    EXPECT_EQ(seen.systolic_code, s < 90 ? "L" : s < 140 ? "N" : s < 180 ? "H" : "HH");
    if (!seen.diastolic_absent) {
      const double d = seen.diastolic;
      EXPECT_LT(d, s - 9);
      EXPECT_EQ(seen.diastolic_code, d < 50 ? "L" : d < 90 ? "N" : d < 120 ? "H" : "HH");
    }
    EXPECT_GE(seen.updated_at(), before);
    before = seen.updated_at();
    const Micros delay = seen.updated_at() - seen.effective_at();
    EXPECT_GE(delay, 5'000'000);
    EXPECT_LE(delay, 1'206'000'000);
  }
  EXPECT_EQ(all.front().updated, "2026-01-01T00:00:00.000Z");
  // One step of 90 days / 20,000 = 388.8 s before the end.
  EXPECT_EQ(all.back().updated, "2026-03-31T23:53:31.200Z");
  EXPECT_EQ(offsets, (std::set<std::string>{"Z", "+02:00", "-05:00", "+05:45"}));
  EXPECT_NEAR(first, kCount * 0.1, Slack(kCount, 0.1));
  EXPECT_NEAR(absent, kCount * 0.005, Slack(kCount, 0.005));
  EXPECT_NEAR(decimals, kCount * 0.05, Slack(kCount, 0.05));
  EXPECT_NEAR(millis, kCount * 0.3, Slack(kCount, 0.3));
  EXPECT_NEAR(home, kCount * 0.5, Slack(kCount, 0.5));
  const double mean = sum / kCount;
  EXPECT_NEAR(mean, 128, 6);
  EXPECT_NEAR(std::sqrt(squares / kCount - mean * mean), 18, 4);
  // 800 patients, about 16 of them deceased.
  EXPECT_LE(patients.size(), 800u);
  EXPECT_GE(patients.size(), 760u);
}

TEST(GenerateObservationsTest, SubjectsAreTheGeneratedPatientsWhoLive) {
  static JsonParser parser;
  const std::string text = Patients({.count = 200});
  std::set<std::string> living;
  for (const std::string& line : Lines(text)) {
    const JsonValue patient = parser.Parse(line).value();
    if (patient.Find("deceasedBoolean") || patient.Find("deceasedDateTime")) continue;
    living.insert(std::string(patient.String("id")));
  }
  ASSERT_LT(living.size(), 200u);
  std::set<std::string> subjects;
  const std::vector<Seen> all = SeeAll(Observations({.count = 5000}).text);
  for (const Seen& seen : all) subjects.insert(seen.patient);
  EXPECT_EQ(subjects, living);
}

TEST(GenerateObservationsTest, APatientHasABaseline) {
  std::map<std::string, std::vector<double>> by_patient;
  const std::vector<Seen> all = SeeAll(Observations({.count = 20'000, .patients = 100}).text);
  double sum = 0, squares = 0, within = 0;
  for (const Seen& seen : all) {
    by_patient[seen.patient].push_back(seen.systolic);
    sum += seen.systolic;
    squares += seen.systolic * seen.systolic;
  }
  for (const auto& [patient, values] : by_patient) {
    double own = 0;
    for (const double value : values) own += value;
    own /= static_cast<double>(values.size());
    for (const double value : values) within += (value - own) * (value - own);
  }
  const auto n = static_cast<double>(all.size());
  const double total_variance = squares / n - sum / n * (sum / n);
  EXPECT_LT(within / n, total_variance / 2);
  EXPECT_GT(std::sqrt(within / n), 5);
}

TEST(GenerateObservationsTest, NightIsLowerThanAfternoon) {
  double night = 0, afternoon = 0;
  int nights = 0, afternoons = 0;
  const std::vector<Seen> all = SeeAll(Observations({.count = 20'000, .patients = 50}).text);
  for (const Seen& seen : all) {
    // Written in UTC the local hour is unknown.
    if (seen.effective.ends_with('Z')) continue;
    const int hour = std::stoi(seen.effective.substr(11, 2));
    if (hour >= 2 && hour < 6) night += seen.systolic, ++nights;
    if (hour >= 14 && hour < 18) afternoon += seen.systolic, ++afternoons;
  }
  // A swing of 4 to 10 mmHg to each side.
  EXPECT_NEAR(afternoon / afternoons - night / nights, 13.5, 3);
}

TEST(GenerateObservationsTest, OtherVitalSignsOnlyWhenAsked) {
  constexpr int kCount = 6000;
  std::map<std::string, int> codes;
  const std::vector<Seen> all = SeeAll(Observations({.count = kCount, .other_share = 0.3}).text);
  for (const Seen& seen : all) ++codes[seen.code];
  EXPECT_NEAR(codes["85354-9"], kCount * 0.7, Slack(kCount, 0.7));
  for (const char* code : {"8867-4", "2708-6", "8310-5"}) {
    EXPECT_NEAR(codes[code], kCount * 0.1, Slack(kCount, 0.1)) << code;
  }
  EXPECT_EQ(codes.size(), 4u);
}

TEST(GenerateObservationsTest, HomePressuresSayWhatTheyWereTakenWithWhenAsked) {
  const std::vector<std::string> plain = Lines(Observations({.count = 400}).text);
  const std::vector<std::string> typed =
      Lines(Observations({.count = 400, .device_types = true}).text);
  ASSERT_EQ(plain.size(), typed.size());
  for (size_t i = 0; i < plain.size(); ++i) {
    std::string without = typed[i];
    const size_t from = without.find(R"("extension":)");
    const bool home = plain[i].find(R"("device":)") != std::string::npos;
    ASSERT_EQ(from != std::string::npos, home) << typed[i];
    if (home) {
      EXPECT_NE(without.find(R"("code":"466086009")"), std::string::npos);
      EXPECT_NE(without.find(R"("code":"264362003")"), std::string::npos);
      without.erase(from, without.find(R"("identifier":)") - from);
    }
    EXPECT_EQ(without, plain[i]);  // nothing else differs
    See(typed[i]);
  }
}

class AnomalyTest : public ::testing::Test {
 protected:
  struct Label {
    std::string kind, id, version, patient, of;
    int64_t event = 0, line = 0, delay_seconds = 0;
    double clean_systolic = 0;
    Micros from = 0, until = 0;
  };

  static constexpr int kCount = 30'000;
  static constexpr double kShare = 0.05;

  static void SetUpTestSuite() {
    const Output out = Observations({.count = kCount, .patients = 300, .anomaly_share = kShare});
    lines_ = new std::vector<Seen>(SeeAll(out.text));
    labels_ = new std::vector<Label>();
    JsonParser parser;
    for (const std::string& line : Lines(out.labels)) {
      const JsonValue v = parser.Parse(line).value();
      Label label{.kind = std::string(v.String("kind")),
                  .id = std::string(v.String("id")),
                  .version = std::string(v.String("version")),
                  .patient = std::string(v.String("patient")),
                  .of = std::string(v.String("of"))};
      label.event = *v.Find("event").AsInt();
      if (v.Find("line")) label.line = *v.Find("line").AsInt();
      if (v.Find("delay_seconds")) label.delay_seconds = *v.Find("delay_seconds").AsInt();
      if (v.Find("clean_systolic")) label.clean_systolic = *v.Find("clean_systolic").AsDouble();
      if (v.Find("from")) label.from = Moment(v.String("from"));
      if (v.Find("until")) label.until = Moment(v.String("until"));
      labels_->push_back(label);
    }
    EXPECT_EQ(out.summary.labels, static_cast<int64_t>(labels_->size()));
  }
  static void TearDownTestSuite() {
    delete lines_;
    delete labels_;
  }

  static const Seen& LineOf(const Label& label) {
    return lines_->at(static_cast<size_t>(label.line - 1));
  }
  static std::vector<Label> Of(std::string_view kind) {
    std::vector<Label> found;
    std::ranges::copy_if(*labels_, std::back_inserter(found),
                         [&](const Label& label) { return label.kind == kind; });
    EXPECT_GT(found.size(), 5u) << kind;
    return found;
  }
  // The last line before `label`'s with that id.
  static const Seen& EarlierOf(const Label& label, const std::string& id) {
    for (auto line = static_cast<size_t>(label.line - 1); line-- > 0;) {
      if (lines_->at(line).id == id) return lines_->at(line);
    }
    ADD_FAILURE() << "no earlier " << id;
    return LineOf(label);
  }

  static std::vector<Seen>* lines_;
  static std::vector<Label>* labels_;
};

std::vector<Seen>* AnomalyTest::lines_ = nullptr;
std::vector<AnomalyTest::Label>* AnomalyTest::labels_ = nullptr;

TEST_F(AnomalyTest, TheShareIsAsAsked) {
  EXPECT_EQ(lines_->size(), static_cast<size_t>(kCount));
  EXPECT_NEAR(static_cast<double>(labels_->size()), kCount * kShare, kCount * kShare * 0.1);
  EXPECT_EQ(Observations({.count = 1000}).labels, "");
}

TEST_F(AnomalyTest, LabelsNameTheirLines) {
  std::set<int64_t> labelled;
  for (const Label& label : *labels_) {
    if (label.kind == "dropout") continue;
    EXPECT_TRUE(labelled.insert(label.line).second) << "two labels for line " << label.line;
    EXPECT_EQ(LineOf(label).id, label.id);
    EXPECT_EQ(LineOf(label).version, label.version);
    EXPECT_EQ(LineOf(label).patient, label.patient);
  }
  std::set<std::string> ids;
  for (size_t i = 0; i < lines_->size(); ++i) {
    if (labelled.contains(static_cast<int64_t>(i + 1))) continue;
    const Seen& seen = lines_->at(i);
    EXPECT_TRUE(ids.insert(seen.id).second) << "a repeat without label in line " << i + 1;
    EXPECT_EQ(seen.identifier, "urn:uuid:" + seen.id);
    EXPECT_EQ(seen.version, "1");
    EXPECT_EQ(seen.status, "final");
    EXPECT_LE(seen.updated_at() - seen.effective_at(), 1'206'000'000);
  }
}

TEST_F(AnomalyTest, Spikes) {
  for (const Label& label : Of("spike")) {
    const double off = std::abs(LineOf(label).systolic - label.clean_systolic);
    EXPECT_GE(off, 35);
    EXPECT_LE(off, 60);
  }
}

TEST_F(AnomalyTest, ShiftsAndDriftsAreSuccessiveReadingsOfOnePatient) {
  for (const std::string_view kind : {"shift", "drift"}) {
    std::map<int64_t, std::vector<Label>> events;
    for (const Label& label : Of(kind)) events[label.event].push_back(label);
    size_t longest = 0;
    for (const auto& [event, labels] : events) {
      longest = std::max(longest, labels.size());
      double last = 0;
      for (const Label& label : labels) {
        EXPECT_EQ(label.patient, labels[0].patient);
        const double off = LineOf(label).systolic - label.clean_systolic;
        if (kind == "shift") {
          EXPECT_GE(off, 20);
          EXPECT_LE(off, 30);
          EXPECT_EQ(off, last > 0 ? last : off);
        } else {
          EXPECT_GT(off, last);
          EXPECT_LE(off, 40);
        }
        last = off;
      }
      // Between its first and last line the patient sends nothing unlabelled.
      std::set<int64_t> own;
      for (const Label& label : *labels_) own.insert(label.line);
      for (int64_t line = labels.front().line; line <= labels.back().line; ++line) {
        if (lines_->at(static_cast<size_t>(line - 1)).patient == labels[0].patient) {
          EXPECT_TRUE(own.contains(line)) << line;
        }
      }
    }
    EXPECT_GE(longest, kind == "shift" ? 8u : 12u);
    EXPECT_LE(longest, kind == "shift" ? 16u : 20u);
  }
}

TEST_F(AnomalyTest, DropoutsAreSilent) {
  std::set<int64_t> repeats;
  for (const Label& label : *labels_) {
    if (!label.of.empty()) repeats.insert(label.line);
  }
  for (const Label& label : Of("dropout")) {
    EXPECT_GE(label.until - label.from, int64_t{7} * 86'400'000'000);
    EXPECT_LE(label.until - label.from, int64_t{14} * 86'400'000'000);
    for (size_t i = 0; i < lines_->size(); ++i) {
      const Seen& seen = lines_->at(i);
      if (seen.patient != label.patient || repeats.contains(static_cast<int64_t>(i + 1))) continue;
      EXPECT_FALSE(seen.updated_at() > label.from && seen.updated_at() < label.until)
          << label.patient << " speaks in line " << i + 1;
    }
  }
}

TEST_F(AnomalyTest, Duplicates) {
  for (const Label& label : Of("duplicate")) {
    EXPECT_EQ(label.id, label.of);
    EXPECT_EQ(LineOf(label).text, EarlierOf(label, label.of).text);
  }
}

TEST_F(AnomalyTest, ResendsHaveANewIdOnly) {
  std::set<std::string> ids;
  for (const Label& label : Of("resend")) {
    const Seen& now = LineOf(label);
    const Seen& before = EarlierOf(label, label.of);
    EXPECT_NE(now.id, before.id);
    EXPECT_TRUE(ids.insert(now.id).second);
    EXPECT_EQ(now.identifier, before.identifier);
    EXPECT_EQ(now.effective, before.effective);
    EXPECT_EQ(now.components, before.components);
    EXPECT_EQ(now.patient, before.patient);
  }
}

TEST_F(AnomalyTest, OutOfOrderReadingsAreLate) {
  for (const Label& label : Of("out_of_order")) {
    const Seen& seen = LineOf(label);
    const Micros delay = seen.updated_at() - seen.effective_at();
    EXPECT_GE(delay, (label.delay_seconds + 5) * 1'000'000);
    EXPECT_LE(delay, (label.delay_seconds + 1206) * 1'000'000);
    EXPECT_GE(label.delay_seconds, 3600);
    EXPECT_LE(label.delay_seconds, 48 * 3600);
  }
}

TEST_F(AnomalyTest, CorrectionsAndRetractionsAreNextVersions) {
  for (const std::string_view kind : {"correction", "retraction"}) {
    for (const Label& label : Of(kind)) {
      const Seen& now = LineOf(label);
      const Seen& before = EarlierOf(label, label.of);
      EXPECT_EQ(now.id, label.of);
      EXPECT_EQ(std::stoi(now.version), std::stoi(before.version) + 1);
      EXPECT_GT(now.updated_at(), before.updated_at());
      EXPECT_EQ(now.effective, before.effective);
      EXPECT_NE(before.status, "entered-in-error");
      if (kind == "retraction") {
        EXPECT_EQ(now.status, "entered-in-error");
        EXPECT_EQ(now.components, before.components);
      } else {
        EXPECT_TRUE(now.status == "amended" || now.status == "corrected");
        EXPECT_NE(now.systolic, before.systolic);
        EXPECT_EQ(label.clean_systolic, before.systolic);
      }
    }
  }
}

TEST_F(AnomalyTest, TheRestIsAsWithoutThem) {
  const std::vector<Seen> clean = SeeAll(Observations({.count = kCount, .patients = 300}).text);
  std::map<int64_t, Label> by_line;
  for (const Label& label : *labels_) by_line[label.line] = label;
  int same = 0;
  for (size_t i = 0; i < clean.size(); ++i) {
    if (clean[i].patient != lines_->at(i).patient) continue;  // a silent one's turn
    const auto label = by_line.find(static_cast<int64_t>(i + 1));
    if (label == by_line.end()) {
      EXPECT_EQ(clean[i].text, lines_->at(i).text);
      ++same;
    } else if (label->second.of.empty() && label->second.delay_seconds == 0) {
      EXPECT_EQ(clean[i].systolic, label->second.clean_systolic);
    }
  }
  EXPECT_GT(same, kCount / 2);
}

TEST(GenerateTest, SmallRunsWork) {
  for (const int64_t count : {1, 2, 3, 10, 100}) {
    const Output out = Observations({.count = count, .anomaly_share = 0.5});
    EXPECT_EQ(Lines(out.text).size(), static_cast<size_t>(count));
    for (const std::string& line : Lines(out.text)) See(line);
  }
}

TEST(GenerateTest, OptionsOutOfRangeAreRefused) {
  const auto kind = [](const ObservationOptions& options) {
    return GenerateObservations(options, {}, {}).error().kind;
  };
  EXPECT_EQ(kind({.count = -1}), ErrorKind::kInvalidArgument);
  EXPECT_EQ(kind({.count = 1, .patients = -1}), ErrorKind::kInvalidArgument);
  EXPECT_EQ(kind({.count = 1, .days = 0}), ErrorKind::kInvalidArgument);
  EXPECT_EQ(kind({.count = 1, .end = 5}), ErrorKind::kInvalidArgument);
  EXPECT_EQ(kind({.count = 1, .anomaly_share = 0.6}), ErrorKind::kInvalidArgument);
  EXPECT_EQ(kind({.count = 1, .anomaly_share = std::nan("")}), ErrorKind::kInvalidArgument);
  EXPECT_EQ(kind({.count = 1, .other_share = -0.1}), ErrorKind::kInvalidArgument);
  EXPECT_EQ(GeneratePatients({.count = -1}, {}).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(GeneratePatients({.count = 1, .replaced_share = 0.6}, {}).error().kind,
            ErrorKind::kInvalidArgument);
}

TEST(GenerateTest, TheSinksErrorEndsIt) {
  int calls = 0;
  const GenerateSink full = [&](std::string_view) -> Status {
    ++calls;
    return Fail(ErrorKind::kNoSpace, "full");
  };
  EXPECT_EQ(GenerateObservations({.count = 5000}, full, {}).error().kind, ErrorKind::kNoSpace);
  EXPECT_EQ(GeneratePatients({.count = 5000}, full).error().kind, ErrorKind::kNoSpace);
  EXPECT_EQ(calls, 2);
}

TEST(GeneratePatientsTest, EachIsAPatient) {
  JsonParser parser;
  const std::vector<std::string> lines = Lines(Patients({.count = 3000}));
  ASSERT_EQ(lines.size(), 3000u);
  std::set<std::string> ids, numbers, uuids;
  int deceased = 0, old_names = 0, old_first = 0;
  for (const std::string& line : lines) {
    const auto parsed = parser.Parse(line);
    ASSERT_TRUE(parsed.has_value()) << line;
    EXPECT_FALSE(parser.has_duplicate_key());
    const JsonValue p = *parsed;
    EXPECT_EQ(p.String("resourceType"), "Patient");
    EXPECT_TRUE(ids.insert(std::string(p.String("id"))).second);
    Moment(p.Find("meta").String("lastUpdated"));
    EXPECT_TRUE(p.Find("active").is_bool());
    const std::string gender(p.String("gender"));
    EXPECT_TRUE(gender == "female" || gender == "male");
    const std::string born(p.String("birthDate"));
    EXPECT_EQ(born.size(), 10u);
    Moment(born + "T00:00:00Z");
    EXPECT_LT(born, "2021-05-01");
    EXPECT_GT(born, "1930-01-01");
    EXPECT_FALSE(p.Find("link"));
    if (p.Find("deceasedDateTime")) {
      EXPECT_LT(Moment(p.String("deceasedDateTime")), Moment("2026-01-01T00:00:00Z"));
    }
    deceased += p.Find("deceasedDateTime") || p.Find("deceasedBoolean");
    bool mrn = false;
    for (const JsonValue identifier : p.Find("identifier").children()) {
      const std::string value(identifier.String("value"));
      if (identifier.String("system") == "urn:ietf:rfc:3986") {
        EXPECT_TRUE(uuids.insert(value).second);
      }
      const JsonValue type = identifier.Find("type");
      if (!type || (*type.Find("coding").children().begin()).String("code") != "MR") continue;
      mrn = numbers.insert(value).second;
    }
    EXPECT_TRUE(mrn);
    int official = 0;
    bool first = true;
    for (const JsonValue name : p.Find("name").children()) {
      EXPECT_FALSE(name.String("family").empty());
      EXPECT_GE(name.Find("given").size(), 1u);
      official += name.String("use") == "official";
      const bool old = name.String("use") == "old" || name.String("use") == "maiden";
      old_names += old;
      old_first += old && first;
      first = false;
    }
    EXPECT_EQ(official, 1);
    EXPECT_GE(p.Find("telecom").size(), 1u);
    EXPECT_GE(p.Find("address").size(), 1u);
  }
  EXPECT_NEAR(deceased, 60, Slack(3000, 0.02));
  // 15.2 % have an old name; half of them before the official one.
  EXPECT_NEAR(old_names, 3000 * 0.152, Slack(3000, 0.152));
  EXPECT_NEAR(old_first, 3000 * 0.076, Slack(3000, 0.076));
}

TEST(GeneratePatientsTest, ReplacedOnesPointAtTheirSurvivors) {
  JsonParser parser;
  std::map<std::string, std::pair<std::string, std::string>> links;
  const std::vector<std::string> lines = Lines(Patients({.count = 4001, .replaced_share = 0.1}));
  for (const std::string& line : lines) {
    const JsonValue p = parser.Parse(line).value();
    if (!p.Find("link")) continue;
    const JsonValue link = *p.Find("link").children().begin();
    links["Patient/" + std::string(p.String("id"))] = {
        std::string(link.String("type")), std::string(link.Find("other").String("reference"))};
    EXPECT_EQ(p.Find("active").text(), link.String("type") == "replaces" ? "true" : "false");
  }
  int replaced = 0;
  for (const auto& [id, link] : links) {
    const auto other = links.find(link.second);
    ASSERT_NE(other, links.end()) << link.second;
    EXPECT_EQ(other->second.second, id);
    EXPECT_NE(other->second.first, link.first);
    replaced += link.first == "replaced-by";
  }
  // 10 % of the patients are 20 % of the 2,000 pairs.
  EXPECT_NEAR(replaced, 400, Slack(2000, 0.2));
}

class ReadPatientIdsTest : public ::testing::Test {
 protected:
  fs::path Write(const std::string& text) {
    std::ofstream(path_, std::ios::binary) << text;
    return path_;
  }
  void TearDown() override { fs::remove(path_); }

  fs::path path_ =
      fs::temp_directory_path() / ("read-patient-ids-" + std::to_string(::getpid()) + ".ndjson");
};

TEST_F(ReadPatientIdsTest, GivesTheSameObservationsAsTheDefault) {
  const std::vector<std::string> ids = ReadPatientIds(Write(Patients({.count = 80}))).value();
  EXPECT_EQ(ids.size(), 80u);
  EXPECT_EQ(Observations({.count = 2000, .patient_ids = ids}).text,
            Observations({.count = 2000}).text);
}

TEST_F(ReadPatientIdsTest, PassesOverWhatIsNoPatient) {
  const auto ids = ReadPatientIds(Write("\r\n{\"resourceType\":\"Patient\",\"id\":\"a\"}\r\n"
                                        "{\"resourceType\":\"Group\",\"id\":\"g\"}\n"
                                        "{\"resourceType\":\"Patient\",\"id\":\"b\\\"c\"}"))
                       .value();
  EXPECT_EQ(ids, (std::vector<std::string>{"a", "b\"c"}));
  // Ids come from outside: whatever is in them, the output stays JSON.
  const std::vector<Seen> all =
      SeeAll(Observations({.count = 20, .patient_ids = ids, .anomaly_share = 0.5}).text);
  EXPECT_EQ(all.size(), 20u);
}

TEST_F(ReadPatientIdsTest, NamesFileAndLine) {
  EXPECT_EQ(ReadPatientIds("/nowhere/patients.ndjson").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(ReadPatientIds(Write("")).error().kind, ErrorKind::kInvalidArgument);
  const auto broken = ReadPatientIds(Write("{\"resourceType\":\"Patient\",\"id\":\"a\"}\n{]\n"));
  EXPECT_EQ(broken.error().kind, ErrorKind::kCorrupt);
  EXPECT_NE(broken.error().message.find(".ndjson:2: "), std::string::npos);
  EXPECT_EQ(ReadPatientIds(Write("{\"resourceType\":\"Patient\"}")).error().kind,
            ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace vitalake::ingest
