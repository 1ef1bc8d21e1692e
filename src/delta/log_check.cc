#include "delta/log_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "delta/commit_reader.h"
#include "delta/log_files.h"
#include "delta/log_reader.h"

namespace vitalake::delta {
namespace {

// What a version counts, kept up action by action.
class RunningCount {
 public:
  RunningCount() = default;
  explicit RunningCount(const SnapshotState& state) {
    for (const AddFilePtr& file : state.files) Put(*file);
    for (const auto& [app_id, txn] : state.txns) txns_[app_id] = txn.version;
  }

  void Apply(const Action& action) {
    if (const auto* add = std::get_if<AddFile>(&action)) Put(*add);
    if (const auto* remove = std::get_if<RemoveFile>(&action)) Take(remove->path);
    if (const auto* txn = std::get_if<Txn>(&action)) txns_[txn->app_id] = txn->version;
  }

  // Rows of all files; nullopt when one of them does not tell.
  std::optional<int64_t> rows() const { return untold_ == 0 ? std::optional(rows_) : std::nullopt; }

  // What `checksum` says otherwise; "" when nothing. Members it lacks say nothing.
  std::string Differs(JsonValue checksum) const {
    if (!checksum.is_object()) return "it is no JSON object";
    const auto files = static_cast<int64_t>(files_.size());
    for (const auto& [member, counted] :
         {std::pair("numFiles", files), std::pair("tableSizeBytes", bytes_)}) {
      const JsonValue value = checksum.Find(member);
      if (!value || value.is_null()) continue;
      if (!value.is_number() || value.AsInt() != counted) {
        return fmt::format("its {} is {}, the log gives {}", member, value.text(), counted);
      }
    }
    const JsonValue txns = checksum.Find("setTransactions");
    if (!txns.is_array()) return "";
    size_t count = 0;
    for (const JsonValue txn : txns.children()) {
      ++count;
      const auto known = txns_.find(txn.String("appId"));
      if (known == txns_.end() || txn.Find("version").AsInt() != known->second) {
        return fmt::format("its position of '{}' is not the log's", txn.String("appId"));
      }
    }
    if (count != txns_.size()) return "positions are missing in it";
    return "";
  }

 private:
  struct Counted {
    int64_t size_bytes = 0;
    std::optional<int64_t> rows;
  };
  void Put(const AddFile& file) {
    Take(file.path);
    const Counted counted{file.size_bytes, file.NumRecords()};
    files_[file.path] = counted;
    bytes_ += counted.size_bytes;
    rows_ += counted.rows.value_or(0);
    untold_ += counted.rows ? 0 : 1;
  }
  void Take(const std::string& path) {
    const auto at = files_.find(path);
    if (at == files_.end()) return;
    bytes_ -= at->second.size_bytes;
    rows_ -= at->second.rows.value_or(0);
    untold_ -= at->second.rows ? 0 : 1;
    files_.erase(at);
  }

  std::unordered_map<std::string, Counted> files_;
  std::map<std::string, int64_t, std::less<>> txns_;
  int64_t rows_ = 0;
  int64_t untold_ = 0;
  int64_t bytes_ = 0;
};

// How `checkpoint` differs from what the commits give; "" when it does not.
std::string Differs(const SnapshotState& checkpoint, const SnapshotState& replayed) {
  std::unordered_map<std::string_view, const AddFile*> files;
  for (const AddFilePtr& file : replayed.files) files.emplace(file->path, file.get());
  for (const AddFilePtr& file : checkpoint.files) {
    const auto at = files.find(file->path);
    if (at == files.end()) {
      return fmt::format("it names '{}', which the commits do not", file->path);
    }
    const AddFile& other = *at->second;
    if (file->size_bytes != other.size_bytes || file->NumRecords() != other.NumRecords() ||
        file->partition_values != other.partition_values) {
      return fmt::format("it describes '{}' otherwise than the commits", file->path);
    }
    files.erase(at);
  }
  if (!files.empty()) {
    return fmt::format("it lacks {} files of the commits, '{}' among them", files.size(),
                       files.begin()->first);
  }
  const auto same_txn = [](const auto& a, const auto& b) {
    return a.first == b.first && a.second.version == b.second.version;
  };
  if (!std::ranges::equal(checkpoint.txns, replayed.txns, same_txn)) {
    return "its positions are not those of the commits";
  }
  if (checkpoint.protocol != replayed.protocol) return "its protocol is not that of the commits";
  if (checkpoint.metadata != replayed.metadata) return "its metadata is not that of the commits";
  return "";
}

class LogChecker {
 public:
  LogChecker(Table& table, const Wait& wait)
      : table_(table),
        store_(table.environment().store),
        reader_(store_, table.environment().parquet, table.root()),
        wait_(wait) {}

