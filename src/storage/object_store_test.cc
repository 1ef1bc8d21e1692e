// The contract of ObjectStore, run over every implementation.
#include "storage/object_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "storage/faulty_store.h"
#include "storage/local_store.h"
#include "storage/memory_store.h"
#include "storage/test_folder.h"

namespace vitalake::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Local {
  TestFolder folder;
  std::unique_ptr<LocalStore> store = *LocalStore::Open(folder.path() / "root");
  ObjectStore& get() { return *store; }
};

struct Memory {
  MemoryStore store;
  ObjectStore& get() { return store; }
};

struct FaultyOverMemory {
  FaultyStore store;
  ObjectStore& get() { return store; }
};

struct FaultyOverLocal {
  Local local;
  FaultyStore store{local.get()};
  ObjectStore& get() { return store; }
};

template <class T>
class ObjectStoreTest : public ::testing::Test {
 protected:
  ObjectStore& store() { return holder_.get(); }

  std::vector<std::string> Keys(std::string_view prefix, std::string_view after = {}) {
    std::vector<std::string> keys;
    const std::vector<ObjectInfo> listed = store().List(prefix, after).value();
    for (const ObjectInfo& info : listed) keys.push_back(info.key);
    return keys;
  }

  ErrorKind KindOfRead(std::string_view key) { return store().Read(key).error().kind; }

  fs::path Stage(std::string_view name, std::string_view bytes) {
    const fs::path path = store().StagingFolder().value() / name;
    WriteTestFile(path, bytes);
    return path;
  }

 private:
  T holder_;
};

using Stores = ::testing::Types<Local, Memory, FaultyOverMemory, FaultyOverLocal>;
TYPED_TEST_SUITE(ObjectStoreTest, Stores);

