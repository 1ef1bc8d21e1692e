#include "storage/faulty_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "storage/memory_store.h"

namespace vitalake::storage {
namespace {

namespace fs = std::filesystem;

std::string_view FolderOf(std::string_view key) {
  const size_t slash = key.rfind('/');
  return slash == std::string_view::npos ? "" : key.substr(0, slash + 1);
}

std::unexpected<Error> FailBy(const Fault& fault, StoreCall call, std::string_view what) {
  return Fail(fault.kind, fmt::format("injected fault: {} '{}'", ToString(call), what));
}

// Whether the fault hits the call of that number.
bool Hits(const Fault& fault, int64_t number) {
  return fault.times == FaultTimes::kForEver ? number >= fault.nth : number == fault.nth;
}

Result<PutOutcome> Created(Status status) {
  if (!status) return std::unexpected(std::move(status).error());
  return PutOutcome::kCreated;
}

Result<std::optional<std::string>> BytesBefore(ObjectStore& store, std::string_view key) {
  auto bytes = store.Read(key);
  if (bytes) return std::optional(*std::move(bytes));
  if (bytes.error().kind == ErrorKind::kNotFound) return std::nullopt;
  return std::unexpected(std::move(bytes).error());
}

}  // namespace

std::string_view ToString(StoreCall call) {
  constexpr std::array<std::string_view, kStoreCalls> kNames = {
      "List",        "ListFolder", "Head",   "Read",      "ReadRange",    "Put",
      "PutIfAbsent", "PutFile",    "Delete", "LocalPath", "StagingFolder"};
  return kNames[static_cast<size_t>(call)];
}

FaultyStore::FaultyStore(ObjectStore& inner, uint64_t seed) : inner_(inner), random_(seed) {}

FaultyStore::FaultyStore(uint64_t seed)
    : own_(std::make_unique<MemoryStore>()), inner_(*own_), random_(seed) {}

void FaultyStore::Add(Fault fault) {
  const std::lock_guard lock(mutex_);
  faults_.push_back(fault);
}

void FaultyStore::FailOnce(int64_t nth, ErrorKind kind) { Add({.nth = nth, .kind = kind}); }

void FaultyStore::FailFrom(int64_t nth, ErrorKind kind) {
  Add({.nth = nth, .times = FaultTimes::kForEver, .kind = kind});
}

void FaultyStore::UnknownPutIfAbsent(int64_t nth, FaultEffect effect) {
  Add({.nth = nth,
       .call = StoreCall::kPutIfAbsent,
       .kind = ErrorKind::kUnknownOutcome,
       .effect = effect});
}

void FaultyStore::FailShare(double share, ErrorKind kind) {
  const std::lock_guard lock(mutex_);
  share_ = share;
  share_kind_ = kind;
}

void FaultyStore::Before(int64_t nth, std::function<void()> action, std::optional<StoreCall> call) {
  const std::lock_guard lock(mutex_);
  actions_.push_back({nth, call, std::move(action)});
}

void FaultyStore::BeforePuts(std::function<void(std::string_view key)> hook) {
  const std::lock_guard lock(mutex_);
  before_puts_ = std::move(hook);
}

void FaultyStore::ClearFaults() {
  const std::lock_guard lock(mutex_);
  before_puts_ = nullptr;
  faults_.clear();
  actions_.clear();
  share_ = 0;
  loses_syncs_ = false;
}

void FaultyStore::LoseSyncs() {
  const std::lock_guard lock(mutex_);
  loses_syncs_ = true;
}

int64_t FaultyStore::calls() const {
  const std::lock_guard lock(mutex_);
  return total_;
}

int64_t FaultyStore::calls(StoreCall call) const {
  const std::lock_guard lock(mutex_);
  return counts_[static_cast<size_t>(call)];
}

void FaultyStore::ResetCounts() {
  const std::lock_guard lock(mutex_);
  total_ = 0;
  counts_ = {};
}

std::optional<Fault> FaultyStore::FaultOf(StoreCall call) {
  for (const Fault& fault : faults_) {
    if (fault.call && *fault.call != call) continue;
    if (Hits(fault, fault.call ? counts_[static_cast<size_t>(call)] : total_)) return fault;
  }
  if (share_ > 0 && random_.Unit() < share_) return Fault{.kind = share_kind_};
  return std::nullopt;
}

std::optional<Fault> FaultyStore::Enter(StoreCall call) {
  std::vector<Action> due;
  std::optional<Fault> fault;
  {
    const std::lock_guard lock(mutex_);
    ++total_;
    const int64_t of_kind = ++counts_[static_cast<size_t>(call)];
    std::erase_if(actions_, [&](Action& action) {
      if (action.call && *action.call != call) return false;
      if ((action.call ? of_kind : total_) != action.nth) return false;
      due.push_back(std::move(action));
      return true;
    });
    fault = FaultOf(call);
  }
  for (const Action& action : due) action.run();
  return fault;
}

Status FaultyStore::EnterReading(StoreCall call, std::string_view what) {
  if (const auto fault = Enter(call)) return FailBy(*fault, call, what);
  return {};
}

void FaultyStore::NoteVolatile(std::string_view key, std::optional<std::string> before) {
  const std::lock_guard lock(mutex_);
  // What a crash brings back is the last durable state: an older note stands.
  const auto [note, first] = volatile_.try_emplace(std::string(key));
  if (first) note->second = std::move(before);
}

void FaultyStore::NoteDurable(std::string_view key) {
  const std::lock_guard lock(mutex_);
  const std::string_view folder = FolderOf(key);
  std::erase_if(volatile_, [&](const auto& entry) { return FolderOf(entry.first) == folder; });
}

Result<PutOutcome> FaultyStore::Change(StoreCall call, std::string_view key, const Write& write) {
  const std::optional<Fault> fault = Enter(call);
  bool lasts = call != StoreCall::kDelete && !(fault && fault->effect == FaultEffect::kVolatile);
  {
    const std::lock_guard lock(mutex_);
    lasts = lasts && !loses_syncs_;
  }
  const auto answer = [&]() -> Result<PutOutcome> {
    if (call == StoreCall::kPutIfAbsent && fault->kind == ErrorKind::kUnknownOutcome) {
      return PutOutcome::kUnknown;
    }
    return FailBy(*fault, call, key);
  };
  if (fault && fault->effect == FaultEffect::kNothing) return answer();

  std::optional<std::string> before;
  if (!lasts) {
    VL_TRY(before, BytesBefore(inner_, key));
  }
  auto outcome = write();
  if (outcome && *outcome == PutOutcome::kCreated) {
    if (lasts) {
      NoteDurable(key);
    } else {
      NoteVolatile(key, std::move(before));
    }
  }
  return fault ? answer() : outcome;
}

Status FaultyStore::Crash(CrashLoss loss) {
  ClearFaults();
  decltype(volatile_) lost;
  {
    const std::lock_guard lock(mutex_);
    lost.swap(volatile_);
    if (loss == CrashLoss::kSomeVolatile) {
      std::erase_if(lost, [&](const auto&) { return random_.Below(2) == 0; });
    }
  }
  for (const auto& [key, before] : lost) {
    VL_RETURN_IF_ERROR(before ? inner_.Put(key, *before) : inner_.Delete(key));
  }
  return TearStaged();
}

Status FaultyStore::TearStaged() try {
  VL_TRY(const fs::path folder, inner_.StagingFolder());
  std::vector<fs::path> staged;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file()) staged.push_back(entry.path());
  }
  std::ranges::sort(staged);
  const std::lock_guard lock(mutex_);
  for (const fs::path& path : staged) {
    const uint64_t fate = random_.Below(3);
    if (fate == 0) fs::remove(path);
    if (fate == 1) fs::resize_file(path, random_.Below(fs::file_size(path) + 1));
  }
  return {};
} catch (const fs::filesystem_error& error) {
  return Fail(ErrorKind::kIo, error.what());
}

