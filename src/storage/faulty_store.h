// A store that breaks on purpose, for tests of everything above it.
//
// It passes every call on to another store and counts it; a fault says which call goes wrong and
// how. The same faults, seed and calls give the same behaviour.
//
//   FaultyStore store(inner, /*seed=*/7);
//   store.FailFrom(5, ErrorKind::kIo);    // power goes at the 5th call
//   ... run the code ...
//   store.Crash();                        // unsynced writes and staged files are lost or torn
//   ... run the recovery, look at the result ...
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "storage/object_store.h"

namespace vitalake::storage {

enum class StoreCall {
  kList,
  kListFolder,
  kHead,
  kRead,
  kReadRange,
  kPut,
  kPutIfAbsent,
  kPutFile,
  kDelete,
  kLocalPath,
  kStagingFolder,
};
inline constexpr size_t kStoreCalls = 11;
// "List", "PutIfAbsent", ...
std::string_view ToString(StoreCall call);

// What a failing Put, PutIfAbsent, PutFile or Delete did before it failed.
enum class FaultEffect {
  kNothing,   // not done
  kDone,      // done and durable; only the answer was lost
  kVolatile,  // a write is visible, but may be lost at Crash() (the folder was not synced)
};

enum class FaultTimes { kOnce, kForEver };

enum class CrashLoss { kAllVolatile, kSomeVolatile };

struct Fault {
  int64_t nth = 1;                               // the call that fails, from 1
  std::optional<StoreCall> call = std::nullopt;  // count only calls of this kind; nullopt: all
  FaultTimes times = FaultTimes::kOnce;          // kForEver: every later one too
  // PutIfAbsent answers PutOutcome::kUnknown in place of an Error kUnknownOutcome.
  ErrorKind kind = ErrorKind::kIo;
  FaultEffect effect = FaultEffect::kNothing;
};

// Thread-safe; with several threads, which call is the n-th is theirs to race for.
class FaultyStore final : public ObjectStore {
 public:
  // `inner` must outlive the store.
  explicit FaultyStore(ObjectStore& inner, uint64_t seed = 0);
  // Over a MemoryStore of its own.
  explicit FaultyStore(uint64_t seed = 0);

  ObjectStore& inner() { return inner_; }

  void Add(Fault fault);
  void FailOnce(int64_t nth, ErrorKind kind = ErrorKind::kIo);
  // The n-th call and all after it: the store is gone until ClearFaults() or Crash().
  void FailFrom(int64_t nth, ErrorKind kind = ErrorKind::kIo);
  // The n-th PutIfAbsent (counted alone) answers kUnknown.
  void UnknownPutIfAbsent(int64_t nth, FaultEffect effect);
  // Every call fails with this probability in [0, 1], without effect, by the seed.
  void FailShare(double share, ErrorKind kind = ErrorKind::kIo);
  // Runs `action` before the n-th call (of that kind, when given), outside any lock: it may use
  // this store (its calls count) or inner().
  void Before(int64_t nth, std::function<void()> action,
              std::optional<StoreCall> call = std::nullopt);
  // Calls `hook` with the key before every PutIfAbsent, as an action; null: no longer.
  void BeforePuts(std::function<void(std::string_view key)> hook);
  // Faults, shares, actions and the hook end; counts go on.
  void ClearFaults();

  // From now on every write is volatile, whatever follows: a disk whose cache lies.
  void LoseSyncs();

  // The machine dies and comes back. Volatile writes are lost, all or (reordering) some by the
  // seed; each staged file is lost, cut short or kept by the seed; faults are cleared. Volatile
  // are writes with that effect, and deletions (no store promises those to last), until a durable
  // write into the same folder.
  Status Crash(CrashLoss loss = CrashLoss::kAllVolatile);

  // Calls since construction (or ResetCounts), failed ones included.
  int64_t calls() const;
  int64_t calls(StoreCall call) const;
  void ResetCounts();

  Result<std::vector<ObjectInfo>> List(std::string_view prefix,
                                       std::string_view start_after = {}) override;
  Result<std::vector<std::string>> ListFolder(std::string_view prefix) override;
  Result<ObjectInfo> Head(std::string_view key) override;
  Result<std::string> Read(std::string_view key) override;
  Result<std::string> ReadRange(std::string_view key, int64_t offset, int64_t size) override;
  Status Put(std::string_view key, std::string_view bytes) override;
  Result<PutOutcome> PutIfAbsent(std::string_view key, std::string_view bytes) override;
  Status PutFile(std::string_view key, const std::filesystem::path& staged) override;
  Status Delete(std::string_view key) override;
  Result<std::filesystem::path> LocalPath(std::string_view key) override;
  Result<std::filesystem::path> StagingFolder() override;

 private:
  struct Action {
    int64_t nth;
    std::optional<StoreCall> call;
    std::function<void()> run;
  };

  using Write = std::function<Result<PutOutcome>()>;

  // Counts the call, runs what is due before it, and answers the fault that hits it.
  std::optional<Fault> Enter(StoreCall call);
  std::optional<Fault> FaultOf(StoreCall call);  // mutex_ held
  // Enter, for calls that only read: the fault's error, or ok.
  Status EnterReading(StoreCall call, std::string_view what);
  // The shared way of everything that changes objects. `write` is called at most once.
  Result<PutOutcome> Change(StoreCall call, std::string_view key, const Write& write);
  void NoteVolatile(std::string_view key, std::optional<std::string> before);
  void NoteDurable(std::string_view key);
  Status TearStaged();

  std::unique_ptr<ObjectStore> own_;
  ObjectStore& inner_;
  mutable std::mutex mutex_;
  // All guarded by mutex_.
  SeededRandom random_;
  std::vector<Fault> faults_;
  std::vector<Action> actions_;
  std::function<void(std::string_view)> before_puts_;
  double share_ = 0;
  ErrorKind share_kind_ = ErrorKind::kIo;
  bool loses_syncs_ = false;
  int64_t total_ = 0;
  std::array<int64_t, kStoreCalls> counts_{};
  // Key of each volatile change -> the bytes a crash brings back; nullopt: no object.
  std::map<std::string, std::optional<std::string>, std::less<>> volatile_;
};

}  // namespace vitalake::storage
