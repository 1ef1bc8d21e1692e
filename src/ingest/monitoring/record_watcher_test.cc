#include "ingest/monitoring/record_watcher.h"

#include <numeric>

#include "ingest/group_stage.h"
#include "ingest/monitoring/watch_fixture.h"

namespace vitalake::ingest {
namespace {

using clinical::Comparator;
using clinical::Device;
using clinical::Quality;
using monitor::ReadingStatus;
using monitor::Vital;

std::string Vitals(const std::string& code, const std::string& value,
                   const std::string& more = "") {
  return fmt::format(
      R"({{"resourceType":"Observation","id":"v1","status":"final",{}"category":[{{"coding":[{{)"
      R"("system":"http://terminology.hl7.org/CodeSystem/observation-category",)"
      R"("code":"vital-signs"}}]}}],"code":{{"coding":[{{"system":"http://loinc.org","code":"{}"}}]}},)"
      R"("subject":{{"reference":"Patient/p1"}},"effectiveDateTime":"2026-03-02T09:00:00+01:00"{}}})",
      more, code, value);
}

std::string Quantity(const std::string& value, const std::string& unit) {
  return fmt::format(
      R"(,"valueQuantity":{{"value":{},"unit":"{}","system":"http://unitsofmeasure.org",)"
      R"("code":"{}"}})",
      value, unit, unit);
}

class RecordWatcherTest : public testing::Test {
 protected:
  RecordWatcherTest() { views_ = lake::LoadSilverViews({}).value(); }

  std::vector<WatchedRecord> Watch(const std::vector<std::string>& payloads, bool watched = true) {
    lake::LedgerRun run{{"stream/vitals"}, 0, {}};
    lake::LedgerFile& file = run.files.emplace_back();
    file.path = "topic/0";
    file.source = "vitals";
    const MessageSources sources = {{0, {&run, &file, "vitals/topic/0/0"}}};
    std::vector<StreamMessage> messages;
    for (const std::string& payload : payloads) {
      messages.push_back({0, 40 + static_cast<int64_t>(messages.size()), kMorning, "", payload});
    }
    StagerContext context{views_, {}, {}};
    context.watched = watched;
    GroupStage stage(lake_.lake(), context, run, {}, true);
    const Status done = stage.AddMessages(messages, sources, {});
    EXPECT_TRUE(done.has_value());
    return stage.watched();
  }
  WatchedReading One(const std::string& payload) {
    const auto records = Watch({payload});
    EXPECT_EQ(records.size(), 1);
    if (records.size() != 1) return {};
    EXPECT_EQ(records[0].offset, 40);
    EXPECT_EQ(records[0].received, kMorning);
    return std::get<WatchedReading>(records[0].what);
  }

