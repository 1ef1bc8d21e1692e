// Writing a checkpoint:
//  1. put the state together again from the log, tombstones and all (not from what we remember);
//  2. write it to a staged file and read that back: as many actions as were given;
//  3. PutFile: durable, then visible; whoever was first wins, both say the same;
//  4. point _last_checkpoint to it, unless that names a newer one.
// Killed between 3 and 4, the hint is stale, which readers are made for.
// Source: Delta PROTOCOL, "Checkpoints", "Last Checkpoint File".
#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <functional>

#include "base/json_writer.h"
#include "delta/commit_writer.h"
#include "delta/log_files.h"
#include "delta/log_reader.h"
#include "delta/table.h"

namespace vitalake::delta {
namespace {

// "interval 1 week" and the like in milliseconds; nullopt when it is none.
// Source: Delta PROTOCOL, table property delta.deletedFileRetentionDuration.
std::optional<int64_t> ParseInterval(std::string_view text) {
  if (text.starts_with("interval ")) text.remove_prefix(9);
  int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || count < 0) return std::nullopt;
  std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  if (unit.ends_with('s')) unit.remove_suffix(1);
  constexpr int64_t kSecond = 1000;
  constexpr int64_t kDay = 24 * 3600 * kSecond;
  constexpr std::pair<std::string_view, int64_t> kUnits[] = {
      {"millisecond", 1},       {"second", kSecond}, {"minute", 60 * kSecond},
      {"hour", 3600 * kSecond}, {"day", kDay},       {"week", 7 * kDay}};
  for (const auto& [name, length_ms] : kUnits) {
    if (unit == name && count <= INT64_MAX / length_ms) return count * length_ms;
  }
  return std::nullopt;
}

int64_t RetentionMs(const Metadata& metadata) {
  constexpr int64_t kWeek = int64_t{7} * 24 * 3600 * 1000;
  const auto at = metadata.configuration.find("delta.deletedFileRetentionDuration");
  if (at == metadata.configuration.end()) return kWeek;
  return ParseInterval(at->second).value_or(kWeek);
}

// The lines of a checkpoint, made one by one.
class CheckpointLines {
 public:
  CheckpointLines(const LogReader::FullState& full, int64_t oldest_kept_ms) {
    const SnapshotState& state = full.state;
    makers_.push_back([&state] { return WriteAction(state.protocol); });
    makers_.push_back([&state] { return WriteAction(state.metadata); });
    for (const auto& [app_id, txn] : state.txns) {
      makers_.push_back([&txn = txn] { return WriteAction(txn); });
    }
    for (const auto& [name, domain] : state.domains) {
      makers_.push_back([&domain = domain] { return WriteAction(domain); });
    }
    for (const auto& [key, removed] : full.tombstones) {
      if (removed.deletion_timestamp_ms.value_or(0) <= oldest_kept_ms) continue;
      makers_.push_back([&removed = removed] {
        RemoveFile line = removed;
        line.data_change = false;
        return WriteAction(line);
      });
    }
    for (const AddFilePtr& file : state.files) {
      makers_.push_back([&file] {
        AddFile line = *file;
        line.data_change = false;
        return WriteAction(line);
      });
    }
  }

  int64_t size() const { return static_cast<int64_t>(makers_.size()); }

  // The next line; empty at the end. Valid until the next call.
  std::string_view Next() {
    line_ = at_ < makers_.size() ? makers_[at_++]() : std::string();
    return line_;
  }

 private:
  std::vector<std::function<std::string()>> makers_;
  size_t at_ = 0;
  std::string line_;
};

// A file in the staging folder that does not outlive its writer.
class StagedFile {
 public:
  explicit StagedFile(std::filesystem::path path) : path_(std::move(path)) {}
  ~StagedFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  StagedFile(const StagedFile&) = delete;
  StagedFile& operator=(const StagedFile&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

Status ReadBack(ParquetIo& parquet, const std::filesystem::path& file, int64_t lines) {
  int64_t found = 0;
  VL_RETURN_IF_ERROR(parquet.ReadActions(file, {"protocol", "metaData"}, [&](std::string_view) {
    ++found;
    return Status();
  }));
  if (found == lines) return {};
  return Fail(ErrorKind::kCorrupt,
              fmt::format("the checkpoint holds {} actions where {} were written", found, lines));
}

// The version _last_checkpoint names, or -1.
Version HintedVersion(storage::ObjectStore& store, std::string_view root) {
  const auto text = store.Read(LastCheckpointKey(root));
  JsonParser parser;
  const auto hint = parser.Parse(text ? *text : std::string());
  const JsonValue version = hint ? hint->Find("version") : JsonValue();
  return Version{version.is_number() ? version.AsInt().value_or(-1) : -1};
}

}  // namespace

Status Table::Checkpoint(Version version) {
  auto status = WriteCheckpointOf(version);
  if (status) return status;
  return Because(std::move(status).error(),
                 fmt::format("checkpoint of version {} of table {}", version.value, root_));
}

Status Table::WriteCheckpointOf(Version version) {
  const std::string key = CheckpointKey(root_, version);
  if (const auto there = environment_.store.Head(key); there) return {};

  LogReader reader(environment_.store, environment_.parquet, root_);
  VL_TRY(const LogReader::FullState full, reader.LoadWithTombstones(version));
  // Refuses what we do not understand and so would not carry over.
  VL_TRY(const SnapshotPtr snapshot, MakeSnapshot(full.state));
  VL_RETURN_IF_ERROR(snapshot->CheckWritable());

  const int64_t oldest_kept_ms = NowMs(environment_.clock) - RetentionMs(full.state.metadata);
  CheckpointLines lines(full, oldest_kept_ms);
  VL_TRY(const std::filesystem::path folder, environment_.store.StagingFolder());
  const StagedFile staged(folder /
                          fmt::format("checkpoint-{}.parquet", environment_.random.Uuid()));
  VL_TRY(const int64_t size_bytes,
         environment_.parquet.WriteCheckpoint(
             staged.path(), [&]() -> Result<std::string_view> { return lines.Next(); }));
  VL_RETURN_IF_ERROR(ReadBack(environment_.parquet, staged.path(), lines.size()));
  auto put = environment_.store.PutFile(key, staged.path());
  if (!put && put.error().kind == ErrorKind::kAlreadyExists) return {};
  VL_RETURN_IF_ERROR(std::move(put));

  if (HintedVersion(environment_.store, root_) > version) return {};
  JsonWriter hint;
  hint.BeginObject().Key("version").Int(version.value).Key("size").Int(lines.size());
  hint.Key("sizeInBytes").Int(size_bytes);
  hint.Key("numOfAddFiles").Int(static_cast<int64_t>(full.state.files.size())).EndObject();
  return environment_.store.Put(LastCheckpointKey(root_), hint.text());
}

}  // namespace vitalake::delta