  Result<LogCheck> Run() {
    VL_TRY(listing_, ListLog(store_, table_.root(), Version{0}));
    VL_TRY(const auto objects, store_.List(table_.root().empty() ? "" : table_.root() + "/"));
    for (const storage::ObjectInfo& object : objects) sizes_[object.key] = object.size_bytes;
    if (listing_.empty()) {
      return Fail(ErrorKind::kNotFound,
                  fmt::format("there is no Delta table at '{}'", table_.root()));
    }
    CheckOrder();
    for (const CheckpointFiles& checkpoint : listing_.checkpoints) {
      VL_RETURN_IF_ERROR(wait_.Check(table_.environment().clock, "verifying"));
      CheckCheckpoint(checkpoint);
    }
    VL_RETURN_IF_ERROR(CheckCommits());
    auto latest = table_.Latest();
    if (latest) {
      out_.snapshot = *latest;
      CheckFiles(**latest);
    } else {
      Found("log", "the newest version", latest.error().ToString());
    }
    return std::move(out_);
  }

 private:
  void Found(std::string check, std::string place, std::string message) {
    out_.findings.push_back({std::move(check), std::move(place), std::move(message)});
  }

  // The newest checkpoint at or below `version`, or null.
  const CheckpointFiles* CheckpointBelow(Version version) const {
    for (const CheckpointFiles& checkpoint : listing_.checkpoints) {
      if (checkpoint.version <= version) return &checkpoint;
    }
    return nullptr;
  }

  void CheckOrder() {
    const auto& commits = listing_.commits;
    for (size_t i = 1; i < commits.size(); ++i) {
      const int64_t before = commits[i - 1].version.value;
      const int64_t after = commits[i].version.value;
      if (after == before + 1) continue;
      Found("log", fmt::format("version {}", before + 1),
            fmt::format("the commits {} to {} are missing", before + 1, after - 1));
    }
    if (commits.empty() || commits.front().version.value == 0) return;
    // What was cleaned up must be in a checkpoint.
    const Version last_gone{commits.front().version.value - 1};
    const bool carried = std::ranges::any_of(
        listing_.checkpoints,
        [&](const CheckpointFiles& checkpoint) { return checkpoint.version >= last_gone; });
    if (!carried) {
      Found("log", fmt::format("version {}", last_gone.value),
            "the log begins behind it, and no checkpoint says what it was");
    }
  }

  // The commits up to `version`, with only the checkpoints that `wanted` takes.
  template <class Wanted>
  LogListing ListingTo(Version version, Wanted wanted) const {
    LogListing part;
    for (const CommitFile& commit : listing_.commits) {
      if (commit.version <= version) part.commits.push_back(commit);
    }
    for (const CheckpointFiles& checkpoint : listing_.checkpoints) {
      if (wanted(checkpoint)) part.checkpoints.push_back(checkpoint);
    }
    return part;
  }

  void CheckCheckpoint(const CheckpointFiles& checkpoint) {
    const Version version = checkpoint.version;
    const std::string& place = checkpoint.keys.front();
    const auto own = reader_.Replay(
        ListingTo(version,
                  [&](const CheckpointFiles& other) { return other.keys == checkpoint.keys; }),
        version);
    if (!own) {
      Found("checkpoint", place, own.error().ToString());
      return;
    }
    // From the checkpoint before it, which is compared as well, or from the first commit.
    const auto none = [](const CheckpointFiles&) { return false; };
    const LogListing older =
        ListingTo(version, [&](const CheckpointFiles& other) { return other.version < version; });
    const bool has_older = !older.checkpoints.empty();
    auto replayed = reader_.Replay(older, version);
    if (!replayed && has_older) replayed = reader_.Replay(ListingTo(version, none), version);
    if (!replayed) return;  // the gap or the broken commit is told elsewhere
    ++out_.checkpoints;
    const std::string differs = Differs(*own, *replayed);
    if (!differs.empty()) Found("checkpoint", place, differs);
  }