Result<std::vector<ObjectInfo>> FaultyStore::List(std::string_view prefix,
                                                  std::string_view start_after) {
  VL_RETURN_IF_ERROR(EnterReading(StoreCall::kList, prefix));
  return inner_.List(prefix, start_after);
}

Result<std::vector<std::string>> FaultyStore::ListFolder(std::string_view prefix) {
  VL_RETURN_IF_ERROR(EnterReading(StoreCall::kListFolder, prefix));
  return inner_.ListFolder(prefix);
}

Result<ObjectInfo> FaultyStore::Head(std::string_view key) {
  VL_RETURN_IF_ERROR(EnterReading(StoreCall::kHead, key));
  return inner_.Head(key);
}

Result<std::string> FaultyStore::Read(std::string_view key) {
  VL_RETURN_IF_ERROR(EnterReading(StoreCall::kRead, key));
  return inner_.Read(key);
}

Result<std::string> FaultyStore::ReadRange(std::string_view key, int64_t offset, int64_t size) {
  VL_RETURN_IF_ERROR(EnterReading(StoreCall::kReadRange, key));
  return inner_.ReadRange(key, offset, size);
}

Status FaultyStore::Put(std::string_view key, std::string_view bytes) {
  VL_TRY([[maybe_unused]] const auto done,
         Change(StoreCall::kPut, key, [&] { return Created(inner_.Put(key, bytes)); }));
  return {};
}

Result<PutOutcome> FaultyStore::PutIfAbsent(std::string_view key, std::string_view bytes) {
  std::function<void(std::string_view)> hook;
  {
    const std::lock_guard lock(mutex_);
    hook = before_puts_;
  }
  if (hook) hook(key);
  return Change(StoreCall::kPutIfAbsent, key, [&] { return inner_.PutIfAbsent(key, bytes); });
}

Status FaultyStore::PutFile(std::string_view key, const fs::path& staged) {
  VL_TRY([[maybe_unused]] const auto done,
         Change(StoreCall::kPutFile, key, [&] { return Created(inner_.PutFile(key, staged)); }));
  return {};
}

Status FaultyStore::Delete(std::string_view key) {
  VL_TRY([[maybe_unused]] const auto done,
         Change(StoreCall::kDelete, key, [&] { return Created(inner_.Delete(key)); }));
  return {};
}

Result<fs::path> FaultyStore::LocalPath(std::string_view key) {
  VL_RETURN_IF_ERROR(EnterReading(StoreCall::kLocalPath, key));
  return inner_.LocalPath(key);
}

Result<fs::path> FaultyStore::StagingFolder() {
  VL_RETURN_IF_ERROR(EnterReading(StoreCall::kStagingFolder, ""));
  return inner_.StagingFolder();
}

}  // namespace vitalake::storage
