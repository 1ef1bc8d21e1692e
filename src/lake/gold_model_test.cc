#include "lake/gold_model.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/random.h"

namespace vitalake::lake {
namespace {

// The model of `text` in a folder of its own, or the error's message.
Result<GoldModel> Load(const std::string& text) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("vitalake-model-" + SystemRandom().Uuid());
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "mine.sql") << text;
  auto models = LoadGoldModels(folder);
  std::filesystem::remove_all(folder);
  if (!models) return std::unexpected(std::move(models).error());
  for (GoldModel& model : *models) {
    if (model.table == "gold.mine") return std::move(model);
  }
  return Fail(ErrorKind::kNotFound, "no such model");
}

TEST(GoldModel, ReadsItsLeadingComment) {
  const auto model = Load(
      "-- Some words.\n-- key: id_space, who, day\n-- person: who\n-- day: day\n"
      "-- source: silver.patient(id), silver.vital_sign(patient_id, effective_date)\n"
      "-- clustered: day, who\nSELECT 1\n");
  ASSERT_TRUE(model.has_value()) << model.error().ToString();
  EXPECT_EQ(model->key, (std::vector<std::string>{"id_space", "who", "day"}));
  EXPECT_EQ(model->person_column, "who");
  EXPECT_EQ(model->day_column, "day");
  EXPECT_EQ(model->clustered_by, (std::vector<std::string>{"day", "who"}));
  ASSERT_EQ(model->sources.size(), 2u);
  EXPECT_EQ(model->sources[0], (GoldSource{"silver.patient", "id", ""}));
  EXPECT_EQ(model->sources[1], (GoldSource{"silver.vital_sign", "patient_id", "effective_date"}));
}

TEST(GoldModel, SourcesMayStandOnSeveralLines) {
  const auto model = Load(
      "-- key: who\n-- person: who\n-- source: silver.patient(id)\n"
      "-- source: silver.vital_sign(patient_id)\nSELECT 1\n");
  ASSERT_TRUE(model.has_value()) << model.error().ToString();
  EXPECT_EQ(model->sources.size(), 2u);
}

TEST(GoldModel, ADayNeedsTheDayOfEverySource) {
  const std::string head = "-- key: who, day\n-- person: who\n";
  for (const std::string& rest :
       {std::string("-- day: day\n-- source: silver.vital_sign(patient_id)\nSELECT 1"),
        std::string("-- source: silver.vital_sign(patient_id, effective_date)\nSELECT 1"),
        std::string(
            "-- day: day\n-- source: silver.patient(id)\nSELECT 1 FROM silver.patient p")}) {
    const auto model = Load(head + rest);
    ASSERT_FALSE(model.has_value()) << rest;
    EXPECT_EQ(model.error().kind, ErrorKind::kInvalidArgument);
  }
  EXPECT_TRUE(Load(head + "-- day: day\n-- source: silver.patient(id)\n"
                          "-- of silver.patient the links alone\nSELECT 1 FROM person_link")
                  .has_value());
}

TEST(GoldModel, BindsWholeNamesOutsideComments) {
  const auto model = Load(
      "-- key: who\n-- person: who\n-- source: silver.vital_sign(patient_id)\n"
      "SELECT * FROM silver.vital_sign JOIN silver.vital_sign_old -- silver.vital_sign\n"
      "JOIN person_link");
  ASSERT_TRUE(model.has_value()) << model.error().ToString();
  const std::string sql = BindSources(*model, {"FROM v"}, "FROM l");
  EXPECT_NE(sql.find("SELECT * FROM (FROM v) JOIN silver.vital_sign_old -- silver.vital_sign\n"
                     "JOIN (FROM l)"),
            sql.npos)
      << sql;
}

TEST(GoldModel, ReadsTheColumnsItNames) {
  const std::string head =
      "-- key: who\n-- person: who\n-- source: silver.vital_sign(patient_id)\n";
  const std::vector<std::string> columns = {"id", "code", "patient_id", "value"};
  const auto model = Load(head +
                          "SELECT v.Patient_ID AS who, count(*) AS n, max(v.value) AS m\n"
                          "FROM silver.vital_sign v -- and no code\nGROUP BY 1");
  ASSERT_TRUE(model.has_value()) << model.error().ToString();
  EXPECT_EQ(ColumnsRead(*model, columns), (std::vector<std::string>{"patient_id", "value"}));
  EXPECT_TRUE(ReadsTable(*model, "silver.vital_sign"));
  EXPECT_FALSE(ReadsTable(*model, "silver.vital"));
  EXPECT_FALSE(ReadsTable(*model, "silver.patient"));
  const auto all = Load(head + "SELECT * FROM silver.vital_sign");
  ASSERT_TRUE(all.has_value());
  EXPECT_EQ(ColumnsRead(*all, columns), columns);
}

}  // namespace
}  // namespace vitalake::lake
