// Lake: the named tables of one lake, and what everything above needs to work on them.
//
// On disk (docs/ARCHITECTURE.md): bronze/<source>/yyyy/MM/dd/<file> as received; silver/*, gold/*,
// ops/* Delta tables; _vitalake/ staging, run locks, caches.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "delta/table.h"
#include "engine/engine.h"
#include "engine/parquet_io.h"
#include "engine/relation.h"
#include "lake/row_index.h"
#include "lake/subject_link.h"
#include "lake/table_spec.h"
#include "storage/object_store.h"
#include "storage/owned_folder.h"

namespace vitalake::lake {

// How the lake's tables are kept in shape.
struct MaintainOptions {
  int64_t small_files = 32;       // more of them in a table, and an ingest compacts it
  int64_t target_rows = 400'000;  // of a compacted file, at most
  int64_t target_bytes = 128'000'000;
  int64_t checkpoint_every = 100;                   // versions
  Micros retain = int64_t{168} * 3600 * 1'000'000;  // what left a table stays so long
};

// How a service's `memory` is divided among its engines, in sixteenths.
struct MemoryShare {
  static constexpr int64_t kCommits = 6;   // what is committed, and read for that
  static constexpr int64_t kUpkeep = 4;    // gold, compaction
  static constexpr int64_t kHttp = 3;      // what is asked over HTTP
  static constexpr int64_t kPostgres = 3;  // and over the PostgreSQL protocol
  static_assert(kCommits + kUpkeep + kHttp + kPostgres == 16);

  static constexpr int64_t Of(int64_t memory_bytes, int64_t share) {
    return memory_bytes / 16 * share;
  }
};

struct LakeOptions {
  std::string location = "./lake";       // a local folder
  int64_t memory_bytes = 1'000'000'000;  // of the whole process
  int threads = 0;                       // 0: one per core
  // Where queries put what does not fit in memory, each engine in a folder of its own that goes
  // with it; empty: inside the lake.
  std::filesystem::path spill_folder;
  // Folders whose files override the built-in ones of the same name; empty: none.
  std::filesystem::path views_folder;
  std::filesystem::path models_folder;
  // For a process that takes readings in while it keeps its tables up: gold and compaction get an
  // engine of their own, with one thread (theirs) and a share of the memory, and so take neither
  // from what is committed meanwhile.
  bool upkeep_apart = false;
  MaintainOptions maintain = {};
};

// Thread-safe unless said otherwise. Clock and Random must outlive it.
class Lake {
 public:
  // Opens the folder; it need not exist yet (nothing is written until a table is created).
  // kUnsupported for az:// and s3:// locations; kPermission, kIo.
  static Result<std::unique_ptr<Lake>> Open(const LakeOptions& options, Clock& clock,
                                            Random& random);
  // Over a store of the caller's (tests, simulators). `store` must outlive the lake.
  static Result<std::unique_ptr<Lake>> Over(storage::ObjectStore& store, const LakeOptions& options,
                                            Clock& clock, Random& random);
  ~Lake();

  // Creates every table of the catalogue that is missing (empty), and gives bronze, silver and ops
  // tables of earlier versions the columns they lack. Repeating it is harmless, also from several
  // processes at once. Returns the names of the tables it created.
  Result<std::vector<std::string>> CreateMissingTables();
  // Gives a table made by an earlier version the columns of the catalogue that it lacks; its rows
  // have null there. kConflict: another process changed the table meanwhile.
  Status AddMissingColumns(std::string_view name);
  // Whether this is a lake already: silver.patient exists.
  Result<bool> Exists();

  // The catalogue: every table by name in a fixed order, bronze to ops.
  Result<std::vector<const TableSpec*>> Catalogue();
  // kNotFound names the nearest known name.
  Result<const TableSpec*> Spec(std::string_view name);
  // The Delta table behind a name ("silver.patient"); cached, so snapshots are read incrementally.
  // kNotFound when it does not exist on disk.
  Result<delta::Table*> OpenTable(std::string_view name);
  Result<std::shared_ptr<const delta::Snapshot>> Latest(std::string_view name);

  // A snapshot with the place of its files, for engine::RelationSql.
  engine::TableFiles Files(const delta::SnapshotPtr& snapshot, std::string_view name);

  storage::ObjectStore& store() { return *store_; }
  engine::Engine& engine() { return *engine_; }
  // What gold is refreshed and files are compacted with: `engine` unless LakeOptions::upkeep_apart.
  engine::Engine& upkeep_engine() { return upkeep_engine_ ? *upkeep_engine_ : *engine_; }
  bool is_upkeep_apart() const { return upkeep_engine_ != nullptr; }
  delta::ParquetIo& parquet() { return *parquet_; }
  RowIndex& row_index() { return row_index_; }
  SubjectNames& subject_names() { return subject_names_; }
  // Held while gold is refreshed or files are compacted with `upkeep_engine`: each may take most of
  // its memory. Whoever commits does not wait for it.
  std::mutex& heavy_work() { return heavy_work_; }
  Clock& clock() { return clock_; }
  Random& random() { return random_; }
  const LakeOptions& options() const { return options_; }

  // A folder for files of one piece of work, removed with the returned handle.
  using WorkFolder = storage::OwnedFolder;
  Result<WorkFolder> MakeWorkFolder(std::string_view purpose);
  // Removes what killed processes have left in staging and of spilled queries. For the start of
  // whatever writes; never an error, what cannot be removed is logged.
  void SweepLeftovers();

 private:
  Lake(const LakeOptions& options, Clock& clock, Random& random)
      : options_(options), clock_(clock), random_(random) {}

  LakeOptions options_;
  Clock& clock_;
  Random& random_;
  std::unique_ptr<storage::ObjectStore> owned_store_;
  storage::ObjectStore* store_ = nullptr;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<engine::Engine> upkeep_engine_;  // or null
  std::unique_ptr<engine::EngineParquetIo> parquet_;
  std::mutex heavy_work_;
  std::mutex mutex_;  // guards the two below
  std::vector<TableSpec> catalogue_;
  std::map<std::string, std::unique_ptr<delta::Table>, std::less<>> tables_;
  SubjectNames subject_names_{*this};
  RowIndex row_index_{*this};  // goes first: its thread reads the tables
};

}  // namespace vitalake::lake
