#include "engine/fhir_scan.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>

namespace vitalake::engine {
namespace fs = std::filesystem;
namespace {

using ::testing::HasSubstr;

// A reading with its number in the id, systolic 100 + number % 50, and a long note.
std::string Reading(int number) {
  return fmt::format(
      R"({{"resourceType":"Observation","id":"o{}","status":"final","subject":{{"reference":)"
      R"("Patient/p{}"}},"effectiveDateTime":"2026-11-22T17:00:00+01:00","note":[{{"text":)"
      R"("a note of more than twelve bytes {}"}}],"component":[{{"valueQuantity":{{"value":{}}}}},)"
      R"({{"valueQuantity":{{"value":70}}}}]}})",
      number, number % 7, number, 100 + number % 50);
}

constexpr const char* kView = R"json({
  "resourceType": "ViewDefinition", "status": "active", "resource": "Observation", "name": "reading",
  "select": [{"column": [
    {"name": "id", "path": "id", "type": "id"},
    {"name": "patient", "path": "subject.reference", "type": "string"},
    {"name": "time", "path": "effective.ofType(dateTime)", "type": "dateTime",
     "tag": [{"name": "ansi/type", "value": "TIMESTAMP"}]},
    {"name": "day", "path": "effective.ofType(dateTime)", "type": "dateTime",
     "tag": [{"name": "ansi/type", "value": "DATE"}]},
    {"name": "systolic", "path": "component.first().value.ofType(Quantity).value", "type": "decimal",
     "tag": [{"name": "ansi/type", "value": "DOUBLE"}]},
    {"name": "note", "path": "note.first().text", "type": "string"}
  ]}]})json";

constexpr const char* kComponents = R"json({
  "resourceType": "ViewDefinition", "status": "active", "resource": "Observation",
  "select": [{"column": [{"name": "id", "path": "id", "type": "id"}]},
             {"forEach": "component", "column": [
    {"name": "value", "path": "value.ofType(Quantity).value", "type": "decimal",
     "tag": [{"name": "ansi/type", "value": "DOUBLE"}]}]}]})json";

class FhirScanTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto engine = Engine::Open({.threads = 3});
    ASSERT_TRUE(engine) << engine.error().ToString();
    engine_ = std::move(*engine);
    connection_.emplace(std::move(*engine_->Connect()));
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(::testing::TempDir()) / "engine_scan" / info->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    FhirScanOptions options;
    options.limits.block_bytes = 64 << 10;
    options.report = report_;
    options.view_by_name = [](std::string_view name) -> Result<std::string> {
      if (name == "reading") return kView;
      return Fail(ErrorKind::kNotFound, "no such view");
    };
    ASSERT_TRUE(RegisterReadFhir(*connection_, options));
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path WriteReadings(const std::string& name, int from, int to) {
    std::ofstream out(folder_ / name);
    for (int i = from; i < to; ++i) out << Reading(i) << '\n';
    return folder_ / name;
  }

  std::string From(const fs::path& path, std::string_view view = kView) {
    return fmt::format("read_fhir({}, view := {})", QuoteLiteral(path.string()),
                       QuoteLiteral(view));
  }

  std::string Scalar(const std::string& sql) {
    auto text = connection_->Scalar(sql);
    return text ? *text : text.error().ToString();
  }

  std::unique_ptr<Engine> engine_;
  std::optional<Connection> connection_;
  std::shared_ptr<ScanReport> report_ = std::make_shared<ScanReport>(2);
  fs::path folder_;
};

