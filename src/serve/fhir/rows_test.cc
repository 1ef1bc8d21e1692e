#include "serve/fhir/rows.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "ingest/test_lake.h"
#include "serve/fhir/page.h"
#include "serve/fhir/search.h"

namespace vitalake::serve {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string Patient(std::string_view id, std::string_view number, std::string_view more = "") {
  return fmt::format(
      R"({{"resourceType":"Patient","id":"{}","identifier":[{{"system":"urn:mrn","value":"{}"}}]{}}})"
      "\n",
      id, number, more);
}

std::string MergedWith(std::string_view survivor) {
  return fmt::format(
      R"(,"link":[{{"type":"replaced-by","other":{{"reference":"Patient/{}"}}}}],"active":false)",
      survivor);
}

// A blood pressure, and a heart rate of the id "h" + id.
std::string Readings(std::string_view id, std::string_view subject) {
  constexpr std::string_view kHead =
      R"({{"resourceType":"Observation","id":"{}","status":"final","subject":{{{}}},)"
      R"("effectiveDateTime":"2024-01-10T08:00:00Z","code":{{"coding":[)"
      R"({{"system":"http://loinc.org","code":"{}"}}]}},)";
  constexpr std::string_view kComponents =
      R"("component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},)"
      R"("valueQuantity":{"value":120,"code":"mm[Hg]"}},)"
      R"({"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},)"
      R"("valueQuantity":{"value":80,"code":"mm[Hg]"}}]})";
  constexpr std::string_view kRate = R"("valueQuantity":{"value":70,"code":"/min"}})";
  return fmt::format(kHead, id, subject, "85354-9") + std::string(kComponents) + "\n" +
         fmt::format(kHead, fmt::format("h{}", id), subject, "8867-4") + std::string(kRate) + "\n";
}

std::string By(std::string_view number) {
  return fmt::format(R"("identifier":{{"system":"urn:mrn","value":"{}"}})", number);
}

class FhirRowsTest : public testing::Test {
 protected:
  FhirRowsTest() { session_ = std::move(*lake::OpenSqlSession(lake_.lake())); }

  std::vector<std::string> IdsOf(std::string_view patient) {
    return IdsFound({{"patient", std::string(patient)}});
  }

  // In the order of ids; the page's total is their number.
  std::vector<std::string> IdsFound(QueryList query) {
    query.emplace_back("_total", "accurate");
    const FhirBundle page = Page(FhirType::kObservation, query);
    const auto ids = ObservationsOf(page);
    EXPECT_EQ(page.total, static_cast<int64_t>(ids.size()));
    return ids;
  }

  std::vector<std::string> IdsIncludedWith(std::string_view patient) {
    return ObservationsOf(Page(FhirType::kPatient, {{"_id", std::string(patient)},
                                                    {"_revinclude", "Observation:subject"}}));
  }

  FhirBundle Page(FhirType type, const QueryList& query) {
    const auto search = ReadFhirSearch(type, query, true);
    EXPECT_TRUE(search) << search.error().ToString();
    auto page = SearchPage({lake_.lake(), *session_, {}, "http://x/fhir"}, *search,
                           std::string(ToString(type)));
    EXPECT_TRUE(page) << page.error().ToString();
    return page ? std::move(*page) : FhirBundle{};
  }

  static std::vector<std::string> ObservationsOf(const FhirBundle& page) {
    std::vector<std::string> ids;
    for (const BundleEntry& entry : page.entries) {
      if (entry.row.type == FhirType::kObservation) ids.push_back(entry.row.id);
    }
    std::ranges::sort(ids);
    return ids;
  }

  ingest::TestLake lake_;
  std::unique_ptr<engine::SqlSession> session_;
};

