#include "ingest/monitoring/rules.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/random.h"

namespace vitalake::ingest {
namespace {

class MonitorRulesTest : public testing::Test {
 protected:
  MonitorRulesTest() {
    SystemRandom random;
    folder_ = std::filesystem::temp_directory_path() / ("vitalake-rules-" + random.Uuid());
    std::filesystem::create_directories(folder_);
  }
  ~MonitorRulesTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, std::string_view text) {
    std::ofstream(folder_ / name) << text;
  }

  std::filesystem::path folder_;
};

TEST_F(MonitorRulesTest, TheBuiltInOnesByDefault) {
  const auto rules = MonitorRules::Load({});
  ASSERT_TRUE(rules.has_value());
  EXPECT_NE(rules->Versions()->find("aha-acc-2025 2025.1"), std::string::npos);
  EXPECT_EQ(rules->Versions()->find("codes"), std::string::npos);
}

TEST_F(MonitorRulesTest, AFileOfTheFolderStandsBeforeTheBuiltInOne) {
  std::string text;
  const MonitorRules built_in = *MonitorRules::Load({});
  for (const auto& file : built_in.files) {
    if (file.name == "aha-acc-2025.yaml") text = file.text;
  }
  text.replace(text.find("2025.1"), 6, "2025.9");
  Write("aha-acc-2025.yaml", text);
  Write("notes.txt", "no rules");
  const auto rules = MonitorRules::Load(folder_);
  ASSERT_TRUE(rules.has_value()) << rules.error().ToString();
  EXPECT_NE(rules->Versions()->find("aha-acc-2025 2025.9"), std::string::npos);
  EXPECT_EQ(rules->files.size(), built_in.files.size());
}

TEST_F(MonitorRulesTest, AFaultIsNamedWithFileAndLine) {
  Write("mine.yaml", "name: mine\nguideline: mine\nversion: \"1\"\neffective: someday\n");
  const auto rules = MonitorRules::Load(folder_);
  ASSERT_FALSE(rules.has_value());
  EXPECT_NE(rules.error().ToString().find((folder_ / "mine.yaml").string() + ":"),
            std::string::npos)
      << rules.error().ToString();
  EXPECT_FALSE(MonitorRules::Load(folder_ / "none").has_value());
}

// What streams recorded before there was such a check is read again all the same.
TEST_F(MonitorRulesTest, ANewFileMustSayForWhomItHolds) {
  constexpr std::string_view kText =
      "name: mine\nguideline: mine\nversion: \"1\"\neffective: 2020-01-01\npopulation: all\n"
      "limits: [{codes: [2708-6], unit: \"%\", low: {ordinary: {below: 90}}}]\n";
  Write("mine.yaml", kText);
  const auto rules = MonitorRules::Load(folder_);
  ASSERT_FALSE(rules.has_value());
  EXPECT_NE(rules.error().ToString().find("the key 'age' is missing"), std::string::npos)
      << rules.error().ToString();
  EXPECT_NE(rules.error().ToString().find((folder_ / "mine.yaml").string() + ":1:"),
            std::string::npos);
  MonitorRules recorded = *MonitorRules::Load({});
  recorded.files.push_back({"mine.yaml", std::string(kText)});
  EXPECT_TRUE(MonitorRules::FromJson(recorded.ToJson())->Options().has_value());
}

// 178/112 is severe by ESC 2024 (180 or 110), not by AHA/ACC 2025 (above 180 or 120).
TEST_F(MonitorRulesTest, AnotherGuidelineJudgesBloodPressures) {
  const auto rules = MonitorRules::Load({}, "esc-2024");
  ASSERT_TRUE(rules.has_value()) << rules.error().ToString();
  EXPECT_TRUE(rules->Versions()->starts_with("esc-2024 2024.1, ")) << *rules->Versions();
  EXPECT_EQ(*MonitorRules::FromJson(rules->ToJson()), *rules);
  EXPECT_EQ(MonitorRules::FromJson(rules->ToJson())->Options()->pressure_rules, "esc-2024");
  EXPECT_NE(*rules, *MonitorRules::Load({}));
  const auto none = MonitorRules::Load({}, "esc-2042");
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().kind, ErrorKind::kNotFound);
  EXPECT_FALSE(MonitorRules::Load({}, "vital-limits").has_value()) << "it is no guideline";
}

TEST_F(MonitorRulesTest, AnActivationKeepsAllOfThem) {
  MonitorRules rules = *MonitorRules::Load({});
  rules.late_after = 7;
  EXPECT_EQ(*MonitorRules::FromJson(rules.ToJson()), rules);
  EXPECT_EQ(MonitorRules::FromJson(rules.ToJson())->Options()->late_after, 7);
  EXPECT_FALSE(MonitorRules::FromJson("{}").has_value());
}

}  // namespace
}  // namespace vitalake::ingest
