// RowIndex: single rows of a silver table by the value of a column, without scanning the table.
//
// A scan unpacks tens of thousands of rows of every file to keep a few. Per data file,
// _vitalake/rows/<table>/<data file's path>.rows (row_index_file.h) holds its rows in small blocks
// and where each value of id, patient_id, person_id and subject_identifier is. That is a cache:
// what is missing or not right is made anew from the data file, and all of it may be deleted at any
// time. Only a service makes it: few new rows at once, when they are asked for; many by a thread of
// its own, and until then answers come by scan.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "delta/actions.h"
#include "delta/snapshot.h"
#include "lake/row_index_file.h"
#include "view/view.h"

namespace vitalake::lake {

class Lake;

// Thread-safe. `lake` must outlive it. Two processes may work on one index; either's file is right.
class RowIndex {
 public:
  explicit RowIndex(Lake& lake) : lake_(lake) {}
  ~RowIndex();

  // From now on there are indexes, in this process: begins to make those of the tables there are.
  void Enable();
  bool enabled() const { return enabled_; }

  // Whether rows of the table are found by this column.
  static bool IsIndexed(std::string_view table, std::string_view column);

  // Whether Read would answer: every file of the table has its index.
  bool IsReady(std::string_view table);

  struct Request {
    std::string_view table;  // "silver.observation"
    const delta::SnapshotPtr& snapshot;
    std::string_view column;
    std::span<const std::string> values;
    std::string_view unless = {};  // rows with a value in this column need not be given
  };
  // What is found is held outside of any engine's memory: more is to be read by a scan.
  static constexpr int64_t kMostHeldBytes = 32 << 20;
  // False: there is no place for more.
  using UseRow = std::function<bool(std::span<const view::Cell> cells)>;
  // Calls `use` with all rows whose column has one of the values, and perhaps with others, each
  // with its cells in the order of the table's columns. False, and no or some calls in vain: they
  // must be found by scan, as there is no whole index yet, or they are too many. Cost: some
  // kilobytes per file and row.
  Result<bool> Read(const Request& request, const UseRow& use, const Wait& wait);
  // How many times Read gave the rows, since the process began.
  int64_t answered() const { return answered_; }
  // Waits until the indexes of the tables' present files are made; for tests.
  void Finish();

 private:
  using File = std::shared_ptr<const RowIndexFile>;
  using FileKey = std::pair<std::string, std::string>;  // table, path
  struct Job {
    std::string table;
    delta::SnapshotPtr snapshot;
  };

  Result<File> OpenStored(std::string_view table, const delta::AddFile& file);
  Result<File> Make(std::string_view table, const delta::SnapshotPtr& snapshot,
                    const delta::AddFile& file, const Wait& wait);
  Result<std::string> Encode(std::string_view table, const delta::SnapshotPtr& snapshot,
                             const delta::AddFile& file, const Wait& wait);
  // All files' indexes; empty: not all are there.
  Result<std::vector<File>> OpenAll(std::string_view table, const delta::SnapshotPtr& snapshot,
                                    const Wait& wait);
  void Ask(std::string_view table, const delta::SnapshotPtr& snapshot);
  void Work(const std::stop_token& stop);
  void MakeAll(const Job& job, const Wait& wait);
  void Sweep(const Job& job);

  Lake& lake_;
  std::atomic<bool> enabled_ = false;
  std::atomic<int64_t> answered_ = 0;
  std::atomic<int64_t> made_ = 0;
  // Held by a reader that makes indexes, of few rows: others like it wait for these. The worker
  // does without: who waited for a large file would wait longer than a scan takes.
  std::mutex making_;
  std::mutex mutex_;  // guards what follows
  std::map<FileKey, File> open_;
  std::set<FileKey> impossible_;  // files that cannot have an index
  std::map<std::string, delta::SnapshotPtr, std::less<>> asked_;
  bool working_ = false;
  std::condition_variable_any changed_;
  std::jthread worker_;  // started by the first that asks
};

}  // namespace vitalake::lake
