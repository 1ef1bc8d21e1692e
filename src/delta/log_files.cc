#include "delta/log_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "base/check.h"

namespace vitalake::delta {
namespace {

constexpr size_t kVersionDigits = 20;
constexpr size_t kPartDigits = 10;

// Takes `digits` digits and the character behind them off `name`.
std::optional<int64_t> TakeNumber(std::string_view& name, size_t digits, char end) {
  if (name.size() <= digits || name[digits] != end) return std::nullopt;
  int64_t number = 0;
  const auto [at, error] = std::from_chars(name.data(), name.data() + digits, number);
  if (error != std::errc() || at != name.data() + digits || number < 0) return std::nullopt;
  name.remove_prefix(digits + 1);
  return number;
}

// Gathers the parts of multi-part checkpoints until they are complete.
class CheckpointCollector {
 public:
  // `rest`: the file's name behind "N.checkpoint.".
  void Add(Version version, std::string_view rest, const std::string& key) {
    if (rest == "parquet") {
      complete_.push_back({version, CheckpointForm::kSingle, {key}});
      return;
    }
    std::string_view parts = rest;
    if (const auto part = TakeNumber(parts, kPartDigits, '.')) {
      const auto count = TakeNumber(parts, kPartDigits, '.');
      if (count && parts == "parquet") AddPart(version, *part, *count, key);
      return;
    }
    if (rest.ends_with(".parquet") || rest.ends_with(".json")) {
      complete_.push_back({version, CheckpointForm::kV2, {key}});
    }
  }

  std::vector<CheckpointFiles> Take() {
    for (auto& [id, parts] : parts_) {
      const auto& [version, count] = id;
      if (static_cast<int64_t>(parts.size()) != count) continue;
      CheckpointFiles files{.version = version, .form = CheckpointForm::kMultiPart};
      for (auto& [part, key] : parts) files.keys.push_back(std::move(key));
      complete_.push_back(std::move(files));
    }
    std::ranges::stable_sort(complete_, [](const CheckpointFiles& a, const CheckpointFiles& b) {
      return a.version != b.version ? a.version > b.version : a.form < b.form;
    });
    return std::move(complete_);
  }

 private:
  void AddPart(Version version, int64_t part, int64_t count, const std::string& key) {
    if (part >= 1 && part <= count) parts_[{version, count}][part] = key;
  }

  std::vector<CheckpointFiles> complete_;
  std::map<std::pair<Version, int64_t>, std::map<int64_t, std::string>> parts_;
};

std::string NameOf(Version version) { return fmt::format("{:020}", version.value); }

}  // namespace

std::string LogFolder(std::string_view root) {
  return root.empty() ? "_delta_log/" : fmt::format("{}/_delta_log/", root);
}
std::string CommitKey(std::string_view root, Version version) {
  return LogFolder(root) + NameOf(version) + ".json";
}
std::string ChecksumKey(std::string_view root, Version version) {
  return LogFolder(root) + NameOf(version) + ".crc";
}
std::string CheckpointKey(std::string_view root, Version version) {
  return LogFolder(root) + NameOf(version) + ".checkpoint.parquet";
}
std::string LastCheckpointKey(std::string_view root) {
  return LogFolder(root) + "_last_checkpoint";
}

Version LogListing::latest() const {
  VL_CHECK(!empty());
  Version newest{-1};
  if (!commits.empty()) newest = commits.back().version;
  if (!checkpoints.empty()) newest = std::max(newest, checkpoints.front().version);
  return newest;
}

const CommitFile* LogListing::Find(Version version) const {
  const auto at = std::ranges::lower_bound(commits, version, {}, &CommitFile::version);
  return at != commits.end() && at->version == version ? &*at : nullptr;
}

Result<LogListing> ListLog(storage::ObjectStore& store, std::string_view root, Version from) {
  const std::string folder = LogFolder(root);
  // Every file of version `from` sorts behind its bare number.
  VL_TRY(std::vector<storage::ObjectInfo> objects,
         store.List(folder, from.value > 0 ? folder + NameOf(from) : ""));
  LogListing listing;
  CheckpointCollector checkpoints;
  for (storage::ObjectInfo& object : objects) {
    std::string_view name = std::string_view(object.key).substr(folder.size());
    const auto number = TakeNumber(name, kVersionDigits, '.');
    if (!number || name.contains('/')) continue;
    const Version version{*number};
    if (name == "json") {
      listing.commits.push_back({version, std::move(object)});
    } else if (name.starts_with("checkpoint.")) {
      checkpoints.Add(version, name.substr(11), object.key);
    }
  }
  listing.checkpoints = checkpoints.Take();
  return listing;
}

}  // namespace vitalake::delta
