#include <fmt/format.h>

#include <set>

#include "base/log.h"
#include "delta/checksum.h"
#include "delta/commit_writer.h"
#include "delta/log_files.h"
#include "delta/log_replay.h"
#include "delta/table.h"
#include "delta/table_features.h"

namespace vitalake::delta {
namespace {

std::string LowerCase(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return lower;
}

Status CheckColumns(const CreateOptions& options) {
  std::set<std::string> names;
  for (const Field& field : options.schema.fields()) {
    if (field.name.empty() || field.name.find_first_of(" ,;{}()\n\t=") != std::string::npos) {
      return Fail(ErrorKind::kInvalidArgument,
                  fmt::format("'{}' cannot be a column's name in a Delta table", field.name));
    }
    if (!names.insert(LowerCase(field.name)).second) {
      return Fail(ErrorKind::kInvalidArgument,
                  fmt::format("two columns are named '{}'", field.name));
    }
  }
  if (names.empty()) return Fail(ErrorKind::kInvalidArgument, "a table needs at least one column");
  for (const std::string& column : options.partition_columns) {
    const Field* const field = options.schema.FindField(column);
    if (!field || field->name != column || !field->type.is_primitive()) {
      return Fail(ErrorKind::kInvalidArgument,
                  fmt::format("there is no column '{}' to partition by", column));
    }
  }
  return {};
}

Metadata MakeMetadata(const CreateOptions& options, Environment& environment) {
  Metadata metadata{.id = environment.random.Uuid(),
                    .name = options.name,
                    .description = options.description,
                    .schema_string = options.schema.ToJson(),
                    .partition_columns = options.partition_columns,
                    .created_time_ms = NowMs(environment.clock),
                    .configuration = options.configuration};
  metadata.configuration.try_emplace("delta.enableChangeDataFeed", "true");
  return metadata;
}

}  // namespace

Result<SnapshotPtr> Table::Create(const CreateOptions& options, const Wait& wait) {
  VL_RETURN_IF_ERROR(CheckColumns(options));
  const auto taken = [this] {
    return Fail(ErrorKind::kAlreadyExists, fmt::format("there is already a table at '{}'", root_));
  };
  VL_TRY(const bool exists, Exists());
  if (exists) return taken();

  const Metadata metadata = MakeMetadata(options, environment_);
  VL_RETURN_IF_ERROR(CheckWritable(OwnProtocol(), metadata));
  const CommitHeader header{.txn_id = environment_.random.Uuid(),
                            .timestamp_ms = NowMs(environment_.clock),
                            .operation = "CREATE TABLE",
                            .is_blind_append = true,
                            .user_info = options.user_info};
  const std::string text = fmt::format("{}\n{}\n{}\n", CommitInfoLine(header),
                                       WriteAction(OwnProtocol()), WriteAction(metadata));
  const Version first{0};
  VL_TRY(const CommitPut put, PutCommit(environment_, root_, first, text, header.txn_id, wait));
  if (put == CommitPut::kTaken) return taken();

  const auto commit = environment_.store.Head(CommitKey(root_, first));
  LogReplay replay;
  replay.Begin(first);
  replay.Apply(OwnProtocol());
  replay.Apply(metadata);
  VL_TRY(SnapshotPtr snapshot,
         MakeSnapshot(std::move(replay).Finish(commit ? MarkOf(*commit) : CommitMark())));
  if (auto status = WriteChecksum(environment_.store, root_, *snapshot, header.txn_id); !status) {
    if (put == CommitPut::kReadBack) {
      return Fail(ErrorKind::kUnknownOutcome,
                  fmt::format("the table '{}' is there, but may not survive a crash: {}", root_,
                              status.error().ToString()));
    }
    log::Warn("{}: no checksum file for version 0: {}", root_, status.error().ToString());
  }
  Remember(snapshot);
  return snapshot;
}

}  // namespace vitalake::delta