  // Reads every commit once, and compares the checksum files on the way.
  Status CheckCommits() {
    std::optional<RunningCount> count;
    if (listing_.commits.empty() || listing_.commits.front().version.value > 0) {
      if (listing_.commits.empty()) return {};
      const CheckpointFiles* base = CheckpointBelow(listing_.commits.front().version);
      if (base && base->version.value + 1 == listing_.commits.front().version.value) {
        const auto state = reader_.Replay(
            ListingTo(base->version,
                      [&](const CheckpointFiles& other) { return other.keys == base->keys; }),
            base->version);
        if (state) count.emplace(*state);
      }
    } else {
      count.emplace();
    }
    Version expected = listing_.commits.front().version;
    for (const CommitFile& commit : listing_.commits) {
      VL_RETURN_IF_ERROR(wait_.Check(table_.environment().clock, "verifying"));
      if (commit.version != expected) count.reset();  // the gap is told already
      expected = Version{commit.version.value + 1};
      const Status read = ReadOne(commit, count);
      if (!read) {
        Found("log", commit.object.key, read.error().message);
        count.reset();
      }
      CheckRestart(commit.version, count);
      ++out_.commits;
      if (count) CheckChecksum(commit.version, *count);
    }
    return {};
  }

  // Behind a gap, counting goes on from the next checkpoint.
  void CheckRestart(Version version, std::optional<RunningCount>& count) {
    if (count) return;
    for (const CheckpointFiles& checkpoint : listing_.checkpoints) {
      if (checkpoint.version != version) continue;
      const auto state = reader_.Replay(
          ListingTo(version,
                    [&](const CheckpointFiles& other) { return other.keys == checkpoint.keys; }),
          version);
      if (state) count.emplace(*state);
      return;
    }
  }

  Status ReadOne(const CommitFile& commit, std::optional<RunningCount>& count) {
    VL_TRY(std::string text, store_.Read(commit.object.key));
    const auto rows_before = count ? count->rows() : std::nullopt;
    std::vector<CdcFile> changes;
    VL_RETURN_IF_ERROR(ReadCommit(parser_, std::move(text), commit.object.key, ActionFilter::kAll,
                                  [&](const Action& action) {
                                    if (count) count->Apply(action);
                                    const auto* file = std::get_if<CdcFile>(&action);
                                    if (file) changes.push_back(*file);
                                    return Status();
                                  }));
    NoteChanges(commit.version, changes, rows_before, count ? count->rows() : std::nullopt);
    return {};
  }

  void CheckChecksum(Version version, const RunningCount& count) {
    const std::string key = ChecksumKey(table_.root(), version);
    const auto text = store_.Read(key);
    if (!text && text.error().kind == ErrorKind::kNotFound) return;
    if (!text) {
      Found("checksum", key, text.error().ToString());
      return;
    }
    ++out_.checksums;
    const auto tree = parser_.Parse(*text);
    const std::string differs = tree ? count.Differs(*tree) : tree.error().message;
    if (!differs.empty()) Found("checksum", key, differs);
  }

  void CheckFiles(const Snapshot& snapshot) {
    for (const AddFilePtr& file : snapshot.files()) {
      const auto size = SizeOf(file->path);
      if (!size) {
        Found("file", file->path, size.error().message);
      } else if (*size != file->size_bytes) {
        Found("file", file->path,
              fmt::format("it has {} bytes, the log says {}", *size, file->size_bytes));
      }
    }
  }

  // kNotFound, and what is wrong with the path.
  Result<int64_t> SizeOf(std::string_view path) const {
    VL_TRY(const std::string key, ResolvePath(table_.root(), path));
    const auto found = sizes_.find(key);
    if (found == sizes_.end()) return Fail(ErrorKind::kNotFound, "it is missing");
    return found->second;
  }

  // What the commit's change files must add up to, unless they were vacuumed.
  void NoteChanges(Version version, const std::vector<CdcFile>& files,
                   std::optional<int64_t> rows_before, std::optional<int64_t> rows_after) {
    ChangeCount change{.version = version};
    bool whole = rows_before && rows_after && !files.empty();
    for (const CdcFile& file : files) {
      const auto size = SizeOf(file.path);
      if (size && *size != file.size_bytes) {
        Found("file", file.path,
              fmt::format("it has {} bytes, the log says {}", *size, file.size_bytes));
      }
      whole = whole && size && *size == file.size_bytes;
      change.files.push_back(file.path);
    }
    if (!whole) return;
    change.rows_more = *rows_after - *rows_before;
    out_.changes.push_back(std::move(change));
  }

  Table& table_;
  storage::ObjectStore& store_;
  LogReader reader_;
  const Wait& wait_;
  LogListing listing_;
  std::unordered_map<std::string, int64_t> sizes_;  // by key
  JsonParser parser_;
  LogCheck out_;
};

}  // namespace

Result<LogCheck> CheckLog(Table& table, const Wait& wait) { return LogChecker(table, wait).Run(); }

}  // namespace vitalake::delta
