#include "delta/transaction_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "delta/table_features.h"

namespace vitalake::delta {
namespace {

std::unexpected<Error> Refuse(std::string message) {
  return Fail(ErrorKind::kInvalidArgument, std::move(message));
}

template <class Items, class Key>
Status CheckUnique(const Items& items, Key key, std::string_view what) {
  std::set<std::string_view> seen;
  for (const auto& item : items) {
    if (!seen.insert(std::invoke(key, item)).second) {
      return Refuse(
          fmt::format("{} '{}' is there twice in one commit", what, std::invoke(key, item)));
    }
  }
  return {};
}

Status CheckUniqueness(const ProposedCommit& commit) {
  VL_RETURN_IF_ERROR(CheckUnique(commit.txns, &Txn::app_id, "the transaction of"));
  VL_RETURN_IF_ERROR(CheckUnique(commit.adds, &AddFile::path, "the added file"));
  VL_RETURN_IF_ERROR(CheckUnique(commit.removes, &RemoveFile::path, "the removed file"));
  VL_RETURN_IF_ERROR(CheckUnique(commit.cdc, &CdcFile::path, "the change file"));
  std::set<std::string_view> added;
  for (const AddFile& add : commit.adds) added.insert(add.path);
  for (const RemoveFile& remove : commit.removes) {
    if (added.contains(remove.path)) {
      return Refuse(fmt::format("the file '{}' is added and removed in one commit", remove.path));
    }
  }
  return {};
}

Status CheckPartition(const PartitionValues& values, const Metadata& metadata,
                      std::string_view path) {
  bool fits = values.size() == metadata.partition_columns.size();
  for (const std::string& column : metadata.partition_columns) {
    fits = fits && values.contains(column);
  }
  if (fits) return {};
  return Refuse(fmt::format("the partition values of '{}' do not fit the partition columns", path));
}

template <class File>
Status CheckNewFile(const File& file, const Metadata& metadata, std::string_view root) {
  if (const auto key = ResolvePath(root, file.path); !key) {
    return Refuse(key.error().message);
  }
  if (file.size_bytes <= 0) return Refuse(fmt::format("the file '{}' has no size", file.path));
  return CheckPartition(file.partition_values, metadata, file.path);
}

bool IsOn(const Metadata& metadata, const std::string& property) {
  const auto at = metadata.configuration.find(property);
  return at != metadata.configuration.end() && at->second == "true";
}

Status CheckFiles(const ProposedCommit& commit, const Metadata& metadata) {
  for (const AddFile& add : commit.adds) {
    VL_RETURN_IF_ERROR(CheckNewFile(add, metadata, commit.root));
    if (add.path.starts_with("_change_data/")) {
      return Refuse(fmt::format("'{}' is no place for a data file", add.path));
    }
    if (add.deletion_vector) {
      return Fail(ErrorKind::kUnsupported, "writing deletion vectors is not supported");
    }
  }
  for (const CdcFile& cdc : commit.cdc) {
    VL_RETURN_IF_ERROR(CheckNewFile(cdc, metadata, commit.root));
    if (!cdc.path.starts_with("_change_data/")) {
      return Refuse(fmt::format("the change file '{}' is not below _change_data/", cdc.path));
    }
  }
  if (!commit.cdc.empty() && !IsOn(metadata, "delta.enableChangeDataFeed")) {
    return Refuse("change files are given, but the table's change data feed is off");
  }
  const bool deletes = std::ranges::any_of(commit.removes, &RemoveFile::data_change);
  if (deletes && IsOn(metadata, "delta.appendOnly")) {
    return Fail(ErrorKind::kUnsupported, "the table is append-only: nothing can be removed");
  }
  return {};
}

Status CheckMetadata(const ProposedCommit& commit) {
  if (!commit.metadata) return {};
  if (commit.metadata->id != commit.base.metadata().id) {
    return Refuse("a table's id cannot change");
  }
  if (commit.metadata->partition_columns != commit.base.metadata().partition_columns &&
      !commit.base.files().empty()) {
    return Refuse("the partition columns of a table with files cannot change");
  }
  VL_TRY(const Schema schema, Schema::FromJson(commit.metadata->schema_string));
  return CheckWritable(commit.base.protocol(), *commit.metadata);
}

Status CheckSize(storage::ObjectStore& store, std::string_view root, std::string_view path,
                 int64_t size_bytes) {
  VL_TRY(const std::string key, ResolvePath(root, path));
  VL_TRY(const storage::ObjectInfo object, store.Head(key));
  if (object.size_bytes == size_bytes) return {};
  return Fail(ErrorKind::kCorrupt, fmt::format("'{}' holds {} bytes where {} were written", key,
                                               object.size_bytes, size_bytes));
}

}  // namespace

Status CheckProposed(const ProposedCommit& commit) {
  if (commit.adds.empty() && commit.removes.empty() && commit.cdc.empty() && commit.txns.empty() &&
      !commit.metadata) {
    return Refuse("there is nothing to commit");
  }
  VL_RETURN_IF_ERROR(commit.base.CheckWritable());
  VL_RETURN_IF_ERROR(CheckMetadata(commit));
  VL_RETURN_IF_ERROR(CheckUniqueness(commit));
  return CheckFiles(commit, commit.metadata ? *commit.metadata : commit.base.metadata());
}

Status CheckFilesAreThere(storage::ObjectStore& store, const ProposedCommit& commit) {
  for (const AddFile& add : commit.adds) {
    VL_RETURN_IF_ERROR(CheckSize(store, commit.root, add.path, add.size_bytes));
  }
  for (const CdcFile& cdc : commit.cdc) {
    VL_RETURN_IF_ERROR(CheckSize(store, commit.root, cdc.path, cdc.size_bytes));
  }
  return {};
}

}  // namespace vitalake::delta
