// The n-th call to the store fails, for every n, in every way the store can fail; then the machine
// dies. What is left must be the table before or after, and nobody may have been told otherwise.
#include "delta/table_fixture.h"
#include "storage/faulty_store.h"

namespace vitalake::delta {
namespace {

using storage::CrashLoss;
using storage::FaultEffect;
using storage::FaultTimes;
using storage::FaultyStore;

struct Mode {
  const char* name;
  FaultTimes times;
  FaultEffect effect;
  ErrorKind kind;
};
void PrintTo(const Mode& mode, std::ostream* out) { *out << mode.name; }

const Mode kModes[] = {
    {"once", FaultTimes::kOnce, FaultEffect::kNothing, ErrorKind::kIo},
    {"disk full", FaultTimes::kForEver, FaultEffect::kNothing, ErrorKind::kNoSpace},
    {"gone", FaultTimes::kForEver, FaultEffect::kNothing, ErrorKind::kIo},
    {"answer lost", FaultTimes::kOnce, FaultEffect::kDone, ErrorKind::kUnknownOutcome},
    {"answer lost, then gone", FaultTimes::kForEver, FaultEffect::kDone,
     ErrorKind::kUnknownOutcome},
    {"done, but an error", FaultTimes::kOnce, FaultEffect::kDone, ErrorKind::kIo},
    {"not synced", FaultTimes::kOnce, FaultEffect::kVolatile, ErrorKind::kUnknownOutcome},
    {"not synced, then gone", FaultTimes::kForEver, FaultEffect::kVolatile,
     ErrorKind::kUnknownOutcome},
};

// What is known of a run that met a fault.
enum class Told { kDone, kFailed, kUnknown };

class FaultTest : public TableTest, public testing::WithParamInterface<Mode> {
 protected:
  static constexpr int64_t kMaxCalls = 60;

  static Told From(const Error& error) {
    return error.kind == ErrorKind::kUnknownOutcome ? Told::kUnknown : Told::kFailed;
  }
  static Told From(const Result<CommitResult>& result) {
    if (!result) return From(result.error());
    if (!std::holds_alternative<Committed>(*result)) throw std::runtime_error("conflict");
    return Told::kDone;
  }

  // Runs `work` on fresh stores made by `prepare`, with the fault at call 1, 2, ..., until a run
  // meets none; after each, `check` looks at the table as a crash leaves it.
  template <class Prepare, class Work, class Check>
  void AtEveryCall(Prepare prepare, Work work, Check check) {
    for (int64_t nth = 1;; ++nth) {
      ASSERT_LT(nth, kMaxCalls) << "the work never ends";
      storage::MemoryStore disk(&clock);
      FaultyStore store(disk, /*seed=*/static_cast<uint64_t>(nth));
      const auto table = Table::Open(MakeEnvironment(store), std::string(kRoot));
      prepare(disk, *table);
      store.ResetCounts();
      const Mode& mode = GetParam();
      store.Add({.nth = store.calls() + nth,
                 .call = std::nullopt,
                 .times = mode.times,
                 .kind = mode.kind,
                 .effect = mode.effect});
      const Told told = work(disk, *table);
      const bool met = store.calls() >= nth;
      ASSERT_TRUE(store.Crash(CrashLoss::kAllVolatile));
      SCOPED_TRACE(fmt::format("{}: call {}", mode.name, nth));
      // As another process sees it after the crash.
      const auto after = Table::Open(MakeEnvironment(disk), std::string(kRoot));
      check(*after, told);
      if (!met) return;
    }
  }

