#include "delta/snapshot.h"

#include <fmt/format.h>

#include <charconv>

#include "delta/table_features.h"

namespace vitalake::delta {

Result<std::shared_ptr<const Snapshot>> Snapshot::Make(SnapshotState state) {
  VL_RETURN_IF_ERROR(CheckReadable(state.protocol, state.metadata));
  // Not make_shared: the constructor is private.
  std::shared_ptr<Snapshot> snapshot(new Snapshot(std::move(state)));
  VL_TRY(snapshot->schema_, Schema::FromJson(snapshot->state_.metadata.schema_string));
  const auto& files = snapshot->state_.files;
  snapshot->index_.reserve(files.size());
  for (size_t i = 0; i < files.size(); ++i) {
    const AddFile& file = *files[i];
    if (file.deletion_vector) {
      return Fail(ErrorKind::kUnsupported,
                  fmt::format("the table needs reader features that are not supported: "
                              "deletionVectors (file '{}')",
                              file.path));
    }
    if (!snapshot->index_.emplace(file.path, i).second) {
      return Fail(ErrorKind::kCorrupt, fmt::format("the file '{}' is there twice", file.path));
    }
    snapshot->size_bytes_ += file.size_bytes;
  }
  return snapshot;
}

AddFilePtr Snapshot::FindFile(std::string_view path) const {
  const auto at = index_.find(path);
  return at == index_.end() ? nullptr : state_.files[at->second];
}

std::optional<int64_t> Snapshot::NumRecords() const {
  int64_t rows = 0;
  for (const AddFilePtr& file : state_.files) {
    const auto count = file->NumRecords();
    if (!count) return std::nullopt;
    rows += *count;
  }
  return rows;
}

std::optional<int64_t> Snapshot::FindTxn(std::string_view app_id) const {
  const auto at = state_.txns.find(app_id);
  if (at == state_.txns.end()) return std::nullopt;
  return at->second.version;
}

std::optional<std::string> Snapshot::Property(std::string_view name) const {
  const auto at = state_.metadata.configuration.find(std::string(name));
  if (at == state_.metadata.configuration.end()) return std::nullopt;
  return at->second;
}

bool Snapshot::Flag(std::string_view name, bool otherwise) const {
  std::optional<std::string> value = Property(name);
  if (!value) return otherwise;
  for (char& c : *value) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return *value == "true";
}

int64_t Snapshot::checkpoint_interval() const {
  constexpr int64_t kDefault = 10;
  const std::string text = Property("delta.checkpointInterval").value_or("");
  int64_t interval = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), interval);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && interval > 0 ? interval : kDefault;
}

Status Snapshot::CheckWritable() const {
  return delta::CheckWritable(state_.protocol, state_.metadata);
}

}  // namespace vitalake::delta
