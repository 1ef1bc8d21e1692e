#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "ingest/generate/generate.h"
#include "ingest/generate/generate_fixture.h"

namespace vitalake::ingest {
namespace {

namespace fs = std::filesystem;

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
