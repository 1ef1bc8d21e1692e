// Many writers at once, with the real clock and real threads.
#include <atomic>
#include <thread>

#include "delta/table_fixture.h"

namespace vitalake::delta {
namespace {

using std::chrono::seconds;

// Real clock and randomness: the test's own hold still and are not thread-safe.
class ManyWritersTest : public testing::Test {
 protected:
  static constexpr int kWriters = 6;
  static constexpr int kCommits = 15;

  std::unique_ptr<Table> OpenTable() { return Table::Open({memory, parquet, clock, random}, "t"); }
  template <class Work>
  void InParallel(Work work) {
    std::vector<std::jthread> threads;
    for (int writer = 0; writer < kWriters; ++writer) {
      threads.emplace_back([writer, &work] { work(writer); });
    }
  }

  SystemClock clock;
  SystemRandom random;
  storage::MemoryStore memory;
  NdjsonParquet parquet;
};

TEST_F(ManyWritersTest, BlindAppendsAllLandOnce) {
  ASSERT_TRUE(OpenTable()->Create(PatientOptions()));
  InParallel([&](int writer) {
    const auto table = OpenTable();
    for (int i = 0; i < kCommits; ++i) {
      Transaction tx(*table, table->Latest().value());
      tx.Add(PutDataFile(memory, "t", fmt::format("{}-{}", writer, i)));
      tx.ReadNothing();
      MustCommit(tx.Commit(Wait::For(clock, seconds(60))));
    }
  });
  const SnapshotPtr end = OpenTable()->Latest().value();
  EXPECT_EQ(end->version(), Version{kWriters * kCommits});
  EXPECT_EQ(end->files().size(), size_t{kWriters} * kCommits);
}

TEST_F(ManyWritersTest, CountersInTransactionsLoseNoStep) {
  ASSERT_TRUE(OpenTable()->Create(PatientOptions()));
  InParallel([&](int) {
    const auto table = OpenTable();
    for (int done = 0; done < kCommits;) {
      const SnapshotPtr snapshot = table->Latest().value();
      Transaction tx(*table, snapshot);
      tx.SetTxn("counter", snapshot->FindTxn("counter").value_or(0) + 1);
      tx.ReadNothing();
      const auto result = tx.Commit(Wait::For(clock, seconds(60)));
      if (!result) throw std::runtime_error(result.error().ToString());
      if (std::holds_alternative<Committed>(*result)) ++done;
    }
  });
  EXPECT_EQ(OpenTable()->Latest().value()->FindTxn("counter"), kWriters * kCommits);
}

TEST_F(ManyWritersTest, OneOfManyCreates) {
  std::atomic<int> created = 0;
  InParallel([&](int) {
    const auto snapshot = OpenTable()->Create(PatientOptions());
    if (snapshot) ++created;
    if (!snapshot && snapshot.error().kind != ErrorKind::kAlreadyExists) {
      throw std::runtime_error(snapshot.error().ToString());
    }
  });
  EXPECT_EQ(created, 1);
}

TEST_F(ManyWritersTest, OneTableObjectServesManyThreads) {
  const auto table = OpenTable();
  ASSERT_TRUE(table->Create(PatientOptions()));
  InParallel([&](int writer) {
    for (int i = 0; i < kCommits; ++i) {
      Transaction tx(*table, table->Latest().value());
      tx.Add(PutDataFile(memory, "t", fmt::format("{}-{}", writer, i)));
      tx.ReadNothing();
      MustCommit(tx.Commit(Wait::For(clock, seconds(60))));
    }
  });
  EXPECT_EQ(table->Latest().value()->files().size(), size_t{kWriters} * kCommits);
}

}  // namespace
}  // namespace vitalake::delta
