#include "storage/owned_folder.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>
#include <vector>

#include "storage/test_folder.h"

namespace vitalake::storage {
namespace {

namespace fs = std::filesystem;

bool Any(std::string_view) { return true; }

TEST(OwnedFolderTest, GoesWithItsHandle) {
  const TestFolder parent;
  {
    auto folder = OwnedFolder::Make(parent.path() / "a");
    ASSERT_TRUE(folder) << folder.error().ToString();
    std::ofstream(folder->path() / "file") << "x";
    const OwnedFolder moved = std::move(*folder);
    EXPECT_TRUE(fs::exists(moved.path() / "file"));
  }
  EXPECT_FALSE(fs::exists(parent.path() / "a"));
}

TEST(OwnedFolderTest, MakesNoParents) {
  const TestFolder parent;
  const auto folder = OwnedFolder::Make(parent.path() / "a/b");
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().kind, ErrorKind::kNotFound);
  EXPECT_FALSE(fs::exists(parent.path() / "a"));
}

TEST(OwnedFolderTest, ATakenNameIsRefused) {
  const TestFolder parent;
  const auto first = OwnedFolder::Make(parent.path() / "a");
  const auto second = OwnedFolder::Make(parent.path() / "a");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kAlreadyExists);
  EXPECT_TRUE(fs::exists(parent.path() / "a"));
}

TEST(OwnedFolderTest, OnlyOrphansOfThatNameGo) {
  const TestFolder parent;
  const auto mine = OwnedFolder::Make(parent.path() / "work-1");
  fs::create_directories(parent.path() / "work-2/deep");
  std::ofstream(parent.path() / "work-2/deep/file") << "x";
  fs::create_directories(parent.path() / "other");
  std::ofstream(parent.path() / "work-file") << "x";
  EXPECT_EQ(
      RemoveOrphans(parent.path(), [](std::string_view name) { return name.starts_with("work-"); }),
      1);
  EXPECT_TRUE(fs::exists(parent.path() / "work-1"));
  EXPECT_FALSE(fs::exists(parent.path() / "work-2"));
  EXPECT_TRUE(fs::exists(parent.path() / "other"));
  EXPECT_TRUE(fs::exists(parent.path() / "work-file"));
  EXPECT_EQ(RemoveOrphans(parent.path() / "not there", Any), 0);
}

TEST(OwnedFolderTest, AKilledProcessLeavesAnOrphan) {
  const TestFolder parent;
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto folder = OwnedFolder::Make(parent.path() / "child");
    const char byte = folder ? 'y' : 'n';
    if (write(ready[1], &byte, 1) != 1) _exit(1);
    for (;;) pause();
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  EXPECT_EQ(RemoveOrphans(parent.path(), Any), 0);  // it lives
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(fs::exists(parent.path() / "child"));
  EXPECT_EQ(RemoveOrphans(parent.path(), Any), 1);
  EXPECT_FALSE(fs::exists(parent.path() / "child"));
  close(ready[0]);
  close(ready[1]);
}

// While others sweep, every folder made is there until its handle goes.
TEST(OwnedFolderTest, MakingAndSweepingAtOnce) {
  const TestFolder parent;
  std::jthread sweeper([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) RemoveOrphans(parent.path(), Any);
  });
  for (int i = 0; i < 500; ++i) {
    const auto folder = OwnedFolder::Make(parent.path() / std::to_string(i));
    ASSERT_TRUE(folder) << folder.error().ToString();
    std::ofstream(folder->path() / "file") << "x";
    ASSERT_TRUE(fs::exists(folder->path() / "file")) << i;
  }
}

}  // namespace
}  // namespace vitalake::storage
