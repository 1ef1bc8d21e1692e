// Lake::AddMissingColumns: a table made by an earlier version gets what the catalogue has more.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/clock.h"
#include "base/random.h"
#include "lake/lake.h"

namespace vitalake::lake {
namespace {

constexpr std::string_view kTable = "bronze.observation_stream";

class MissingColumnsTest : public testing::Test {
 protected:
  MissingColumnsTest() {
    LakeOptions options;
    options.location = folder_.string();
    lake_ = Lake::Open(options, clock_, random_).value();
  }
  ~MissingColumnsTest() override {
    lake_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::vector<std::string> Columns() {
    const auto snapshot = lake_->Latest(kTable).value();
    const auto schema = delta::Schema::FromJson(snapshot->metadata().schema_string).value();
    std::vector<std::string> names;
    for (const delta::Field& field : schema.fields()) names.push_back(field.name);
    return names;
  }
  int64_t Version() { return lake_->Latest(kTable).value()->version().value; }

  SystemClock clock_;
  SystemRandom random_;
  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("vitalake-columns-" + random_.Uuid());
  std::unique_ptr<Lake> lake_;
};

TEST_F(MissingColumnsTest, AreAddedBehindTheOthersOnce) {
  const auto old = delta::Table::Open({lake_->store(), lake_->parquet(), clock_, random_},
                                      "bronze/observation_stream");
  delta::CreateOptions options;
  const std::vector<delta::Column> columns = {
      {"payload", delta::DeltaType(delta::TypeKind::kBinary), true},
      {"mine", delta::DeltaType(delta::TypeKind::kString), true},
      {"offset", delta::DeltaType(delta::TypeKind::kLong), true}};
  options.schema = delta::Schema::Flat(columns);
  options.configuration["delta.enableChangeDataFeed"] = "true";
  ASSERT_TRUE(old->Create(options).has_value());
  ASSERT_TRUE(lake_->AddMissingColumns(kTable).has_value());
  EXPECT_EQ(Columns(), (std::vector<std::string>{"payload", "mine", "offset", "source", "partition",
                                                 "received_at", "request_key"}));
  EXPECT_EQ(
      lake_->Latest(kTable).value()->metadata().configuration.at("delta.enableChangeDataFeed"),
      "true");
  EXPECT_EQ(Version(), 1);
  ASSERT_TRUE(lake_->AddMissingColumns(kTable).has_value());
  EXPECT_EQ(Version(), 1);
}

TEST_F(MissingColumnsTest, AWholeTableStaysAsItIs) {
  ASSERT_TRUE(lake_->CreateMissingTables().has_value());
  ASSERT_TRUE(lake_->AddMissingColumns(kTable).has_value());
  EXPECT_EQ(Version(), 0);
}

TEST_F(MissingColumnsTest, TablesOfSilverHaveWhatLinksAreReadFrom) {
  for (const std::string name : {"patient", "observation", "vital_sign"}) {
    const auto old =
        delta::Table::Open({lake_->store(), lake_->parquet(), clock_, random_}, "silver/" + name);
    delta::CreateOptions options;
    options.schema = delta::Schema::Flat(
        std::vector<delta::Column>{{"id", delta::DeltaType(delta::TypeKind::kString), true}});
    ASSERT_TRUE(old->Create(options).has_value());
  }
  ASSERT_TRUE(lake_->CreateMissingTables().has_value());
  const auto has = [&](std::string_view table, std::string_view column) {
    return lake_->Latest(table).value()->schema().FindField(column) != nullptr;
  };
  EXPECT_TRUE(has("silver.patient", "replaces"));
  EXPECT_TRUE(has("silver.observation", "subject_identifier"));
  EXPECT_TRUE(has("silver.vital_sign", "subject_identifier"));
}

}  // namespace
}  // namespace vitalake::lake