TYPED_TEST(ObjectStoreTest, EmptyStoreHasNothing) {
  EXPECT_THAT(this->Keys(""), IsEmpty());
  EXPECT_THAT(this->store().ListFolder("").value(), IsEmpty());
  EXPECT_EQ(this->KindOfRead("a"), ErrorKind::kNotFound);
  EXPECT_EQ(this->store().Head("a/b").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(this->store().ReadRange("a", 0, 1).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(this->store().LocalPath("a").error().kind, ErrorKind::kNotFound);
  EXPECT_TRUE(this->store().Delete("a/b").has_value());
}

TYPED_TEST(ObjectStoreTest, PutReplaces) {
  ASSERT_TRUE(this->store().Put("t/_last_checkpoint", "one").has_value());
  ASSERT_TRUE(this->store().Put("t/_last_checkpoint", "number two").has_value());
  EXPECT_EQ(this->store().Read("t/_last_checkpoint").value(), "number two");
  EXPECT_EQ(this->store().Head("t/_last_checkpoint")->size_bytes, 10);
}

TYPED_TEST(ObjectStoreTest, PutCacheReplacesToo) {
  ASSERT_TRUE(this->store().PutCache("cache/k", "one").has_value());
  ASSERT_TRUE(this->store().PutCache("cache/k", "number two").has_value());
  EXPECT_EQ(this->store().Read("cache/k").value(), "number two");
  EXPECT_EQ(this->Keys(""), std::vector<std::string>{"cache/k"});
}

TYPED_TEST(ObjectStoreTest, PutMarkReplacesToo) {
  for (const char* const bytes : {"0001", "0002", "00003", "4"}) {
    ASSERT_TRUE(this->store().PutMark("cache/k", bytes).has_value());
    EXPECT_EQ(this->store().Read("cache/k").value(), bytes);
  }
  EXPECT_EQ(this->Keys(""), std::vector<std::string>{"cache/k"});
}

TYPED_TEST(ObjectStoreTest, PutIfAbsentKeepsTheFirst) {
  EXPECT_EQ(this->store().PutIfAbsent("t/0.json", "first").value(), PutOutcome::kCreated);
  EXPECT_EQ(this->store().PutIfAbsent("t/0.json", "second").value(), PutOutcome::kExists);
  EXPECT_EQ(this->store().Read("t/0.json").value(), "first");
}

TYPED_TEST(ObjectStoreTest, EveryByteComesBack) {
  std::string bytes;
  for (int i = 0; i < 3'000'000; ++i) bytes += static_cast<char>(i * 31 + i / 251);
  ASSERT_EQ(this->store().PutIfAbsent("big", bytes).value(), PutOutcome::kCreated);
  EXPECT_TRUE(this->store().Read("big").value() == bytes);
  ASSERT_TRUE(this->store().Put("empty", "").has_value());
  EXPECT_EQ(this->store().Read("empty").value(), "");
  EXPECT_EQ(this->store().Head("empty")->size_bytes, 0);
}

TYPED_TEST(ObjectStoreTest, RangesAreClipped) {
  ASSERT_TRUE(this->store().Put("r", "0123456789").has_value());
  EXPECT_EQ(this->store().ReadRange("r", 2, 3).value(), "234");
  EXPECT_EQ(this->store().ReadRange("r", 8, 100).value(), "89");
  EXPECT_EQ(this->store().ReadRange("r", 10, 1).value(), "");
  EXPECT_EQ(this->store().ReadRange("r", 11, 1).value(), "");
  EXPECT_EQ(this->store().ReadRange("r", 3, 0).value(), "");
  EXPECT_EQ(this->store().ReadRange("r", -1, 1).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(this->store().ReadRange("r", 1, -1).error().kind, ErrorKind::kInvalidArgument);
}

TYPED_TEST(ObjectStoreTest, AReaderGivesTheSameRanges) {
  ASSERT_TRUE(this->store().Put("r", "0123456789").has_value());
  const auto reader = this->store().OpenReader("r");
  ASSERT_TRUE(reader) << reader.error().ToString();
  EXPECT_EQ((*reader)->size_bytes(), 10);
  (*reader)->WillRead(2, 100);
  EXPECT_EQ((*reader)->ReadRange(2, 3).value(), "234");
  EXPECT_EQ((*reader)->ReadRange(0, 2).value(), "01");
  EXPECT_EQ((*reader)->ReadRange(8, 100).value(), "89");
  EXPECT_EQ((*reader)->ReadRange(11, 1).value(), "");
  EXPECT_EQ((*reader)->ReadRange(-1, 1).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ((*reader)->ReadRange(1, -1).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(this->store().OpenReader("none").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(this->store().OpenReader("../r").error().kind, ErrorKind::kInvalidArgument);
}

TYPED_TEST(ObjectStoreTest, ListsByPlainPrefixInByteOrder) {
  // '!' and '-' sort before '/', '0' after it: folders and files interleave.
  for (const char* key : {"t/b", "t/a/1", "t/a-", "t/a0", "t/a!/x", "u", "t/log/2", "t/log/10"}) {
    ASSERT_TRUE(this->store().Put(key, key).has_value());
  }
  EXPECT_THAT(this->Keys(""),
              ElementsAre("t/a!/x", "t/a-", "t/a/1", "t/a0", "t/b", "t/log/10", "t/log/2", "u"));
  EXPECT_THAT(this->Keys("t/a"), ElementsAre("t/a!/x", "t/a-", "t/a/1", "t/a0"));
  EXPECT_THAT(this->Keys("t/a/"), ElementsAre("t/a/1"));
  EXPECT_THAT(this->Keys("t/log/1"), ElementsAre("t/log/10"));
  EXPECT_THAT(this->Keys("t/log"), ElementsAre("t/log/10", "t/log/2"));
  EXPECT_THAT(this->Keys("nothing/here"), IsEmpty());
  EXPECT_THAT(this->Keys("u/"), IsEmpty());
}

TYPED_TEST(ObjectStoreTest, ListsBehindAKey) {
  for (const char* key : {"a/1", "a/2", "b/1", "c"}) {
    ASSERT_TRUE(this->store().Put(key, "x").has_value());
  }
  EXPECT_THAT(this->Keys("", "a/1"), ElementsAre("a/2", "b/1", "c"));
  EXPECT_THAT(this->Keys("", "a/11"), ElementsAre("a/2", "b/1", "c"));
  EXPECT_THAT(this->Keys("", "b"), ElementsAre("b/1", "c"));
  EXPECT_THAT(this->Keys("a/", "a/2"), IsEmpty());
  EXPECT_THAT(this->Keys("b/", "a/2"), ElementsAre("b/1"));
  EXPECT_THAT(this->Keys("a/", "z"), IsEmpty());
}

TYPED_TEST(ObjectStoreTest, ListsOneFolder) {
  for (const char* key : {"t/x/1", "t/x/2/3", "t/x.json", "t/y", "v/1"}) {
    ASSERT_TRUE(this->store().Put(key, "x").has_value());
  }
  EXPECT_THAT(this->store().ListFolder("").value(), ElementsAre("t/", "v/"));
  EXPECT_THAT(this->store().ListFolder("t/").value(), ElementsAre("x.json", "x/", "y"));
  EXPECT_THAT(this->store().ListFolder("t/x/").value(), ElementsAre("1", "2/"));
  EXPECT_THAT(this->store().ListFolder("none/").value(), IsEmpty());
  EXPECT_EQ(this->store().ListFolder("t").error().kind, ErrorKind::kInvalidArgument);
}

TYPED_TEST(ObjectStoreTest, ListTellsSizeAndTime) {
  const Micros before = SystemClock().NowMicros() - 1'000'000;
  ASSERT_TRUE(this->store().Put("a", "12345").has_value());
  const auto listed = this->store().List("").value();
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0].size_bytes, 5);
  EXPECT_GE(listed[0].modified, before);
  EXPECT_LE(listed[0].modified, SystemClock().NowMicros() + 1'000'000);
  EXPECT_EQ(this->store().Head("a")->modified, listed[0].modified);
}

TYPED_TEST(ObjectStoreTest, StrangeKeysAreKeysToo) {
  const std::vector<std::string> keys = {"a b/c%20d", "p=1%2F2/x", "Größe/日本.json", ".hidden",
                                         "..x/y..",   "q\"'\\*?[", "\x01\x7f",        "a\nb"};
  for (const std::string& key : keys) {
    ASSERT_EQ(this->store().PutIfAbsent(key, key).value(), PutOutcome::kCreated) << key;
  }
  EXPECT_THAT(this->Keys(""), ::testing::UnorderedElementsAreArray(keys));
  for (const std::string& key : keys) {
    EXPECT_EQ(this->store().Read(key).value(), key);
    EXPECT_EQ(ReadTestFile(this->store().LocalPath(key).value()), key);
  }
}

TYPED_TEST(ObjectStoreTest, KeysCannotLeaveTheStore) {
  using namespace std::string_view_literals;
  for (const std::string_view key :
       {""sv, "/"sv, "/etc/passwd"sv, "a/"sv, "a//b"sv, ".."sv, "../x"sv, "a/../b"sv, "a/."sv,
        "./a"sv, "a/.."sv, "a\0b"sv, "_vitalake/staging"sv, "_vitalake/staging/x"sv}) {
    EXPECT_EQ(this->store().Put(key, "x").error().kind, ErrorKind::kInvalidArgument) << key;
    EXPECT_EQ(this->store().PutIfAbsent(key, "x").error().kind, ErrorKind::kInvalidArgument);
    EXPECT_EQ(this->store().Read(key).error().kind, ErrorKind::kInvalidArgument) << key;
    EXPECT_EQ(this->store().ReadRange(key, 0, 1).error().kind, ErrorKind::kInvalidArgument);
    EXPECT_EQ(this->store().Head(key).error().kind, ErrorKind::kInvalidArgument) << key;
    EXPECT_EQ(this->store().Delete(key).error().kind, ErrorKind::kInvalidArgument) << key;
    EXPECT_EQ(this->store().LocalPath(key).error().kind, ErrorKind::kInvalidArgument) << key;
    EXPECT_EQ(this->store().PutFile(key, this->Stage("s", "x")).error().kind,
              ErrorKind::kInvalidArgument);
  }
  for (const std::string_view prefix : {"/"sv, "../"sv, "a/../"sv, "a//"sv, "\0"sv}) {
    EXPECT_EQ(this->store().List(prefix).error().kind, ErrorKind::kInvalidArgument) << prefix;
    EXPECT_EQ(this->store().ListFolder(prefix).error().kind, ErrorKind::kInvalidArgument);
  }
}

TYPED_TEST(ObjectStoreTest, PutFileMovesTheFile) {
  const fs::path staged = this->Stage("part", "parquet bytes");
  ASSERT_TRUE(this->store().PutFile("t/part.parquet", staged).has_value());
  EXPECT_FALSE(fs::exists(staged));
  EXPECT_EQ(this->store().Read("t/part.parquet").value(), "parquet bytes");
}

TYPED_TEST(ObjectStoreTest, PutFileDoesNotOverwrite) {
  ASSERT_TRUE(this->store().Put("t/part", "old").has_value());
  const fs::path staged = this->Stage("part", "new");
  EXPECT_EQ(this->store().PutFile("t/part", staged).error().kind, ErrorKind::kAlreadyExists);
  EXPECT_EQ(ReadTestFile(staged), "new");
  EXPECT_EQ(this->store().Read("t/part").value(), "old");
}

TYPED_TEST(ObjectStoreTest, PutFileNeedsTheFile) {
  const fs::path missing = this->store().StagingFolder().value() / "missing";
  EXPECT_EQ(this->store().PutFile("t/part", missing).error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(this->Keys(""), IsEmpty());
}

TYPED_TEST(ObjectStoreTest, StagedFilesAreNoObjects) {
  this->Stage("half-written", "x");
  ASSERT_TRUE(this->store().Put("a/b", "x").has_value());
  EXPECT_THAT(this->Keys(""), ElementsAre("a/b"));
  EXPECT_THAT(this->Keys("_vitalake/staging/"), IsEmpty());
  EXPECT_THAT(this->Keys("_vitalake/staging/half"), IsEmpty());
  EXPECT_THAT(this->store().ListFolder("").value(), ElementsAre("a/"));
  ASSERT_TRUE(this->store().Put("_vitalake/index", "x").has_value());
  EXPECT_THAT(this->store().ListFolder("").value(), ElementsAre("_vitalake/", "a/"));
  EXPECT_THAT(this->store().ListFolder("_vitalake/").value(), ElementsAre("index"));
}

TYPED_TEST(ObjectStoreTest, WritingLeavesNothingStaged) {
  ASSERT_TRUE(this->store().Put("a", "x").has_value());
  ASSERT_TRUE(this->store().PutIfAbsent("a", "y").has_value());
  ASSERT_TRUE(this->store().PutIfAbsent("b", "y").has_value());
  EXPECT_TRUE(fs::is_empty(this->store().StagingFolder().value()));
}

TYPED_TEST(ObjectStoreTest, DeleteMakesRoom) {
  ASSERT_TRUE(this->store().Put("a/b", "x").has_value());
  ASSERT_TRUE(this->store().Delete("a/b").has_value());
  EXPECT_EQ(this->KindOfRead("a/b"), ErrorKind::kNotFound);
  EXPECT_THAT(this->Keys(""), IsEmpty());
  EXPECT_EQ(this->store().PutIfAbsent("a/b", "y").value(), PutOutcome::kCreated);
}

TYPED_TEST(ObjectStoreTest, LocalPathHasTheBytesAndTheName) {
  ASSERT_TRUE(this->store().Put("t/part-0.parquet", "one").has_value());
  const fs::path path = this->store().LocalPath("t/part-0.parquet").value();
  EXPECT_EQ(path.filename(), "part-0.parquet");
  EXPECT_EQ(ReadTestFile(path), "one");
  ASSERT_TRUE(this->store().Put("t/part-0.parquet", "two").has_value());
  EXPECT_EQ(ReadTestFile(this->store().LocalPath("t/part-0.parquet").value()), "two");
}

TYPED_TEST(ObjectStoreTest, OneOfManyThreadsCreates) {
  constexpr int kThreads = 8;
  constexpr int kKeys = 40;
  std::vector<std::atomic<int>> created(kKeys);
  std::vector<std::atomic<int>> winner(kKeys);
  std::vector<std::jthread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int k = 0; k < kKeys; ++k) {
        const auto outcome =
            this->store().PutIfAbsent("log/" + std::to_string(k), std::to_string(t));
        ASSERT_TRUE(outcome.has_value());
        ASSERT_NE(*outcome, PutOutcome::kUnknown);
        if (*outcome != PutOutcome::kCreated) continue;
        ++created[k];
        winner[k] = t;
      }
    });
  }
  threads.clear();
  for (int k = 0; k < kKeys; ++k) {
    EXPECT_EQ(created[k], 1);
    EXPECT_EQ(this->store().Read("log/" + std::to_string(k)).value(), std::to_string(winner[k]));
  }
}

TYPED_TEST(ObjectStoreTest, ReadersSeeWholeObjectsOnly) {
  constexpr size_t kSize = 200'000;
  std::atomic<bool> done = false;
  ASSERT_TRUE(this->store().Put("hint", std::string(kSize, 'a')).has_value());
  std::jthread writer([&] {
    for (int i = 0; i < 50; ++i) {
      EXPECT_TRUE(this->store()
                      .Put("hint", std::string(kSize, static_cast<char>('a' + i % 26)))
                      .has_value());
    }
    done = true;
  });
  int reads = 0;
  while (!done || reads == 0) {
    const std::string bytes = this->store().Read("hint").value();
    ASSERT_EQ(bytes, std::string(kSize, bytes[0]));
    ++reads;
  }
}

}  // namespace
}  // namespace vitalake::storage