TEST_F(FhirScanTest, GivesEveryReadingOnceWithItsValues) {
  const fs::path path = WriteReadings("a.ndjson", 0, 20'000);
  // What the generator above put in, said in SQL.
  const std::string expected =
      "SELECT 'o' || i AS id, 'Patient/p' || (i % 7) AS patient,"
      " TIMESTAMPTZ '2026-11-22 16:00:00+00' AS time, DATE '2026-11-22' AS day,"
      " (100 + i % 50)::DOUBLE AS systolic, 'a note of more than twelve bytes ' || i AS note"
      " FROM range(20000) t(i)";
  ASSERT_TRUE(connection_->Execute("CREATE TABLE got AS SELECT * FROM " + From(path)));
  EXPECT_EQ(Scalar("SELECT count(*) FROM got"), "20000");
  EXPECT_EQ(Scalar("SELECT count(*) FROM (SELECT * FROM got EXCEPT ALL (" + expected + "))"), "0");
  EXPECT_EQ(Scalar("SELECT typeof(time) || typeof(day) || typeof(systolic) FROM got LIMIT 1"),
            "TIMESTAMP WITH TIME ZONEDATEDOUBLE");
  EXPECT_EQ(report_->records(), 20'000);
  EXPECT_EQ(report_->faults(), 0);
}

TEST_F(FhirScanTest, ReadsOnlyTheColumnsAsked) {
  const fs::path path = WriteReadings("a.ndjson", 0, 5'000);
  EXPECT_EQ(Scalar("SELECT count(*) FROM " + From(path)), "5000");
  EXPECT_EQ(Scalar("SELECT sum(systolic) FROM " + From(path)),
            Scalar("SELECT sum(100 + i % 50)::DOUBLE FROM range(5000) t(i)"));
  EXPECT_EQ(Scalar("SELECT count(*) FROM " + From(path) +
                   " WHERE note LIKE '%bytes 4999' AND patient = 'Patient/p1'"),
            "1");
}

TEST_F(FhirScanTest, ReadsSeveralFilesGlobsAndLists) {
  WriteReadings("a.ndjson", 0, 1'000);
  WriteReadings("b.ndjson", 1'000, 3'000);
  std::ofstream(folder_ / "c.json") << Reading(3'000);
  EXPECT_EQ(Scalar("SELECT count(DISTINCT id) FROM " + From(folder_)), "3001");
  EXPECT_EQ(Scalar("SELECT count(DISTINCT id) FROM " + From(folder_ / "*.ndjson")), "3000");
  EXPECT_EQ(Scalar(fmt::format("SELECT count(*) FROM read_fhir([{}, {}], view := 'reading')",
                               QuoteLiteral((folder_ / "a.ndjson").string()),
                               QuoteLiteral((folder_ / "c.json").string()))),
            "1001");
}

TEST_F(FhirScanTest, LeavesBadRecordsOutAndSaysWhere) {
  std::ofstream(folder_ / "a.ndjson") << Reading(0) << "\n{\"resourceType\":\n\n"
                                      << Reading(1) << "\n[1,\n"
                                      << Reading(2) << "\nnonsense\n";
  const fs::path path = folder_ / "a.ndjson";
  EXPECT_EQ(Scalar("SELECT count(DISTINCT id) FROM " + From(path)), "3");
  EXPECT_EQ(report_->records(), 6);
  EXPECT_EQ(report_->faults(), 3);
  ASSERT_EQ(report_->first().size(), 2u);
  EXPECT_EQ(report_->first()[0].place, path.string() + ":2");
  EXPECT_EQ(report_->first()[1].place, path.string() + ":5");
  EXPECT_NE(report_->first()[0].message, "");
  report_->Reset();
  EXPECT_EQ(report_->records() + report_->faults(), 0);
}

TEST_F(FhirScanTest, AResourceMayGiveMoreRowsThanAChunkHolds) {
  std::ofstream out(folder_ / "wide.ndjson");
  for (int resource = 0; resource < 3; ++resource) {
    out << R"({"resourceType":"Observation","id":"an id of more than twelve bytes )" << resource
        << R"(","component":[)";
    for (int i = 0; i < 5'000; ++i) {
      out << (i ? "," : "") << R"({"valueQuantity":{"value":)" << i << "}}";
    }
    out << "]}\n";
  }
  out.close();
  EXPECT_EQ(
      Scalar("SELECT count(*) || ' ' || count(DISTINCT (id, value)) || ' ' || sum(value)::BIGINT"
             " || ' ' || min(length(id)) FROM " +
             From(folder_ / "wide.ndjson", kComponents)),
      fmt::format("15000 15000 {} 33", 3ll * 4999 * 5000 / 2));
}

TEST_F(FhirScanTest, SkipsResourcesOfOtherTypes) {
  std::ofstream(folder_ / "a.ndjson") << R"({"resourceType":"Patient","id":"p"})" << '\n'
                                      << Reading(1) << '\n';
  EXPECT_EQ(Scalar("SELECT string_agg(id) FROM " + From(folder_ / "a.ndjson")), "o1");
  EXPECT_EQ(report_->faults(), 0);
}

TEST_F(FhirScanTest, SaysWhatIsWrongWithACall) {
  const fs::path path = WriteReadings("a.ndjson", 0, 1);
  const auto kind = [&](const std::string& from) {
    auto result = connection_->Query("SELECT * FROM " + from);
    EXPECT_FALSE(result);
    return result ? ErrorKind::kInternal : result.error().kind;
  };
  EXPECT_EQ(kind(From(folder_ / "none.ndjson")), ErrorKind::kNotFound);
  EXPECT_EQ(kind(From(path, "no-such-view")), ErrorKind::kNotFound);
  EXPECT_EQ(kind(From(path, "{}")), ErrorKind::kInvalidArgument);
  EXPECT_EQ(kind("read_fhir(" + QuoteLiteral(path.string()) + ")"), ErrorKind::kInvalidArgument);
  EXPECT_EQ(kind("read_fhir(NULL, view := 'reading')"), ErrorKind::kInvalidArgument);
}

TEST_F(FhirScanTest, IsKnownToEveryConnectionAndTheFirstRegistrationHolds) {
  auto other = engine_->Connect();
  const fs::path path = WriteReadings("a.ndjson", 0, 1);
  EXPECT_EQ(*other->ScalarInt("SELECT count(*) FROM " + From(path)), 1);
  EXPECT_EQ(report_->records(), 1);
  auto report = std::make_shared<ScanReport>();
  FhirScanOptions options;
  options.report = report;
  ASSERT_TRUE(RegisterReadFhir(*other, options));
  EXPECT_EQ(*connection_->ScalarInt("SELECT count(*) FROM " + From(path)), 1);
  EXPECT_EQ(report->records(), 0);
  EXPECT_EQ(report_->records(), 2);
}

}  // namespace
}  // namespace vitalake::engine