TEST_F(FhirRowsTest, ReadingsByIdentifierAreFoundAsByScan) {
  lake_.Ingest(
      {{"patients.ndjson", Patient("p1", "1") + Patient("p2", "2", MergedWith("p1")) +
                               Patient("p3", "3") +
                               // Of two people, of one person twice, and of one that is gone.
                               Patient("p4", "45") + Patient("p5", "45") +
                               Patient("p6", "67", MergedWith("p7")) + Patient("p7", "67")},
       {"readings.ndjson",
        Readings("own", R"("reference":"Patient/p1")") + Readings("by1", By("1")) +
            Readings("any1", R"("reference":"Patient?identifier=1")") + Readings("by2", By("2")) +
            Readings("by3", By("3")) + Readings("by45", By("45")) + Readings("by67", By("67")) +
            Readings("by9", By("9"))}});
  const auto check = [&] {
    EXPECT_THAT(IdsOf("p1"),
                ElementsAre("any1", "by1", "by2", "hany1", "hby1", "hby2", "hown", "own"));
    EXPECT_THAT(IdsOf("p2"), ElementsAre("by2", "hby2"));
    EXPECT_THAT(IdsOf("p3"), ElementsAre("by3", "hby3"));
    EXPECT_THAT(IdsOf("p4"), IsEmpty());
    EXPECT_THAT(IdsOf("p5"), IsEmpty());
    EXPECT_THAT(IdsOf("p7"), ElementsAre("by67", "hby67"));
    EXPECT_THAT(IdsOf("p9"), IsEmpty());
    EXPECT_THAT(IdsIncludedWith("p3"), ElementsAre("by3", "hby3"));
    EXPECT_THAT(IdsIncludedWith("p1"), ElementsAre("any1", "by1", "hany1", "hby1", "hown", "own"));
    EXPECT_THAT(IdsFound({{"patient:missing", "true"}}),
                ElementsAre("by45", "by9", "hby45", "hby9"));
    EXPECT_THAT(IdsFound({{"_id", "by3"}, {"patient:missing", "true"}}), IsEmpty());
  };
  lake::RowIndex& index = lake_.lake().row_index();
  {
    SCOPED_TRACE("by scan");
    check();
    ASSERT_EQ(index.answered(), 0);
  }
  index.Enable();
  index.Finish();
  {
    SCOPED_TRACE("by the row index");
    check();
    ASSERT_GT(index.answered(), 0);
  }
  // Another one who holds it makes it nobody's, at once.
  lake_.Ingest({{"another.ndjson", Patient("p8", "3")}});
  EXPECT_THAT(IdsOf("p3"), IsEmpty());
  EXPECT_THAT(IdsOf("p8"), IsEmpty());
  EXPECT_THAT(IdsFound({{"_id", "by3"}, {"patient:missing", "true"}}), ElementsAre("by3"));
  // Until that one was a mistake.
  lake_.Ingest(
      {{"gone.ndjson", R"({"resourceType":"Bundle","type":"transaction","entry":[{"request":)"
                       R"({"method":"DELETE","url":"Patient/p8"}}]})"}});
  EXPECT_THAT(IdsOf("p3"), ElementsAre("by3", "hby3"));
}

TEST_F(FhirRowsTest, ValuesInsideOfPressuresAreReadOnlyForWhoAsksForThem) {
  lake_.lake().row_index().Enable();
  lake_.Ingest({{"readings.ndjson", Readings("a", R"("reference":"Patient/p1")")}});
  const auto read = [&](std::string_view unless) {
    const auto snapshot = *lake_.lake().Latest("silver.vital_sign");
    const std::vector<std::string> patients = {"p1"};
    int rows = 0;
    const auto found = lake_.lake().row_index().Read(
        {"silver.vital_sign", snapshot, "patient_id", patients, unless},
        [&](std::span<const view::Cell>) {
          ++rows;
          return true;
        },
        {});
    EXPECT_TRUE(found && *found);
    return rows;
  };
  EXPECT_EQ(read(""), 3);
  EXPECT_EQ(read("panel"), 1);
  EXPECT_THAT(IdsOf("p1"), ElementsAre("a", "ha"));
  const std::pair<std::string, std::string> of_patient = {"patient", "p1"};
  EXPECT_THAT(IdsFound({of_patient, {"component-code", "8480-6"}}), ElementsAre("a"));
  EXPECT_THAT(IdsFound({of_patient, {"combo-value-quantity", "lt100"}}), ElementsAre("a", "ha"));
  EXPECT_THAT(IdsFound({of_patient, {"component-value-quantity", "gt120"}}), IsEmpty());
  EXPECT_GT(lake_.lake().row_index().answered(), 2) << "the searches were answered by scan";
}

// As behind a large commit, until its index is made.
TEST_F(FhirRowsTest, WhereOneTableHasNoIndexAllAreScanned) {
  lake_.lake().row_index().Enable();
  lake_.Ingest({{"patients.ndjson", Patient("p1", "1")},
                {"readings.ndjson", Readings("a", R"("reference":"Patient/p1")")}});
  EXPECT_THAT(IdsOf("p1"), ElementsAre("a", "ha"));
  ASSERT_GT(lake_.lake().row_index().answered(), 0);
  const std::filesystem::path indexes = lake_.folder() / "lake/_vitalake/rows/silver.vital_sign";
  std::filesystem::remove_all(indexes);
  std::ofstream(indexes) << "in its place";
  lake_.Ingest({{"more.ndjson", Readings("b", R"("reference":"Patient/p1")")}});
  EXPECT_THAT(IdsOf("p1"), ElementsAre("a", "b", "ha", "hb"));
  EXPECT_THAT(IdsFound({{"_id", "hb"}}), ElementsAre("hb"));
  EXPECT_FALSE(lake_.lake().row_index().enabled());
}

}  // namespace
}  // namespace vitalake::serve
