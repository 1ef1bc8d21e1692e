// A resource that is a blood-pressure panel in one version and a single value in another: the
// version that wins is in its home table, and nothing of the other is left in any.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "ingest/home_fixture.h"
#include "ingest/test_lake.h"
#include "lake/gold.h"

namespace vitalake::ingest {
namespace {

struct Case {
  const char* name;
  std::vector<Sent> sent;    // in every order of arrival
  std::string observations;  // versions in silver.observation
  std::string vitals;        // versions, codes and values in silver.vital_sign
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class HomeChange : public testing::TestWithParam<Case> {
 protected:
  static std::vector<std::vector<size_t>> Orders() {
    std::vector<size_t> order;
    for (size_t i = 0; i < GetParam().sent.size(); ++i) order.push_back(i);
    std::vector<std::vector<size_t>> orders;
    do {
      orders.push_back(order);
    } while (std::ranges::next_permutation(order).found);
    return orders;
  }

  static void ExpectOneState(TestLake& lake, size_t orders) {
    for (size_t i = 0; i < orders; ++i) {
      EXPECT_EQ(
          lake.Rows(fmt::format("SELECT coalesce(version_id, '-'), retracted_at IS NOT NULL FROM "
                                "silver.observation WHERE id = 'order-{}'",
                                i)),
          GetParam().observations)
          << i;
      EXPECT_EQ(lake.Rows(fmt::format(
                    "SELECT coalesce(version_id, '-'), code, value FROM silver.vital_sign WHERE "
                    "id = 'order-{}' ORDER BY code DESC",
                    i)),
                GetParam().vitals)
          << i;
    }
    EXPECT_EQ(lake.Rows("SELECT count(*) FROM ops.ledger WHERE received <> written + superseded + "
                        "duplicate + quarantined + out_of_scope OR finished_at IS NULL"),
              "0\n");
    // Gold counts what is there, and is what a full recomputation gives.
    const std::string gold = lake.Rows("SELECT * FROM gold.vital_daily ORDER BY ALL") +
                             lake.Rows("SELECT * FROM gold.bp_daily ORDER BY ALL");
    EXPECT_EQ(lake.Rows("SELECT coalesce(sum(readings), 0) FROM gold.bp_daily"),
              lake.Rows("SELECT count(*) FROM silver.observation WHERE retracted_at IS NULL"));
    ASSERT_TRUE(lake::RefreshGold(lake.lake(), true));
    EXPECT_EQ(lake.Rows("SELECT * FROM gold.vital_daily ORDER BY ALL") +
                  lake.Rows("SELECT * FROM gold.bp_daily ORDER BY ALL"),
              gold);
  }
};

TEST_P(HomeChange, InOneRun) {
  TestLake lake;
  const auto orders = Orders();
  std::string file;
  for (size_t i = 0; i < orders.size(); ++i) {
    for (const size_t at : orders[i]) {
      file += Message(fmt::format("order-{}", i), GetParam().sent[at]) + "\n";
    }
  }
  lake.Ingest({{"all.ndjson", file}});
  ExpectOneState(lake, orders.size());
}

TEST_P(HomeChange, InARunEach) {
  TestLake lake;
  const auto orders = Orders();
  for (size_t step = 0; step < GetParam().sent.size(); ++step) {
    std::string file;
    for (size_t i = 0; i < orders.size(); ++i) {
      file += Message(fmt::format("order-{}", i), GetParam().sent[orders[i][step]]) + "\n";
    }
    lake.Ingest({{fmt::format("step-{}.ndjson", step), file}});
  }
  ExpectOneState(lake, orders.size());
}

INSTANTIATE_TEST_SUITE_P(
    Sets, HomeChange,
    testing::Values(
        Case{"PanelBecomesSingle",
             {{Shape::kPanel, 1}, {Shape::kHeartRate, 2}},
             "",
             "2,8867-4,61.0\n"},
        Case{"SingleBecomesPanel",
             {{Shape::kHeartRate, 1}, {Shape::kPanel, 2}},
             "2,false\n",
             "2,8480-6,121.0\n2,8462-4,81.0\n"},
        Case{"ThereAndBack",
             {{Shape::kPanel, 1}, {Shape::kHeartRate, 2}, {Shape::kPanel, 3}},
             "3,false\n",
             "3,8480-6,121.0\n3,8462-4,81.0\n"},
        Case{"AndBackAgain",
             {{Shape::kHeartRate, 1},
              {Shape::kPanel, 2},
              {Shape::kHeartRate, 3},
              {Shape::kPanel, 0}},
             "",
             "3,8867-4,61.0\n"},
        Case{"RetractedAsTheOther",
             {{Shape::kPanel, 5}, {Shape::kRetractedHeartRate, 0}},
             "",
             "-,8867-4,\n"},
        Case{"RetractedByItsIdAlone",
             {{Shape::kPanel, 2}, {Shape::kRetraction, 0}},
             "2,true\n",
             "2,8480-6,\n2,8462-4,\n"},
        Case{"RetractedByItsIdInAVersion",
             {{Shape::kHeartRate, 1}, {Shape::kRetraction, 2}},
             "",
             "2,8867-4,\n"},
        Case{"APanelRetractedByItsIdInAVersion",
             {{Shape::kPanel, 1}, {Shape::kRetraction, 2}},
             "2,true\n",
             "2,8480-6,\n2,8462-4,\n"},
        Case{"APanelRetractedByItsIdAndThereAgain",
             {{Shape::kPanel, 1}, {Shape::kRetraction, 2}, {Shape::kPanel, 3}},
             "3,false\n",
             "3,8480-6,121.0\n3,8462-4,81.0\n"},
        Case{"ARetractionOfAPanelThatBecomesASingle",
             {{Shape::kPanel, 1}, {Shape::kRetraction, 2}, {Shape::kHeartRate, 3}},
             "",
             "3,8867-4,61.0\n"},
        Case{"RetractedByItsIdInAVersionAndDeleted",
             {{Shape::kPanel, 1}, {Shape::kRetraction, 2}, {Shape::kDelete}},
             "2,true\n",
             "2,8480-6,\n2,8462-4,\n"},
        Case{"RetractedByItsIdInAVersionBefore",
             {{Shape::kPanel, 3}, {Shape::kRetraction, 2}},
             "3,false\n",
             "3,8480-6,121.0\n3,8462-4,81.0\n"},
        Case{"DeletedInBetween",
             {{Shape::kPanel, 1}, {Shape::kHeartRate, 2}, {Shape::kDelete}},
             "",
             "2,8867-4,\n"},
        Case{"DeletedBeforeItBecomesAPanel",
             {{Shape::kHeartRate, 1}, {Shape::kDelete}, {Shape::kPanel, 2}},
             "2,true\n",
             "2,8480-6,\n2,8462-4,\n"},
        Case{"DeletedOnTheWayBack",
             {{Shape::kPanel, 1}, {Shape::kHeartRate, 2}, {Shape::kDelete}, {Shape::kPanel, 3}},
             "3,true\n",
             "3,8480-6,\n3,8462-4,\n"}),
    [](const auto& info) { return info.param.name; });

// Of either table: id, version and whether it is retracted, of rows with a value how many.
std::string Shown(TestLake& lake, const std::string& table, const std::string& value) {
  return lake.Rows(fmt::format(
      "SELECT id, coalesce(any_value(version_id), '-'), bool_and(retracted_at IS NOT NULL), "
      "count({}) FROM {} GROUP BY 1 ORDER BY 1",
      value, table));
}

TEST(RetractionOutOfScope, RetractsTheRowsOfItsKeyAndIsNoRowWithoutThem) {
  const std::string panels = Message("panel", {Shape::kPanel, 1}) + "\n" +
                             Message("pulse", {Shape::kHeartRate, 1}) + "\n" +
                             Message("other", {Shape::kHeartRate, 1}) + "\n" +
                             Message("newer", {Shape::kPanel, 3}) + "\n";
  const std::string retractions = Message("panel", {Shape::kRetractedHaemoglobin, 2}) + "\n" +
                                  Message("none", {Shape::kRetractedHaemoglobin, 2}) + "\n" +
                                  Message("pulse", {Shape::kRetractedHaemoglobin}) + "\n" +
                                  Message("newer", {Shape::kRetractedHaemoglobin, 2}) + "\n";
  for (const bool at_once : {false, true}) {
    TestLake lake;
    if (!at_once) lake.Ingest({{"panels.ndjson", panels}});
    const BatchSummary summary =
        lake.Ingest({{"retractions.ndjson", at_once ? panels + retractions : retractions}});
    EXPECT_EQ(summary.counts.out_of_scope, 1);
    EXPECT_EQ(summary.counts.quarantined, 0);
    EXPECT_EQ(lake.Rows("SELECT count(*) FROM ops.ledger WHERE received <> written + superseded + "
                        "duplicate + quarantined + out_of_scope OR finished_at IS NULL"),
              "0\n");
    EXPECT_EQ(Shown(lake, "silver.observation", "systolic_pressure_value"),
              "newer,3,false,1\npanel,2,true,0\n");
    EXPECT_EQ(Shown(lake, "silver.vital_sign", "value"),
              "newer,3,false,2\nother,1,false,1\npanel,2,true,0\npulse,-,true,0\n");
    // A higher version brings it back; over a retraction without one there is none.
    lake.Ingest({{"after.ndjson", Message("panel", {Shape::kPanel, 4}) + "\n" +
                                      Message("pulse", {Shape::kHeartRate, 4}) + "\n"}});
    EXPECT_EQ(Shown(lake, "silver.observation", "systolic_pressure_value"),
              "newer,3,false,1\npanel,4,false,1\n");
    EXPECT_EQ(Shown(lake, "silver.vital_sign", "value"),
              "newer,3,false,2\nother,1,false,1\npanel,4,false,2\npulse,-,true,0\n");
  }
}

// A version that is no text ranks nothing: as one without a version it would stand above all.
TEST(RetractionOutOfScope, IsNoneWithAVersionThatCannotBeRead) {
  TestLake lake;
  lake.Ingest({{"panel.ndjson", Message("panel", {Shape::kPanel, 1}) + "\n"}});
  std::string retraction = Message("panel", {Shape::kRetractedHaemoglobin, 2});
  const std::string_view sent = R"("versionId":"2")";
  retraction.replace(retraction.find(sent), sent.size(), R"("versionId":2)");
  EXPECT_EQ(lake.Ingest({{"retraction.ndjson", retraction + "\n"}}).counts.out_of_scope, 1);
  EXPECT_EQ(Shown(lake, "silver.observation", "systolic_pressure_value"), "panel,1,false,1\n");
}

TEST(HomeChangeTest, TheChangeFeedSaysThatTheRowWent) {
  TestLake lake;
  lake.Ingest({{"1.ndjson", Message("a", {Shape::kPanel, 1}) + "\n" +
                                Message("b", {Shape::kPanel, 1}) + "\n"}});
  const BatchSummary summary =
      lake.Ingest({{"2.ndjson", Message("a", {Shape::kHeartRate, 2}) + "\n"}});
  EXPECT_EQ(summary.counts.written, 1);
  EXPECT_EQ(lake.Rows("SELECT id FROM silver.observation"), "b\n");
  const auto table = lake.lake().OpenTable("silver.observation");
  ASSERT_TRUE(table);
  const auto changes = (*table)->Changes(Version{2}, Version{2});
  ASSERT_TRUE(changes) << changes.error().ToString();
  ASSERT_EQ(changes->size(), 1u);
  EXPECT_EQ(lake.Rows(fmt::format(
                "SELECT id, _change_type FROM read_parquet({})",
                engine::QuotePath(lake.folder() / "lake/silver/observation" / (*changes)[0].path))),
            "a,delete\n");
}

}  // namespace
}  // namespace vitalake::ingest
