// Which files hold the changes of a range of versions.
#include <fmt/format.h>

#include "delta/commit_reader.h"
#include "delta/commit_times.h"
#include "delta/table.h"

namespace vitalake::delta {
namespace {

Status CheckUsable(const std::optional<DeletionVector>& vector) {
  if (!vector) return {};
  return Fail(ErrorKind::kUnsupported,
              "the changes need reader features that are not supported: deletionVectors");
}

// The changes of one commit, gathered action by action.
class CommitChanges {
 public:
  explicit CommitChanges(const TimedCommit& commit) : commit_(commit) {}

  Status Use(Action action) {
    if (auto* cdc = std::get_if<CdcFile>(&action)) {
      Push(change_files_, ChangeKind::kCdc, std::move(cdc->path), std::move(cdc->partition_values),
           cdc->size_bytes);
    } else if (auto* add = std::get_if<AddFile>(&action); add && add->data_change) {
      VL_RETURN_IF_ERROR(CheckUsable(add->deletion_vector));
      Push(whole_files_, ChangeKind::kInsert, std::move(add->path),
           std::move(add->partition_values), add->size_bytes);
    } else if (auto* remove = std::get_if<RemoveFile>(&action); remove && remove->data_change) {
      VL_RETURN_IF_ERROR(CheckUsable(remove->deletion_vector));
      Push(whole_files_, ChangeKind::kDelete, std::move(remove->path),
           std::move(remove->partition_values).value_or(PartitionValues()), remove->size_bytes);
    } else if (auto* metadata = std::get_if<Metadata>(&action)) {
      const auto at = metadata->configuration.find("delta.enableChangeDataFeed");
      feed_ = at != metadata->configuration.end() && at->second == "true";
    }
    return {};
  }

  // Whether the commit turned the feed on or off; nullopt when it left it as it was.
  std::optional<bool> feed() const { return feed_; }

  std::vector<ChangeFile> Take() && {
    return std::move(change_files_.empty() ? whole_files_ : change_files_);
  }

 private:
  void Push(std::vector<ChangeFile>& to, ChangeKind kind, std::string path, PartitionValues values,
            std::optional<int64_t> size_bytes) {
    to.push_back({.version = commit_.version,
                  .timestamp = commit_.time,
                  .kind = kind,
                  .path = std::move(path),
                  .partition_values = std::move(values),
                  .size_bytes = size_bytes});
  }

  const TimedCommit& commit_;
  std::vector<ChangeFile> change_files_;
  std::vector<ChangeFile> whole_files_;
  std::optional<bool> feed_;
};

}  // namespace

// Whether the feed was on right before `first`.
Result<bool> Table::FeedWasOn(Version first) {
  if (first.value == 0) return false;
  VL_TRY(const SnapshotPtr latest, Latest());
  if (latest->state().metadata_version < first) return latest->change_feed_enabled();
  VL_TRY(const SnapshotPtr before, At(Version{first.value - 1}));
  return before->change_feed_enabled();
}

Result<std::vector<ChangeFile>> Table::Changes(Version first, Version last) {
  if (first.value < 0 || first > last) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("no range of versions: {} to {}", first.value, last.value));
  }
  VL_TRY(const LogListing listing, ListLog(environment_.store, root_, first));
  const std::vector<TimedCommit> commits = TimesOf(listing);
  VL_TRY(bool feed_is_on, FeedWasOn(first));
  std::vector<ChangeFile> out;
  JsonParser parser;
  size_t at = 0;
  for (Version version = first; version <= last; ++version.value, ++at) {
    if (at == commits.size() || commits[at].version != version) {
      return Fail(ErrorKind::kNotFound,
                  fmt::format("table {} has no version {} in its log", root_, version.value));
    }
    const TimedCommit& commit = commits[at];
    CommitChanges changes(commit);
    VL_TRY(std::string text, environment_.store.Read(commit.key));
    VL_RETURN_IF_ERROR(ReadCommit(parser, std::move(text), commit.key, ActionFilter::kAll,
                                  [&](Action action) { return changes.Use(std::move(action)); }));
    feed_is_on = changes.feed().value_or(feed_is_on);
    if (!feed_is_on) {
      return Fail(ErrorKind::kInvalidArgument,
                  fmt::format("the change data feed of table {} was off at version {}", root_,
                              version.value));
    }
    for (ChangeFile& file : std::move(changes).Take()) out.push_back(std::move(file));
  }
  return out;
}

}  // namespace vitalake::delta
