#include "lake/sql_views.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/random.h"
#include "lake/queries.h"
#include "storage/memory_store.h"

namespace vitalake::lake {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;

class SqlViewsTest : public testing::Test {
 protected:
  SqlViewsTest() {
    LakeOptions options;
    options.threads = 1;
    auto opened = Lake::Over(store_, options, clock_, random_);
    EXPECT_TRUE(opened.has_value()) << opened.error().ToString();
    lake_ = std::move(*opened);
  }

  Result<std::string> One(std::string_view sql) {
    VL_TRY(auto session, OpenSqlSession(*lake_));
    VL_TRY(auto result, session->Query(sql));
    VL_TRY(const bool row, result.Next());
    return row ? result.Text(0) : std::string("no row");
  }

  storage::MemoryStore store_;
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<Lake> lake_;
};

TEST_F(SqlViewsTest, ALakeBeginsWithTheGoldViewsAlone) {
  EXPECT_THAT(*SqlViews(*lake_),
              ElementsAre(Key("gold.bp_population"), Key("gold.critical_recent")));
  EXPECT_TRUE(FindSqlView(*lake_, "gold.bp_population")->has_value());
  EXPECT_FALSE(FindSqlView(*lake_, "silver_patients")->has_value());
  EXPECT_FALSE(FindSqlView(*lake_, "silver.patient")->has_value());
}

TEST_F(SqlViewsTest, ReferenceViewsAreKeptOnceAndSeenByEverySession) {
  EXPECT_THAT(*KeepReferenceViews(*lake_),
              ElementsAre("gold_patient_observations", "silver_observations", "silver_patients"));
  EXPECT_THAT(*KeepReferenceViews(*lake_), IsEmpty());
  EXPECT_THAT(*SqlViews(*lake_), ElementsAre(Key("gold.bp_population"), Key("gold.critical_recent"),
                                             Key("gold_patient_observations"),
                                             Key("silver_observations"), Key("silver_patients")));
  ASSERT_TRUE(lake_->CreateMissingTables().has_value());
  for (const char* name : {"silver_patients", "main.silver_observations"}) {
    EXPECT_EQ(*One(std::string("SELECT count(*) FROM ") + name), "0") << name;
  }
}

TEST_F(SqlViewsTest, AnEditedViewIsLeftAsItIs) {
  ASSERT_TRUE(store_.Put("views/silver_patients.sql", "SELECT 42 AS answer -- mine").has_value());
  EXPECT_THAT(*KeepReferenceViews(*lake_),
              ElementsAre("gold_patient_observations", "silver_observations"));
  EXPECT_EQ(*One("SELECT answer FROM silver_patients"), "42");
}

TEST_F(SqlViewsTest, OnlyPlainNamesEndingInSqlAreViews) {
  for (const char* key : {"views/notes.txt", "views/Upper.sql", "views/a b.sql", "views/x/y.sql"}) {
    ASSERT_TRUE(store_.Put(key, "SELECT 1").has_value());
  }
  EXPECT_THAT(*SqlViews(*lake_),
              ElementsAre(Key("gold.bp_population"), Key("gold.critical_recent")));
  EXPECT_FALSE(FindSqlView(*lake_, "../views/notes")->has_value());
}

TEST_F(SqlViewsTest, AViewHasNoVersions) {
  ASSERT_TRUE(store_.Put("views/answer.sql", "SELECT 42 AS answer").has_value());
  const auto found = One("SELECT * FROM answer AT (VERSION => 0)");
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().kind, ErrorKind::kInvalidArgument);
}

TEST_F(SqlViewsTest, AViewThatIsNoSelectFailsItsReadersOnly) {
  ASSERT_TRUE(store_.Put("views/broken.sql", "DROP TABLE x").has_value());
  EXPECT_FALSE(One("SELECT * FROM broken").has_value());
  EXPECT_EQ(*One("SELECT 1"), "1");
}

}  // namespace
}  // namespace vitalake::lake
