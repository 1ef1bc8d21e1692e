#include <algorithm>

#include "ingest/monitoring/watch_fixture.h"

namespace vitalake::ingest {
namespace {

// A process may die anywhere: between recording facts, telling, bronze, ops.alert and the snapshot.
class CrashTest : public testing::Test {
 protected:
  static std::vector<std::vector<TimedText>> Batches() {
    std::vector<std::vector<TimedText>> batches;
    batches.push_back({{kSecond, Pressure({"a", 0, 185, 100})},
                       {2 * kSecond, Pressure({"x", 0, 210, 90, "nobody"})}});
    batches.push_back({{5 * kMinute, Pressure({"b", 5 * kMinute, 188, 102})},
                       {6 * kMinute, Pressure({"c", 6 * kMinute, 165, 90, "p2"})}});
    batches.push_back({{9 * kMinute, Pressure({"d", 9 * kMinute, 166, 92, "p2"})},
                       {10 * kMinute, Pressure({"b", 5 * kMinute, 118, 76, "p1", "final", "2"})}});
    batches.push_back({{40 * kMinute, Pressure({"e", 40 * kMinute, 121, 79})},
                       {41 * kMinute, Pressure({"f", 41 * kMinute, 119, 80, "p2"})}});
    return batches;
  }

  struct Outcome {
    std::string alerts, snapshot, actions;
  };
  // Observes each batch one ahead of what is committed, and dies after step `crash`.
  static Outcome Run(int crash, bool with_snapshots) {
    WatchedStream stream;
    stream.lake().Ingest({{"patients.ndjson", kPatients}});
    stream.Start();
    const auto batches = Batches();
    int step = 0;
    size_t observed = 0, committed = 0;
    const auto maybe_crash = [&] {
      if (step++ != crash) return;
      stream.Start();
      observed = committed;
    };
    while (committed < batches.size()) {
      if (with_snapshots) stream.clock().Advance(2 * kMinute);
      while (observed < std::min(committed + 2, batches.size())) {
        stream.Observe(batches[observed++]);
        maybe_crash();
      }
      stream.Commit();
      ++committed;
      maybe_crash();
    }
    Outcome outcome;
    outcome.snapshot = stream.Snapshot();
    outcome.alerts = stream.Rows("SELECT * FROM ops.alert ORDER BY sequence");
    outcome.actions = stream.Rows(
        "SELECT actor, action, target, source_offset, ordinal FROM ops.action ORDER BY ordinal");
    return outcome;
  }
};

TEST_F(CrashTest, AnywhereGivesTheSameAlertsAndTheSameState) {
  const Outcome whole = Run(-1, true);
  ASSERT_NE(whole.alerts, "");
  const auto check = [&](int crash, bool with_snapshots) {
    const Outcome broken = Run(crash, with_snapshots);
    EXPECT_EQ(broken.alerts, whole.alerts) << crash;
    EXPECT_EQ(broken.actions, whole.actions) << crash;
    EXPECT_TRUE(broken.snapshot == whole.snapshot) << crash;
  };
  for (int crash = 0; crash < 8; ++crash) check(crash, true);
  for (const int crash : {3, 6}) check(crash, false);
}

TEST_F(CrashTest, ASnapshotAheadOfBronzeOrDamagedIsNotUsed) {
  WatchedStream stream;
  stream.lake().Ingest({{"patients.ndjson", kPatients}});
  stream.Start();
  for (const auto& batch : Batches()) stream.Take(batch);
  const std::string snapshot = stream.Snapshot();
  stream.End();
  const MonitorSnapshots snapshots(stream.lake().lake().store(), stream.Partition().AppId());
  EXPECT_EQ(snapshots.List().value(), std::vector<int64_t>{8});
  ASSERT_TRUE(snapshots.Write(9, snapshot).has_value());
  ASSERT_TRUE(snapshots.Write(7, "damaged").has_value());
  stream.Start();
  EXPECT_EQ(stream.Snapshot() == snapshot, true);
}

}  // namespace
}  // namespace vitalake::ingest