  TestLake lake_;
  std::vector<lake::SilverView> views_;
};

TEST_F(RecordWatcherTest, ABloodPressureIsOneReadingOfTwoValues) {
  const auto told = One(Pressure(
      {"bp", -kHour, 185, 100, "p1", "amended", "7",
       R"("identifier":[{"system":"urn:device","value":"run-9"}],"device":{"reference":"Device/d1",)"
       R"("display":"Model X"},)"}));
  EXPECT_EQ(told.id, "bp");
  EXPECT_EQ(told.patient, "p1");
  EXPECT_EQ(told.device, "d1");
  EXPECT_EQ(told.device_model, "Model X");
  EXPECT_EQ(told.identifier, "urn:device|run-9");
  const monitor::Reading& reading = told.reading;
  EXPECT_EQ(reading.vital, Vital::kBloodPressure);
  EXPECT_EQ(reading.value, 185);
  EXPECT_EQ(reading.diastolic, 100);
  EXPECT_EQ(reading.status, ReadingStatus::kAlerts);
  EXPECT_EQ(reading.rank.version, 7);
  EXPECT_EQ(reading.effective, kMorning - kHour);
  EXPECT_EQ(reading.received, kMorning);
  EXPECT_EQ(reading.position, 40);
  EXPECT_EQ(reading.device_type, Device::kUnknownType);
  EXPECT_TRUE(reading.critical);  // above 180
  EXPECT_FALSE(reading.inpatient);
}

TEST_F(RecordWatcherTest, ValuesAreInCanonicalUnits) {
  // 24 kPa x 7.50062 = 180.01 mm[Hg]
  std::string text = Pressure({"bp", 0, 24, 80});
  text.replace(text.find("mm[Hg]"), 6, "kPa");
  text.replace(text.find("mmHg"), 4, "kPa");
  const auto told = One(text);
  EXPECT_NEAR(*told.reading.value, 180.01488, 1e-9);
  EXPECT_TRUE(told.reading.quality.Has(Quality::kConverted));
  // (102.2 - 32) / 1.8 = 39
  EXPECT_NEAR(*One(Vitals("8310-5", Quantity("102.2", "[degF]"))).reading.value, 39, 1e-9);
}

TEST_F(RecordWatcherTest, EachVitalSignByItsCodeAndUnit) {
  const auto heart = One(Vitals("8867-4", Quantity("72", "/min")));
  EXPECT_EQ(heart.reading.vital, Vital::kHeartRate);
  EXPECT_EQ(heart.reading.value, 72);
  EXPECT_EQ(heart.reading.diastolic, std::nullopt);
  EXPECT_EQ(heart.reading.offset_minutes, 60);
  EXPECT_EQ(heart.reading.effective, kMorning);
  EXPECT_EQ(One(Vitals("59408-5", Quantity("97", "%"))).reading.vital, Vital::kOxygenSaturation);
  EXPECT_EQ(One(Vitals("2339-0", Quantity("99", "mg/dL"))).reading.vital, Vital::kGlucoseMass);
  EXPECT_EQ(One(Vitals("15074-8", Quantity("5.5", "mmol/L"))).reading.vital, Vital::kGlucoseMolar);
  // Of body fluid: it may be anybody's anything.
  EXPECT_TRUE(Watch({Vitals("2344-0", Quantity("40", "mg/dL"))}).empty());
  EXPECT_TRUE(Watch({Vitals("14745-4", Quantity("2.0", "mmol/L"))}).empty());
  const auto awake = One(Vitals("67775-7", R"(,"valueCodeableConcept":{"coding":[{"system":)"
                                           R"("http://loinc.org","code":"LA9340-6"}]})"));
  EXPECT_EQ(awake.reading.vital, Vital::kConsciousness);
  EXPECT_EQ(awake.reading.value, 0);
  EXPECT_TRUE(Watch({Vitals("8302-2", Quantity("180", "cm"))}).empty());  // height: not watched
}

TEST_F(RecordWatcherTest, SinglePressuresAreHalvesOfOne) {
  const auto systolic = One(Vitals("8480-6", Quantity("150", "mm[Hg]")));
  EXPECT_EQ(systolic.reading.vital, Vital::kBloodPressure);
  EXPECT_EQ(systolic.reading.value, 150);
  EXPECT_EQ(systolic.reading.diastolic, std::nullopt);
  const auto diastolic = One(Vitals("8462-4", Quantity("90", "mm[Hg]")));
  EXPECT_EQ(diastolic.reading.value, std::nullopt);
  EXPECT_EQ(diastolic.reading.diastolic, 90);
}

TEST_F(RecordWatcherTest, AComparatorIsKept) {
  const auto told = One(Vitals("2339-0", R"(,"valueQuantity":{"value":600,"comparator":">",)"
                                         R"("unit":"mg/dL","code":"mg/dL",)"
                                         R"("system":"http://unitsofmeasure.org"})"));
  EXPECT_EQ(told.reading.comparator, Comparator::kGreater);
  EXPECT_TRUE(told.reading.quality.Has(Quality::kOffScale));
}

TEST_F(RecordWatcherTest, ADateIsNoMoment) {
  std::string text = Pressure({"bp", 0});
  text.replace(text.find("2026-03-02T08:00:00Z"), 20, "2026-03-02");
  const auto told = One(text);
  EXPECT_EQ(told.reading.effective, std::nullopt);
  EXPECT_TRUE(told.reading.quality.Has(Quality::kTimeImprecise));
}

TEST_F(RecordWatcherTest, RetractionsKeepWhatTheyCarry) {
  const auto told = One(Pressure({"bp", 0, 150, 90, "p1", "entered-in-error", "2"}));
  EXPECT_EQ(told.reading.status, ReadingStatus::kRetracted);
  EXPECT_EQ(told.reading.value, 150);
  // Without a value nobody knows which glucose it was.
  std::string text = Vitals("2339-0", "");
  text.replace(text.find("final"), 5, "cancelled");
  const auto both = Watch({text});
  ASSERT_EQ(both.size(), 2);
  EXPECT_EQ(std::get<WatchedReading>(both[0].what).reading.vital, Vital::kGlucoseMass);
  EXPECT_EQ(std::get<WatchedReading>(both[1].what).reading.vital, Vital::kGlucoseMolar);
}

TEST_F(RecordWatcherTest, AVersionWithoutValueIsTold) {
  const auto told = One(Vitals("2708-6", R"(,"dataAbsentReason":{"coding":[{"code":"error"}]})",
                               R"("meta":{"versionId":"2"},)"));
  EXPECT_EQ(told.id, "v1");
  EXPECT_EQ(told.reading.status, ReadingStatus::kQuiet);
  EXPECT_EQ(told.reading.vital, Vital::kOxygenSaturation);
  EXPECT_EQ(told.reading.rank.version, 2);
}

TEST_F(RecordWatcherTest, ADeleteNamesNoPatient) {
  const auto told = One(R"({"resourceType":"Bundle","type":"transaction","entry":[)"
                        R"({"request":{"method":"DELETE","url":"Observation/bp"}}]})");
  EXPECT_EQ(told.id, "bp");
  EXPECT_EQ(told.patient, "");
  EXPECT_EQ(told.reading.status, ReadingStatus::kRetracted);
}

// Of a code that is out of scope, or of none: whatever reading has its key.
TEST_F(RecordWatcherTest, ARetractionThatNamesNoVitalSignIsTold) {
  for (const char* code : {R"("code":{"coding":[{"system":"http://loinc.org","code":"718-7"}]})",
                           R"("code":{"text":"?"})"}) {
    const auto told = One(std::string(R"({"resourceType":"Observation","id":"bp",)"
                                      R"("meta":{"versionId":"2"},"status":"cancelled",)") +
                          code + R"(,"subject":{"reference":"Patient/p1"}})");
    EXPECT_EQ(told.id, "bp");
    EXPECT_EQ(told.patient, "");
    EXPECT_EQ(told.reading.status, ReadingStatus::kRetracted);
    EXPECT_EQ(told.reading.rank.version, 2);
  }
}

TEST_F(RecordWatcherTest, InHospitalByTheContainedEncounter) {
  const auto told =
      One(Vitals("8867-4", Quantity("72", "/min"),
                 R"("contained":[{"resourceType":"Encounter","id":"e","status":"in-progress",)"
                 R"("class":{"code":"IMP"}}],"encounter":{"reference":"#e"},)"));
  EXPECT_TRUE(told.reading.inpatient);
}

TEST_F(RecordWatcherTest, PatientsBringTheirFacts) {
  const auto records = Watch({PatientText(
      "p7", "1970-01-11",
      R"("meta":{"versionId":"3","tag":[{"code":"HTEST"}]},"deceasedDateTime":"2026-03-02T08:00:00Z",)"
      R"("link":[{"other":{"reference":"Patient/p8"},"type":"replaced-by"},)"
      R"({"other":{"reference":"Patient/p5"},"type":"replaces"}],)")});
  ASSERT_EQ(records.size(), 1);
  const auto& patient = std::get<WatchedPatient>(records[0].what);
  EXPECT_EQ(patient.id, "p7");
  EXPECT_EQ(patient.rank.version, 3);
  EXPECT_EQ(patient.facts.birth_day, 10);
  EXPECT_TRUE(patient.facts.deceased);
  EXPECT_EQ(patient.facts.deceased_at, kMorning);
  EXPECT_TRUE(patient.facts.is_test);
  EXPECT_EQ(patient.facts.replaced_by, "p8");
  EXPECT_EQ(patient.facts.replaces, std::vector<std::string>{"p5"});
  EXPECT_EQ(PatientFromJson("p7", ToJson(patient))->facts.replaces, patient.facts.replaces);
}

TEST_F(RecordWatcherTest, InTheOrderOfOffsetAndEntry) {
  std::vector<std::string> payloads;
  for (int i = 0; i < 300; ++i) {
    payloads.push_back("[" + Pressure({fmt::format("a{}", i), 0}) + "," +
                       Pressure({fmt::format("b{}", i), 0}) + "]");
  }
  const auto records = Watch(payloads);
  ASSERT_EQ(records.size(), 600);
  for (size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(std::get<WatchedReading>(records[i].what).id,
              fmt::format("{}{}", i % 2 == 0 ? 'a' : 'b', i / 2));
  }
}

TEST_F(RecordWatcherTest, NothingIsGatheredWhereNobodyWatches) {
  EXPECT_TRUE(Watch({Pressure({"bp", 0})}, false).empty());
}

// The codes of cuffs stand in the view's SQL and here.
TEST_F(RecordWatcherTest, CuffsAreThoseOfTheView) {
  const std::string& sql = views_[static_cast<size_t>(Silver::kObservation)].finishing_sql;
  const size_t begin = sql.find("device_type_code IN (");
  const std::string list = sql.substr(begin, sql.find(')', begin) - begin);
  int codes = 0;
  for (size_t at = list.find('\''); at != std::string::npos; at = list.find('\'', at)) {
    const size_t end = list.find('\'', at + 1);
    EXPECT_EQ(DeviceOf(list.substr(at + 1, end - at - 1), true), Device::kCuff);
    ++codes;
    at = end + 1;
  }
  EXPECT_EQ(codes, 4);
  EXPECT_EQ(DeviceOf("", false), Device::kNotNamed);
}

}  // namespace
}  // namespace vitalake::ingest
