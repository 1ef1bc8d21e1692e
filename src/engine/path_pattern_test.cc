#include "engine/path_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace vitalake::engine {
namespace fs = std::filesystem;
namespace {

using ::testing::ElementsAre;

class PathPatternTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(::testing::TempDir()) / "engine_paths";
    fs::remove_all(root_);
    for (const char* name : {"a.json", "b.ndjson.gz", "c.txt", ".d.json", "sub/e.json",
                             "sub/deep/f.ndjson", "sub/deep/g.json.zst"}) {
      fs::create_directories((root_ / name).parent_path());
      std::ofstream(root_ / name) << "{}";
    }
  }
  void TearDown() override { fs::remove_all(root_); }

  // What the pattern finds, relative to the root.
  std::vector<std::string> Find(const std::string& pattern) {
    auto paths = ExpandPaths((root_ / pattern).string());
    if (!paths) return {paths.error().ToString()};
    for (auto& path : *paths) path = fs::path(path).lexically_relative(root_).string();
    return *paths;
  }

  fs::path root_;
};

TEST_F(PathPatternTest, TakesAFileAsItIs) { EXPECT_THAT(Find("c.txt"), ElementsAre("c.txt")); }

TEST_F(PathPatternTest, FindsFhirFilesBelowAFolder) {
  EXPECT_THAT(Find(""), ElementsAre("a.json", "b.ndjson.gz", "sub/deep/f.ndjson",
                                    "sub/deep/g.json.zst", "sub/e.json"));
}

TEST_F(PathPatternTest, Globs) {
  EXPECT_THAT(Find("*.json"), ElementsAre("a.json"));
  EXPECT_THAT(Find("[ac].*"), ElementsAre("a.json", "c.txt"));
  EXPECT_THAT(Find("*/*.json"), ElementsAre("sub/e.json"));
  EXPECT_THAT(Find("**/*.json"), ElementsAre("a.json", "sub/e.json"));
  EXPECT_THAT(Find("sub/**"),
              ElementsAre("sub/deep/f.ndjson", "sub/deep/g.json.zst", "sub/e.json"));
  EXPECT_THAT(Find(".?.json"), ElementsAre(".d.json"));
}

TEST_F(PathPatternTest, NothingIsNotFound) {
  for (const char* pattern : {"none.json", "*.xml", "none/*.json"}) {
    auto paths = ExpandPaths((root_ / pattern).string());
    ASSERT_FALSE(paths) << pattern;
    EXPECT_EQ(paths.error().kind, ErrorKind::kNotFound);
  }
}

}  // namespace
}  // namespace vitalake::engine