  Wait Soon() { return Wait::For(clock, std::chrono::seconds(10)); }
};

TEST_P(FaultTest, CreateLeavesATableOrNone) {
  AtEveryCall(
      [](storage::ObjectStore&, Table&) {},
      [&](storage::ObjectStore&, Table& table) {
        const auto snapshot = table.Create(PatientOptions(), Soon());
        return snapshot ? Told::kDone : From(snapshot.error());
      },
      [](Table& after, Told told) {
        const auto latest = after.Latest();
        if (told == Told::kDone) {
          ASSERT_TRUE(latest) << latest.error().ToString();
        }
        if (told == Told::kFailed) {
          ASSERT_FALSE(latest);
        }
        if (!latest) {
          EXPECT_EQ(latest.error().kind, ErrorKind::kNotFound);
          EXPECT_TRUE(after.Create(PatientOptions()));  // nothing in the way of a second try
        } else {
          EXPECT_EQ((*latest)->version(), Version{0});
        }
      });
}

// A commit that replaces "old" by "new" (with change rows), or is "appended" only.
enum class Change { kAppend, kMerge };

Told RunCommit(Change change, storage::ObjectStore& disk, Table& table, const Wait& wait) {
  const auto snapshot = table.Latest();
  if (!snapshot) return Told::kFailed;
  Transaction tx(table, *snapshot);
  tx.Add(PutDataFile(disk, table.root(), "new"));
  tx.SetTxn("app", 2);
  if (change == Change::kMerge) {
    tx.Remove("old");
    tx.AddCdc(PutChangeFile(disk, table.root(), "c"));
  } else {
    tx.ReadNothing();
  }
  const auto result = tx.Commit(wait);
  if (!result && result.error().kind == ErrorKind::kUnknownOutcome) return Told::kUnknown;
  if (!result) return Told::kFailed;
  return std::holds_alternative<Committed>(*result) ? Told::kDone : Told::kFailed;
}

void ExpectOldOrNew(Table& after, Told told, const std::vector<std::string>& old_paths,
                    const std::vector<std::string>& new_paths) {
  const auto latest = after.Latest();
  ASSERT_TRUE(latest) << latest.error().ToString();
  const bool is_new = (*latest)->version() == Version{2};
  EXPECT_EQ((*latest)->version(), Version{is_new ? 2 : 1});
  EXPECT_EQ(PathsOf(**latest), is_new ? new_paths : old_paths);
  EXPECT_EQ((*latest)->FindTxn("app"), is_new ? 2 : 1);
  if (told == Told::kDone) {
    EXPECT_TRUE(is_new) << "said to be committed, and lost";
  }
  if (told == Told::kFailed) {
    EXPECT_FALSE(is_new) << "said to have failed, and there";
  }
}

void PrepareOld(storage::ObjectStore& disk, Table& table) {
  if (!table.Create(PatientOptions())) throw std::runtime_error("create");
  Transaction tx(table, table.Latest().value());
  tx.Add(PutDataFile(disk, table.root(), "old"));
  tx.SetTxn("app", 1);
  MustCommit(tx.Commit());
}

TEST_P(FaultTest, AppendLeavesTheOldOrTheNewState) {
  AtEveryCall(
      PrepareOld,
      [&](storage::ObjectStore& disk, Table& table) {
        return RunCommit(Change::kAppend, disk, table, Soon());
      },
      [](Table& after, Told told) { ExpectOldOrNew(after, told, {"old"}, {"old", "new"}); });
}

TEST_P(FaultTest, MergeLeavesTheOldOrTheNewState) {
  AtEveryCall(
      PrepareOld,
      [&](storage::ObjectStore& disk, Table& table) {
        return RunCommit(Change::kMerge, disk, table, Soon());
      },
      [](Table& after, Told told) { ExpectOldOrNew(after, told, {"old"}, {"new"}); });
}

TEST_P(FaultTest, CheckpointChangesNothing) {
  AtEveryCall(
      PrepareOld,
      [&](storage::ObjectStore&, Table& table) {
        const auto status = table.Checkpoint(Version{1});
        return status ? Told::kDone : From(status.error());
      },
      [](Table& after, Told told) {
        ExpectOldOrNew(after, Told::kUnknown, {"old"}, {});
        if (told == Told::kDone) {
          // Then it carries the table alone.
          auto& store = after.environment().store;
          for (const int64_t version : {0, 1}) {
            ASSERT_TRUE(store.Delete(CommitKey(after.root(), Version{version})));
          }
          const auto alone = Table::Open(after.environment(), after.root())->Latest();
          ASSERT_TRUE(alone) << alone.error().ToString();
          EXPECT_EQ(PathsOf(**alone), std::vector<std::string>{"old"});
        }
        EXPECT_TRUE(after.Checkpoint(Version{1}) || told == Told::kDone);
      });
}

TEST_P(FaultTest, ReadingIsRightOrAnError) {
  AtEveryCall(
      [](storage::ObjectStore& disk, Table& table) {
        PrepareOld(disk, table);
        ASSERT_TRUE(table.Checkpoint(Version{1}));
        RunCommit(Change::kMerge, disk, table, {});
      },
      [&](storage::ObjectStore&, Table& table) {
        const auto fresh = Table::Open(table.environment(), table.root())->Latest();
        if (!fresh) return From(fresh.error());
        EXPECT_EQ(PathsOf(**fresh), std::vector<std::string>{"new"});
        return Told::kDone;
      },
      [](Table&, Told) {});
}

INSTANTIATE_TEST_SUITE_P(Modes, FaultTest, testing::ValuesIn(kModes));

}  // namespace
}  // namespace vitalake::delta
