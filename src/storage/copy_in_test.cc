#include "storage/copy_in.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/faulty_store.h"
#include "storage/local_store.h"
#include "storage/memory_store.h"
#include "storage/sha256.h"
#include "storage/test_folder.h"

namespace vitalake::storage {
namespace {

namespace fs = std::filesystem;

// Stages and publishes at once.
Result<StagedCopy> CopyIn(ObjectStore& store, const fs::path& source, std::string_view key) {
  VL_TRY(StagedCopy copy, StageCopy(store, source));
  VL_RETURN_IF_ERROR(copy.Publish(store, key));
  return copy;
}

class CopyInTest : public ::testing::Test {
 protected:
  fs::path Source(std::string_view bytes) {
    WriteTestFile(folder_.path() / "source.ndjson", bytes);
    return folder_.path() / "source.ndjson";
  }

  bool NothingThere() {
    return store_->List("")->empty() && fs::is_empty(store_->StagingFolder().value());
  }

  TestFolder folder_;
  std::unique_ptr<LocalStore> store_ = *LocalStore::Open(folder_.path() / "lake");
};

TEST_F(CopyInTest, CopiesAndHashes) {
  for (const size_t size : {0UL, 1UL, (1UL << 20) - 1, 1UL << 20, 9'000'001UL}) {
    std::string bytes(size, 'x');
    for (size_t i = 0; i < size; i += 97) bytes[i] = static_cast<char>(i / 97);
    const std::string key = "bronze/" + std::to_string(size);
    const auto copied = CopyIn(*store_, Source(bytes), key);
    ASSERT_TRUE(copied.has_value()) << copied.error().ToString();
    EXPECT_EQ(copied->size_bytes(), static_cast<int64_t>(size));
    EXPECT_EQ(copied->sha256(), Sha256Hex(bytes));
    EXPECT_TRUE(store_->Read(key).value() == bytes);
  }
  EXPECT_TRUE(fs::exists(folder_.path() / "source.ndjson"));
  EXPECT_TRUE(fs::is_empty(store_->StagingFolder().value()));
}

TEST_F(CopyInTest, IsReadableBeforeAndAfterItIsPublishedAndGoesWithItsOwner) {
  fs::path staged;
  {
    const auto copy = StageCopy(*store_, Source("abc"));
    ASSERT_TRUE(copy.has_value());
    staged = copy->path();
    EXPECT_EQ(fs::file_size(staged), 3u);
    EXPECT_TRUE(store_->List("")->empty());
    ASSERT_TRUE(copy->Publish(*store_, "b/x").has_value());
    EXPECT_EQ(fs::file_size(staged), 3u);
  }
  EXPECT_FALSE(fs::exists(staged));
  EXPECT_EQ(store_->Read("b/x").value(), "abc");
}

TEST_F(CopyInTest, WorksIntoMemory) {
  MemoryStore memory;
  EXPECT_EQ(CopyIn(memory, Source("abc"), "b/x")->sha256(), Sha256Hex("abc"));
  EXPECT_EQ(memory.Read("b/x").value(), "abc");
}

TEST_F(CopyInTest, NamesWhatIsWrongWithTheSource) {
  EXPECT_EQ(CopyIn(*store_, folder_.path() / "gone", "k").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(CopyIn(*store_, folder_.path(), "k").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(CopyIn(*store_, Source("x"), "../k").error().kind, ErrorKind::kInvalidArgument);
  EXPECT_TRUE(NothingThere());
}

TEST_F(CopyInTest, APipeDoesNotHoldIt) {
  const fs::path pipe = folder_.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(CopyIn(*store_, pipe, "k").error().kind, ErrorKind::kNotFound);
}

TEST_F(CopyInTest, LeavesATakenKeyAlone) {
  ASSERT_TRUE(store_->Put("k", "old").has_value());
  EXPECT_EQ(CopyIn(*store_, Source("new"), "k").error().kind, ErrorKind::kAlreadyExists);
  EXPECT_EQ(store_->Read("k").value(), "old");
  EXPECT_TRUE(fs::is_empty(store_->StagingFolder().value()));
}

TEST_F(CopyInTest, LeavesNothingWhenTheStoreFails) {
  FaultyStore faulty(*store_);
  faulty.Add({.call = StoreCall::kPutFile, .kind = ErrorKind::kNoSpace});
  EXPECT_EQ(CopyIn(faulty, Source("new"), "k").error().kind, ErrorKind::kNoSpace);
  EXPECT_TRUE(NothingThere());
}

// The source is changed from inside the store's first call, which comes after it was opened.
class ChangingSourceTest : public CopyInTest {
 protected:
  Result<StagedCopy> CopyWhile(const std::function<void(const fs::path&)>& change) {
    const fs::path source = Source(std::string(3 << 20, 'x'));
    FaultyStore faulty(*store_);
    faulty.Before(1, [&] { change(source); });
    return CopyIn(faulty, source, "k");
  }
};

TEST_F(ChangingSourceTest, Shrinks) {
  const auto copied = CopyWhile([](const fs::path& source) { fs::resize_file(source, 1 << 20); });
  EXPECT_EQ(copied.error().kind, ErrorKind::kIo);
  EXPECT_NE(copied.error().message.find("changed while it was copied"), std::string::npos);
  EXPECT_TRUE(NothingThere());
}

TEST_F(ChangingSourceTest, Grows) {
  const auto copied = CopyWhile(
      [](const fs::path& source) { std::ofstream(source, std::ios::app) << "one line more"; });
  EXPECT_EQ(copied.error().kind, ErrorKind::kIo);
  EXPECT_TRUE(NothingThere());
}

TEST_F(ChangingSourceTest, IsRewrittenAtTheSameSize) {
  const auto copied = CopyWhile([](const fs::path& source) {
    fs::last_write_time(source, fs::last_write_time(source) + std::chrono::seconds(1));
  });
  EXPECT_EQ(copied.error().kind, ErrorKind::kIo);
  EXPECT_TRUE(NothingThere());
}

TEST_F(ChangingSourceTest, IsRemovedButStillReadable) {
  EXPECT_TRUE(CopyWhile([](const fs::path& source) { fs::remove(source); }).has_value());
  EXPECT_EQ(store_->Head("k")->size_bytes, 3 << 20);
}

}  // namespace
}  // namespace vitalake::storage
