// What LocalStore adds to the contract: order of syncs, system errors, several processes.
#include "storage/local_store.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "storage/test_folder.h"

namespace vitalake::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string PathOfFd(int fd) {
  return fs::read_symlink("/proc/self/fd/" + std::to_string(fd)).string();
}

// Real calls that note what they do, with paths relative to the root; one of them can fail.
class Recorder {
 public:
  explicit Recorder(fs::path root) : root_(std::move(root)) {}

  PosixCalls Calls() {
    PosixCalls calls = PosixCalls::Real();
    calls.write = [this, real = calls.write](int fd, const void* bytes, size_t size) {
      return Does("write " + Name(PathOfFd(fd))) ? real(fd, bytes, size) : -1;
    };
    calls.fsync = [this, real = calls.fsync](int fd) {
      return Does("fsync " + Name(PathOfFd(fd))) ? real(fd) : -1;
    };
    calls.mkdir = [this, real = calls.mkdir](const char* path, mode_t mode) {
      return Does("mkdir " + Name(path)) ? real(path, mode) : -1;
    };
    calls.link = Two("link", calls.link);
    calls.rename = Two("rename", calls.rename);
    calls.rename_no_replace = Two("move", calls.rename_no_replace);
    return calls;
  }

  // The call noted as `what` fails with `error` and does nothing.
  void FailAt(std::string what, int error) {
    fail_at_ = std::move(what);
    error_ = error;
  }

  std::vector<std::string> done;

 private:
  std::function<int(const char*, const char*)> Two(
      std::string verb, std::function<int(const char*, const char*)> real) {
    return [this, verb, real](const char* from, const char* to) {
      return Does(verb + " " + Name(to)) ? real(from, to) : -1;
    };
  }

  std::string Name(const fs::path& path) const {
    const std::string name = path.lexically_relative(root_).string();
    return name.starts_with("_vitalake/staging/") ? "TEMP" : name;
  }

  bool Does(const std::string& what) {
    done.push_back(what);
    if (what != fail_at_) return true;
    errno = error_;
    return false;
  }

  const fs::path root_;
  std::string fail_at_;
  int error_ = 0;
};

class LocalStoreTest : public ::testing::Test {
 protected:
  // Past the making of the staging folder, so that a test sees its own calls alone.
  void OpenRecorded() {
    store_ = LocalStore::Open(root_, recorder_.Calls()).value();
    ASSERT_TRUE(store_->StagingFolder().has_value());
    recorder_.done.clear();
  }

  bool NothingStaged() { return fs::is_empty(root_ / "_vitalake/staging"); }

  TestFolder folder_;
  fs::path root_ = folder_.path() / "lake";
  Recorder recorder_{root_};
  std::unique_ptr<LocalStore> store_ = *LocalStore::Open(root_);
};

