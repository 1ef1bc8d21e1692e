#include "delta/compaction_plan.h"

#include "delta/table_fixture.h"

namespace vitalake::delta {
namespace {

constexpr CompactionLimits kLimits{.target_rows = 100, .target_bytes = 1000};

AddFile File(std::string path, int64_t rows, int64_t size_bytes = 10) {
  return {.path = std::move(path),
          .size_bytes = size_bytes,
          .stats = rows < 0 ? "" : fmt::format(R"({{"numRecords":{}}})", rows)};
}

SnapshotPtr SnapshotOf(std::vector<AddFile> files) {
  SnapshotState state;
  state.protocol = {.min_reader_version = 1, .min_writer_version = 2};
  state.metadata = {.id = "id", .schema_string = R"({"type":"struct","fields":[]})"};
  for (AddFile& file : files) {
    state.files.push_back(std::make_shared<const AddFile>(std::move(file)));
  }
  auto snapshot = Snapshot::Make(std::move(state));
  EXPECT_TRUE(snapshot) << snapshot.error().ToString();
  return *snapshot;
}

// "a b|c d": the paths of each group.
std::string Planned(const SnapshotPtr& snapshot, size_t max_files = 100) {
  std::string out;
  for (const CompactionGroup& group : PlanCompaction(*snapshot, kLimits, max_files)) {
    if (!out.empty()) out += '|';
    for (size_t i = 0; i < group.files.size(); ++i) {
      out += (i == 0 ? "" : " ") + group.files[i]->path;
    }
  }
  return out;
}

TEST(CompactionPlanTest, SmallIsBelowHalfOfBothTargets) {
  EXPECT_TRUE(IsSmall(File("a", 49, 499), kLimits));
  EXPECT_FALSE(IsSmall(File("a", 50, 10), kLimits));
  EXPECT_FALSE(IsSmall(File("a", 10, 500), kLimits));
  EXPECT_TRUE(IsSmall(File("a", -1, 499), kLimits));
  EXPECT_EQ(CountSmallFiles(*SnapshotOf({File("a", 1), File("b", 50), File("c", 2)}), kLimits), 2);
}

TEST(CompactionPlanTest, NeighboursGoTogetherUpToTheTarget) {
  EXPECT_EQ(Planned(SnapshotOf({File("a", 40), File("b", 40), File("c", 40), File("d", 40)})),
            "a b|c d");
  EXPECT_EQ(Planned(SnapshotOf({File("a", 1, 400), File("b", 1, 400), File("c", 1, 400)})), "a b");
}

TEST(CompactionPlanTest, LargeFilesAndASingleSmallOneStay) {
  EXPECT_EQ(Planned(SnapshotOf({})), "");
  EXPECT_EQ(Planned(SnapshotOf({File("a", 90), File("b", 10), File("c", 60)})), "");
  EXPECT_EQ(Planned(SnapshotOf({File("a", 10), File("b", 90), File("c", 10)})), "a c");
}

TEST(CompactionPlanTest, PartitionsAreKeptApart) {
  std::vector<AddFile> files = {File("a", 1), File("b", 1), File("c", 1), File("d", 1)};
  files[0].partition_values = files[2].partition_values = {{"day", "1"}};
  files[1].partition_values = {{"day", "2"}};
  files[3].partition_values = {{"day", std::nullopt}};
  EXPECT_EQ(Planned(SnapshotOf(files)), "a c");
}

TEST(CompactionPlanTest, AGroupHasNoMoreFilesThanAsked) {
  EXPECT_EQ(
      Planned(SnapshotOf({File("a", 1), File("b", 1), File("c", 1), File("d", 1), File("e", 1)}),
              2),
      "a b|c d");
}

// Whatever the files, a second plan over the results finds nothing but what is left over.
TEST(CompactionPlanTest, WhatWasCompactedIsLeftAlone) {
  SeededRandom random(5);
  for (int round = 0; round < 200; ++round) {
    std::vector<AddFile> files;
    for (int i = 0; i < 30; ++i) {
      files.push_back(File(fmt::format("f{}", i), static_cast<int64_t>(random.Next() % 60)));
    }
    const SnapshotPtr before = SnapshotOf(files);
    std::vector<AddFile> after;
    for (const CompactionGroup& group : PlanCompaction(*before, kLimits, 100)) {
      int64_t in_group = 0;
      for (const AddFilePtr& file : group.files) in_group += *file->NumRecords();
      EXPECT_LE(in_group, kLimits.target_rows);
      after.push_back(File(fmt::format("new{}", after.size()), in_group));
    }
    EXPECT_LE(CountSmallFiles(*SnapshotOf(after), kLimits), 1);  // the last group
  }
}

}  // namespace
}  // namespace vitalake::delta
