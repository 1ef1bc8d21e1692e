#include "delta/table.h"

#include <fmt/format.h>

#include "delta/log_files.h"
#include "delta/log_reader.h"

namespace vitalake::delta {

std::unique_ptr<Table> Table::Open(Environment environment, std::string root) {
  return std::unique_ptr<Table>(new Table(environment, std::move(root)));
}

Table::Table(Environment environment, std::string root)
    : environment_(environment), root_(std::move(root)) {}

Result<bool> Table::Exists() {
  VL_TRY(const LogListing listing, ListLog(environment_.store, root_, Version{0}));
  return !listing.empty();
}

SnapshotPtr Table::Remembered() {
  const std::lock_guard lock(mutex_);
  return latest_;
}

void Table::Remember(SnapshotPtr snapshot) {
  const std::lock_guard lock(mutex_);
  const bool older = latest_ && latest_->metadata().id == snapshot->metadata().id &&
                     latest_->version() > snapshot->version();
  if (!older) latest_ = std::move(snapshot);
}

Result<SnapshotPtr> Table::Latest() {
  LogReader reader(environment_.store, environment_.parquet, root_);
  SnapshotPtr before = Remembered();
  Result<SnapshotState> state;
  if (before) {
    auto newer = reader.Advance(before->state());
    if (newer && !*newer) return before;
    state = newer ? Result<SnapshotState>(**std::move(newer))
                  : std::unexpected(std::move(newer).error());
  } else {
    state = reader.Load(std::nullopt);
  }
  VL_TRY(SnapshotPtr snapshot, MakeSnapshot(std::move(state)));
  Remember(snapshot);
  return snapshot;
}

Result<SnapshotPtr> Table::At(Version version) {
  if (SnapshotPtr latest = Remembered(); latest && latest->version() == version) return latest;
  LogReader reader(environment_.store, environment_.parquet, root_);
  return MakeSnapshot(reader.Load(version));
}

Result<SnapshotPtr> Table::MakeSnapshot(Result<SnapshotState> state) const {
  auto snapshot = state ? Snapshot::Make(*std::move(state))
                        : Result<SnapshotPtr>(std::unexpected(std::move(state).error()));
  if (!snapshot) return Because(std::move(snapshot).error(), fmt::format("table {}", root_));
  return snapshot;
}

}  // namespace vitalake::delta