TEST_F(LocalStoreTest, OpenChangesNothing) {
  EXPECT_FALSE(fs::exists(root_));
  EXPECT_TRUE(store_->List("")->empty());
  EXPECT_FALSE(fs::exists(root_));
  EXPECT_EQ(LocalStore::Open("").error().kind, ErrorKind::kInvalidArgument);
  WriteTestFile(folder_.path() / "file", "x");
  EXPECT_EQ(LocalStore::Open(folder_.path() / "file").error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(LocalStore::Open(root_.string() + "/./x/../").value()->root(), root_);
}

TEST_F(LocalStoreTest, AReaderKeepsTheBytesOfWhatWasReplacedOrDeleted) {
  ASSERT_TRUE(store_->Put("r", "first"));
  const auto reader = store_->OpenReader("r").value();
  ASSERT_TRUE(store_->Put("r", "second"));
  EXPECT_EQ(reader->ReadRange(0, 9).value(), "first");
  ASSERT_TRUE(store_->Delete("r"));
  EXPECT_EQ(reader->ReadRange(1, 2).value(), "ir");
}

TEST_F(LocalStoreTest, ObjectsAreTheFiles) {
  ASSERT_TRUE(store_->Put("t/a b.json", "x").has_value());
  EXPECT_EQ(ReadTestFile(root_ / "t/a b.json"), "x");
  EXPECT_EQ(store_->LocalPath("t/a b.json").value(), root_ / "t/a b.json");
  WriteTestFile(root_ / "t/other", "put by hand");
  EXPECT_EQ(store_->Read("t/other").value(), "put by hand");
}

TEST_F(LocalStoreTest, FileIsDurableBeforeItsLinkAndTheFolderAfter) {
  OpenRecorded();
  ASSERT_EQ(store_->PutIfAbsent("a/b/0.json", "x").value(), PutOutcome::kCreated);
  EXPECT_THAT(recorder_.done, ElementsAre("write TEMP", "fsync TEMP",                    //
                                          "mkdir a", "fsync .", "mkdir a/b", "fsync a",  //
                                          "link a/b/0.json", "fsync a/b"));
  recorder_.done.clear();
  ASSERT_EQ(store_->PutIfAbsent("a/b/1.json", "x").value(), PutOutcome::kCreated);
  EXPECT_THAT(recorder_.done,
              ElementsAre("write TEMP", "fsync TEMP", "link a/b/1.json", "fsync a/b"));
}

TEST_F(LocalStoreTest, PutRenamesADurableFile) {
  OpenRecorded();
  ASSERT_TRUE(store_->Put("hint", "x").has_value());
  EXPECT_THAT(recorder_.done, ElementsAre("write TEMP", "fsync TEMP", "rename hint", "fsync ."));
}

TEST_F(LocalStoreTest, ACacheDoesNotWaitForTheDisk) {
  OpenRecorded();
  ASSERT_TRUE(store_->PutCache("hint", "x").has_value());
  EXPECT_THAT(recorder_.done, ElementsAre("write TEMP", "rename hint"));
}

TEST_F(LocalStoreTest, AMarkOfTheSameLengthIsWrittenInItsPlace) {
  OpenRecorded();
  ASSERT_TRUE(store_->PutMark("mark", "01").has_value());
  ASSERT_TRUE(store_->PutMark("mark", "02").has_value());
  ASSERT_TRUE(store_->PutMark("mark", "3").has_value());
  EXPECT_THAT(recorder_.done,
              ElementsAre("write TEMP", "rename mark", "write mark", "write TEMP", "rename mark"));
}

TEST_F(LocalStoreTest, PutFileSyncsBeforeAndAfterTheMove) {
  OpenRecorded();
  const fs::path staged = store_->StagingFolder().value() / "part";
  WriteTestFile(staged, "x");
  ASSERT_TRUE(store_->PutFile("t/part", staged).has_value());
  EXPECT_THAT(recorder_.done,
              ElementsAre("fsync TEMP", "mkdir t", "fsync .", "move t/part", "fsync t"));
}

TEST_F(LocalStoreTest, FoldersOfOthersAreSyncedOnce) {
  OpenRecorded();
  fs::create_directories(root_ / "a/b");
  ASSERT_TRUE(store_->PutIfAbsent("a/b/0", "x").has_value());
  EXPECT_THAT(recorder_.done, ElementsAre("write TEMP", "fsync TEMP", "fsync .", "fsync a",
                                          "link a/b/0", "fsync a/b"));
}

TEST_F(LocalStoreTest, NothingIsVisibleWhenTheFileCannotBeSynced) {
  OpenRecorded();
  recorder_.FailAt("fsync TEMP", EIO);
  EXPECT_EQ(store_->PutIfAbsent("k", "x").error().kind, ErrorKind::kIo);
  EXPECT_EQ(store_->Put("k", "x").error().kind, ErrorKind::kIo);
  const fs::path staged = root_ / "_vitalake/staging/part";
  WriteTestFile(staged, "x");
  EXPECT_EQ(store_->PutFile("k", staged).error().kind, ErrorKind::kIo);
  EXPECT_EQ(store_->Head("k").error().kind, ErrorKind::kNotFound);
  fs::remove(staged);
  EXPECT_TRUE(NothingStaged());
}

TEST_F(LocalStoreTest, AFullDiskIsNamed) {
  OpenRecorded();
  recorder_.FailAt("write TEMP", ENOSPC);
  const auto outcome = store_->PutIfAbsent("k", "x");
  EXPECT_EQ(outcome.error().kind, ErrorKind::kNoSpace);
  EXPECT_THAT(outcome.error().message, HasSubstr("No space left"));
  EXPECT_EQ(store_->Head("k").error().kind, ErrorKind::kNotFound);
  EXPECT_TRUE(NothingStaged());
}

TEST_F(LocalStoreTest, TheOutcomeIsUnknownWhenTheFolderCannotBeSynced) {
  OpenRecorded();
  recorder_.FailAt("fsync .", EIO);
  EXPECT_EQ(store_->PutIfAbsent("k", "x").value(), PutOutcome::kUnknown);
  EXPECT_EQ(store_->Put("l", "x").error().kind, ErrorKind::kUnknownOutcome);
  const fs::path staged = root_ / "_vitalake/staging/part";
  WriteTestFile(staged, "x");
  EXPECT_EQ(store_->PutFile("m", staged).error().kind, ErrorKind::kUnknownOutcome);
  EXPECT_TRUE(NothingStaged());
}

TEST_F(LocalStoreTest, AFailingLinkMayHaveHappenedOrSurelyNot) {
  OpenRecorded();
  recorder_.FailAt("link k", EIO);
  EXPECT_EQ(store_->PutIfAbsent("k", "x").value(), PutOutcome::kUnknown);
  recorder_.FailAt("link k", EACCES);
  EXPECT_EQ(store_->PutIfAbsent("k", "x").error().kind, ErrorKind::kPermission);
  recorder_.FailAt("link k", ENOSPC);
  EXPECT_EQ(store_->PutIfAbsent("k", "x").error().kind, ErrorKind::kNoSpace);
  EXPECT_TRUE(NothingStaged());
}

TEST_F(LocalStoreTest, ALinkThatHappenedBeforeItsRepeatIsOurs) {
  // A network file system repeats a request whose answer was lost: the repeat finds our own link.
  PosixCalls calls = PosixCalls::Real();
  calls.link = [](const char* from, const char* to) {
    EXPECT_EQ(::link(from, to), 0);
    errno = EEXIST;
    return -1;
  };
  const auto store = LocalStore::Open(root_, calls).value();
  EXPECT_EQ(store->PutIfAbsent("k", "x").value(), PutOutcome::kCreated);
}

TEST_F(LocalStoreTest, WithoutRenameNoReplaceAFileIsCopiedAndLinked) {
  OpenRecorded();
  const fs::path staged = store_->StagingFolder().value() / "part";
  for (const int error : {EINVAL, EXDEV}) {
    const std::string key = "part-" + std::to_string(error);
    WriteTestFile(staged, "bytes");
    recorder_.FailAt("move " + key, error);
    recorder_.done.clear();
    ASSERT_TRUE(store_->PutFile(key, staged).has_value());
    EXPECT_EQ(store_->Read(key).value(), "bytes");
    EXPECT_THAT(recorder_.done, ElementsAre("fsync TEMP", "move " + key, "fsync TEMP", "write TEMP",
                                            "fsync TEMP", "link " + key, "fsync ."));
    EXPECT_TRUE(NothingStaged());
    WriteTestFile(staged, "other");
    EXPECT_EQ(store_->PutFile(key, staged).error().kind, ErrorKind::kAlreadyExists);
    EXPECT_EQ(ReadTestFile(staged), "other");
    fs::remove(staged);
  }
}

TEST_F(LocalStoreTest, AFileFromAnotherDeviceIsCopied) {
  // /dev/shm is a file system of its own on every Linux this runs on.
  struct stat here{};
  struct stat there{};
  ASSERT_EQ(::stat(folder_.path().c_str(), &here), 0);
  ASSERT_EQ(::stat("/dev/shm", &there), 0);
  ASSERT_NE(here.st_dev, there.st_dev);
  const fs::path staged = "/dev/shm/storage-test-" + std::to_string(::getpid());
  WriteTestFile(staged, std::string(2'500'000, 'x'));
  ASSERT_TRUE(store_->PutFile("t/part", staged).has_value());
  EXPECT_FALSE(fs::exists(staged));
  EXPECT_TRUE(store_->Read("t/part").value() == std::string(2'500'000, 'x'));
  EXPECT_TRUE(NothingStaged());
}

TEST_F(LocalStoreTest, AFolderRemovedMeanwhileIsMadeAgain) {
  ASSERT_TRUE(store_->PutIfAbsent("a/b/0", "x").has_value());
  fs::remove_all(root_ / "a");
  EXPECT_EQ(store_->PutIfAbsent("a/b/1", "x").value(), PutOutcome::kCreated);
  fs::remove_all(root_);
  EXPECT_EQ(store_->PutIfAbsent("a/b/2", "x").value(), PutOutcome::kCreated);
}

TEST_F(LocalStoreTest, ANameIsAnObjectOrAFolder) {
  ASSERT_TRUE(store_->Put("a/b", "x").has_value());
  EXPECT_EQ(store_->Put("a", "x").error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(store_->PutIfAbsent("a", "x").error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(store_->PutIfAbsent("a/b/c", "x").error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(store_->Read("a").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(store_->Read("a/b/c").error().kind, ErrorKind::kNotFound);
  EXPECT_TRUE(store_->Delete("a").has_value());
  EXPECT_EQ(store_->Read("a/b").value(), "x");
  EXPECT_TRUE(NothingStaged());
}

TEST_F(LocalStoreTest, NamesTheFileSystemCannotHold) {
  EXPECT_EQ(store_->Put(std::string(300, 'x'), "x").error().kind, ErrorKind::kInvalidArgument);
}

TEST_F(LocalStoreTest, FollowsLinksAndSeesOnlyRegularFiles) {
  ASSERT_TRUE(store_->Put("t/a", "x").has_value());
  fs::create_directory(folder_.path() / "elsewhere");
  WriteTestFile(folder_.path() / "elsewhere/b", "y");
  fs::create_directory_symlink(folder_.path() / "elsewhere", root_ / "t/linked");
  fs::create_symlink(root_ / "nowhere", root_ / "t/dangling");
  ASSERT_EQ(::mkfifo((root_ / "t/pipe").c_str(), 0600), 0);
  std::vector<std::string> keys;
  const std::vector<ObjectInfo> listed = store_->List("").value();
  for (const ObjectInfo& info : listed) keys.push_back(info.key);
  EXPECT_THAT(keys, ElementsAre("t/a", "t/linked/b"));
  EXPECT_EQ(store_->Read("t/linked/b").value(), "y");
  EXPECT_EQ(store_->Read("t/pipe").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(store_->Read("t/dangling").error().kind, ErrorKind::kNotFound);
  fs::create_directory_symlink(root_ / "t", root_ / "t/cycle");
  EXPECT_FALSE(store_->List("").has_value());
}

// Runs `body` in a child process; true when it returned true.
bool InChild(const std::function<bool()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body() ? 0 : 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST_F(LocalStoreTest, NoPermissionIsNamed) {
  ASSERT_TRUE(store_->Put("t/a", "x").has_value());
  fs::permissions(folder_.path(), fs::perms::all);
  fs::permissions(root_ / "t", fs::perms::none);
  // As root nothing is refused: the child gives that up.
  EXPECT_TRUE(InChild([&] {
    if (::geteuid() == 0 && ::setuid(65534) != 0) return false;
    const auto refused = [](const auto& result) {
      return !result && result.error().kind == ErrorKind::kPermission;
    };
    return refused(store_->Read("t/a")) && refused(store_->List("")) &&
           refused(store_->PutIfAbsent("t/b", "x")) && refused(store_->Head("t/a"));
  }));
  fs::permissions(root_ / "t", fs::perms::all);
}

TEST_F(LocalStoreTest, OneOfTwoProcessesCreates) {
  constexpr int kKeys = 300;
  const auto race = [&](const fs::path& tally) {
    const auto store = LocalStore::Open(root_).value();
    std::string won;
    for (int k = 0; k < kKeys; ++k) {
      const auto outcome =
          store->PutIfAbsent("log/" + std::to_string(k), tally.filename().string());
      if (!outcome || *outcome == PutOutcome::kUnknown) return false;
      won += *outcome == PutOutcome::kCreated ? '1' : '0';
    }
    WriteTestFile(tally, won);
    return true;
  };
  const fs::path a = folder_.path() / "a";
  const fs::path b = folder_.path() / "b";
  const pid_t child = ::fork();
  if (child == 0) ::_exit(race(a) ? 0 : 1);
  EXPECT_TRUE(race(b));
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_EQ(status, 0);
  const std::string won_a = ReadTestFile(a);
  const std::string won_b = ReadTestFile(b);
  for (int k = 0; k < kKeys; ++k) {
    ASSERT_NE(won_a[k], won_b[k]) << "key " << k;
    EXPECT_EQ(store_->Read("log/" + std::to_string(k)).value(), won_a[k] == '1' ? "a" : "b");
  }
}

// A small file system when this process may mount one, else a limit on the size of files: either
// way the system itself refuses the bytes.
bool MakeTheDiskSmall(const fs::path& where) {
  fs::create_directory(where);
  if (::unshare(CLONE_NEWNS) == 0 &&
      ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
      ::mount("none", where.c_str(), "tmpfs", 0, "size=256k") == 0) {
    return true;
  }
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{256 << 10, 256 << 10};
  return ::setrlimit(RLIMIT_FSIZE, &limit) == 0;
}

TEST_F(LocalStoreTest, ARealFullDisk) {
  EXPECT_TRUE(InChild([&] {
    const fs::path root = folder_.path() / "small";
    if (!MakeTheDiskSmall(root)) return false;
    const auto store = LocalStore::Open(root).value();
    const std::string big(1 << 20, 'x');
    const auto full = [](const auto& r) { return !r && r.error().kind == ErrorKind::kNoSpace; };
    return full(store->Put("a", big)) && full(store->PutIfAbsent("b", big)) &&
           store->List("")->empty() && fs::is_empty(store->StagingFolder().value()) &&
           store->PutIfAbsent("c", "fits").value() == PutOutcome::kCreated &&
           store->Read("c").value() == "fits";
  }));
}

// Writes one object of each kind into $STORAGE_TEST_ROOT, or a folder of its own.
TEST(LocalStoreSyscalls, WriteOneOfEach) {
  const TestFolder own;
  const char* given = std::getenv("STORAGE_TEST_ROOT");
  const auto store = LocalStore::Open(given ? fs::path(given) : own.path()).value();
  EXPECT_EQ(store->PutIfAbsent("t/log/0.json", "x").value(), PutOutcome::kCreated);
  EXPECT_TRUE(store->Put("t/log/hint", "x").has_value());
  const fs::path staged = store->StagingFolder().value() / "part";
  WriteTestFile(staged, "x");
  EXPECT_TRUE(store->PutFile("t/part", staged).has_value());
}

// Places in `trace` of lines with all of `words`.
std::vector<size_t> Lines(const std::vector<std::string>& trace,
                          const std::vector<std::string>& words) {
  std::vector<size_t> found;
  for (size_t i = 0; i < trace.size(); ++i) {
    if (std::ranges::all_of(words, [&](const std::string& word) {
          return trace[i].find(word) != std::string::npos;
        })) {
      found.push_back(i);
    }
  }
  return found;
}

// The same order as above, but as the kernel sees it.
TEST(LocalStoreSyscalls, TheKernelSeesTheSyncsInOrder) {
  const TestFolder folder;
  const fs::path root = folder.path() / "lake";
  const fs::path out = folder.path() / "trace";
  const std::string self = fs::read_symlink("/proc/self/exe").string();
  const std::string command =
      "ASAN_OPTIONS=detect_leaks=0 STORAGE_TEST_ROOT=" + root.string() + " strace -f -y -o " +
      out.string() + " -e trace=fsync,fdatasync,link,linkat,rename,renameat,renameat2 " + self +
      " --gtest_filter=LocalStoreSyscalls.WriteOneOfEach > /dev/null";
  ASSERT_EQ(std::system(command.c_str()), 0) << "strace must be installed and allowed: " << command;

  std::vector<std::string> trace;
  std::ifstream in(out);
  for (std::string line; std::getline(in, line);) trace.push_back(line);
  const auto any_before = [&](size_t limit, const std::vector<std::string>& words) {
    const auto all = Lines(trace, words);
    return std::ranges::any_of(all, [&](size_t line) { return line < limit; });
  };
  const auto any_after = [&](size_t limit, const std::vector<std::string>& words) {
    const auto all = Lines(trace, words);
    return std::ranges::any_of(all, [&](size_t line) { return line > limit; });
  };
  const auto check = [&](const std::vector<std::string>& publish, const std::string& target,
                         const std::string& target_folder) {
    std::vector<std::string> words = publish;
    words.push_back('"' + (root / target).string() + '"');
    const auto lines = Lines(trace, words);
    ASSERT_EQ(lines.size(), 1u) << target;
    // link("<temporary>", "<target>") = 0: the file synced before is the one linked.
    const std::string& line = trace[lines[0]];
    EXPECT_THAT(line, HasSubstr("= 0"));
    const size_t begin = line.find('"') + 1;
    const std::string source = line.substr(begin, line.find('"', begin) - begin);
    EXPECT_TRUE(any_before(lines[0], {"fsync(", "<" + source + ">", "= 0"})) << line;
    EXPECT_TRUE(any_after(lines[0], {"fsync(", "<" + (root / target_folder).string() + ">", "= 0"}))
        << line;
  };
  check({"link("}, "t/log/0.json", "t/log");
  check({"rename("}, "t/log/hint", "t/log");
  check({"renameat2(", "RENAME_NOREPLACE"}, "t/part", "t");
  // New folders: the one above each is synced before anything is published in it.
  const size_t link = Lines(trace, {"link(", "0.json"}).at(0);
  EXPECT_TRUE(any_before(link, {"fsync(", "<" + folder.path().string() + ">"}));
  EXPECT_TRUE(any_before(link, {"fsync(", "<" + root.string() + ">"}));
  EXPECT_TRUE(any_before(link, {"fsync(", "<" + (root / "t").string() + ">"}));
}

}  // namespace
}  // namespace vitalake::storage
