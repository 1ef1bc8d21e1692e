// Decode over published files: what is in them was counted with other tools (jq, wc).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>

#include "fhir/decode.h"
#include "fhir/record_key.h"
#include "fhir/references.h"

namespace vitalake::fhir {
namespace {

namespace fs = std::filesystem;

const fs::path kData = fs::path(VITALAKE_SOURCE_DIR) / ".." / "shared" / "data";

std::vector<RecordBlock> BlocksOf(const fs::path& path) {
  std::vector<RecordBlock> blocks;
  auto reader = RecordReader::Open(path);
  EXPECT_TRUE(reader.has_value()) << path;
  while (reader) {
    auto block = (*reader)->Next();
    EXPECT_TRUE(block.has_value()) << path;
    if (!block || !*block) break;
    blocks.push_back(std::move(**block));
  }
  return blocks;
}

std::vector<fs::path> JsonFiles(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& file : fs::directory_iterator(folder)) {
    if (file.path().extension() == ".json") files.push_back(file.path());
  }
  return files;
}

TEST(DecodeCorpus, EveryFileThatIsNotJsonIsOneFaultedRecord) {
  const auto files = JsonFiles(kData / "fhir-validator-cases" / "syntax");
  EXPECT_EQ(files.size(), 4u);
  JsonParser parser;
  for (const fs::path& file : files) {
    size_t records = 0;
    for (RecordBlock& block : BlocksOf(file)) {
      for (const Record& record : block.Split(parser)) {
        ++records;
        Issue issue;
        if (record.fault) {
          issue = *record.fault;
        } else {
          const auto tree = parser.ParsePadded(record.text, RecordLimits({}));
          ASSERT_FALSE(tree.has_value()) << file;
          issue = JsonIssue(tree.error(), record.text, record.place);
        }
        EXPECT_EQ(issue.severity, Severity::kFatal);
        EXPECT_EQ(issue.rule, "json");
      }
    }
    EXPECT_EQ(records, 1u) << file;
  }
}

// Line 7 of the file is the first where a comma is missing ("family" : "Simmons" / "given").
TEST(DecodeCorpus, NamesTheLineOfAFault) {
  JsonParser parser;
  auto blocks = BlocksOf(kData / "fhir-validator-cases" / "syntax" / "json-comma-bad-1.json");
  ASSERT_EQ(blocks.size(), 1u);
  const auto records = blocks[0].Split(parser);
  ASSERT_EQ(records.size(), 1u);
  const auto tree = parser.ParsePadded(records[0].text);
  ASSERT_FALSE(tree.has_value());
  const Issue issue = JsonIssue(tree.error(), records[0].text, records[0].place);
  EXPECT_NE(issue.message.find("(line 7, "), std::string::npos) << issue.message;
}

TEST(DecodeCorpus, EveryPublishedExampleIsOneReadableRecord) {
  JsonParser parser;
  std::map<std::string, int> types;
  for (const fs::path& file : JsonFiles(kData / "hl7-r4-examples")) {
    if (file.filename() == "package.json") continue;
    for (RecordBlock& block : BlocksOf(file)) {
      for (const Record& record : block.Split(parser)) {
        ASSERT_FALSE(record.fault) << file;
        const auto tree = parser.ParsePadded(record.text, RecordLimits({}));
        ASSERT_TRUE(tree.has_value()) << file;
        ++types[std::string(tree->String("resourceType"))];
        const RecordKey key = ReadingKey(*tree, KeyRule::kId, record.full_url);
        EXPECT_EQ(fmt::format("{}-{}.json", tree->String("resourceType"), key.key),
                  file.filename().string());
      }
    }
  }
  EXPECT_EQ(types, (std::map<std::string, int>{{"Patient", 22}, {"Observation", 64}}));
}

class SyntheaTest : public testing::Test {
 protected:
  SyntheaTest() {
    std::string name = (fs::temp_directory_path() / "synthea-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    const std::string command =
        fmt::format("tar -xJf '{}' -C '{}' ./{}",
                    (kData / "synthea" / "bundles-120.tar.xz").string(), folder_.string(), kFile);
    EXPECT_EQ(std::system(command.c_str()), 0);
  }
  ~SyntheaTest() override { fs::remove_all(folder_); }

  static constexpr std::string_view kFile = "8a4c9c04-1524-9f1c-d65b-9b17e4520fef.json";
  static constexpr std::string_view kPatient = "8a4c9c04-1524-9f1c-d65b-9b17e4520fef";
  fs::path folder_;
};

TEST_F(SyntheaTest, BundleGivesItsEntries) {
  auto blocks = BlocksOf(folder_ / kFile);
  ASSERT_EQ(blocks.size(), 1u);
  JsonParser parser;
  const auto records = blocks[0].Split(parser);
  ASSERT_EQ(records.size(), 66u);
  std::map<std::string, int> types;
  size_t resolved = 0;
  for (const Record& record : records) {
    ASSERT_FALSE(record.fault);
    EXPECT_EQ(record.references->size(), 66u);
    const auto tree = parser.ParsePadded(record.text, RecordLimits({}));
    ASSERT_TRUE(tree.has_value());
    ++types[std::string(tree->String("resourceType"))];
    EXPECT_EQ(record.full_url, fmt::format("urn:uuid:{}", tree->String("id")));
    resolved += ResolveReferences(*tree, record.references);
    if (tree->String("resourceType") == "Observation") {
      EXPECT_EQ(tree->Find("subject").String("reference"), fmt::format("Patient/{}", kPatient));
    }
  }
  EXPECT_EQ(types, (std::map<std::string, int>{{"Claim", 3},
                                               {"DiagnosticReport", 4},
                                               {"DocumentReference", 3},
                                               {"Encounter", 3},
                                               {"ExplanationOfBenefit", 3},
                                               {"Immunization", 7},
                                               {"Observation", 38},
                                               {"Patient", 1},
                                               {"Procedure", 3},
                                               {"Provenance", 1}}));
  EXPECT_EQ(resolved, 220u);
  EXPECT_EQ(records[0].place.line, 6);
  EXPECT_EQ(records[2].place.entry, 2);
  EXPECT_EQ(records[2].place.line, 209);
}

}  // namespace
}  // namespace vitalake::fhir
