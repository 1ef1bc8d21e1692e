// What the tests of the log share: a table in memory, with a clock and randomness that hold still.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "delta/log_files.h"
#include "delta/ndjson_parquet_fixture.h"
#include "delta/table.h"
#include "delta/transaction.h"
#include "storage/memory_store.h"

namespace vitalake::delta {

inline constexpr Micros kSecond = 1'000'000;
inline constexpr Micros kStart = 1'790'000'000 * kSecond;

inline CreateOptions PatientOptions() {
  const Column columns[] = {{"id", DeltaType(TypeKind::kString), false},
                            {"value", DeltaType(TypeKind::kLong)}};
  return {.schema = Schema::Flat(columns)};
}

// Puts a data file of `rows` rows where the table can name it.
inline AddFile PutDataFile(storage::ObjectStore& store, std::string_view root, std::string path,
                           int64_t rows = 1) {
  const std::string bytes = fmt::format("rows {} of {}", rows, path);
  EXPECT_TRUE(store.Put(fmt::format("{}/{}", root, path), bytes));
  return {.path = std::move(path),
          .size_bytes = static_cast<int64_t>(bytes.size()),
          .stats = fmt::format(R"({{"numRecords":{}}})", rows)};
}

inline CdcFile PutChangeFile(storage::ObjectStore& store, std::string_view root, std::string name) {
  const AddFile file = PutDataFile(store, root, "_change_data/" + name);
  return {.path = file.path, .size_bytes = file.size_bytes};
}

inline std::vector<std::string> PathsOf(const Snapshot& snapshot) {
  std::vector<std::string> paths;
  for (const AddFilePtr& file : snapshot.files()) paths.push_back(file->path);
  return paths;
}

inline Committed MustCommit(const Result<CommitResult>& result) {
  if (!result) throw std::runtime_error(result.error().ToString());
  if (const auto* lost = std::get_if<Conflict>(&*result)) throw std::runtime_error(lost->message);
  return std::get<Committed>(*result);
}

inline Conflict MustConflict(const Result<CommitResult>& result) {
  if (!result) throw std::runtime_error(result.error().ToString());
  if (std::holds_alternative<Committed>(*result)) throw std::runtime_error("committed");
  return std::get<Conflict>(*result);
}

// Derived fixtures may put another store in front of `memory`.
class TableTest : public testing::Test {
 protected:
  static constexpr std::string_view kRoot = "silver/patient";

  Environment MakeEnvironment(storage::ObjectStore& store) {
    return {store, parquet, clock, random};
  }
  std::unique_ptr<Table> OpenTable() {
    return Table::Open(MakeEnvironment(memory), std::string(kRoot));
  }
  SnapshotPtr Create(Table& table, const CreateOptions& options = PatientOptions()) {
    auto snapshot = table.Create(options);
    if (!snapshot) throw std::runtime_error(snapshot.error().ToString());
    return *snapshot;
  }
  AddFile DataFile(std::string path, int64_t rows = 1) {
    return PutDataFile(memory, kRoot, std::move(path), rows);
  }
  CdcFile ChangeFileOf(std::string name) { return PutChangeFile(memory, kRoot, std::move(name)); }
  // Appends one file to the newest version.
  Committed Append(Table& table, std::string path) {
    clock.Advance(kSecond);
    Transaction tx(table, table.Latest().value());
    tx.Add(DataFile(std::move(path)));
    tx.ReadNothing();
    return MustCommit(tx.Commit());
  }
  // Puts a hand-written commit (or any log file) into the log.
  void PutLog(std::string_view name, std::string_view text) {
    clock.Advance(kSecond);
    ASSERT_TRUE(memory.Put(fmt::format("{}/_delta_log/{}", kRoot, name), text));
  }
  static std::string CommitName(int64_t version) { return fmt::format("{:020}.json", version); }
  static std::string CheckpointName(int64_t version) {
    return fmt::format("{:020}.checkpoint.parquet", version);
  }
  std::string LogText(std::string_view name) {
    return memory.Read(fmt::format("{}/_delta_log/{}", kRoot, name)).value_or("");
  }
  void DeleteLog(std::string_view name) {
    ASSERT_TRUE(memory.Delete(fmt::format("{}/_delta_log/{}", kRoot, name)));
  }

  ManualClock clock{kStart};
  SeededRandom random{7};
  storage::MemoryStore memory{&clock};
  NdjsonParquet parquet;
};

}  // namespace vitalake::delta
