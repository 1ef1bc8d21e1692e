#include "ingest/generate/generate.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/hash.h"
#include "ingest/generate/generate_fixture.h"

namespace vitalake::ingest {
namespace {

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

}  // namespace
}  // namespace vitalake::ingest
