#include "delta/log_replay.h"

#include <fmt/format.h>

namespace vitalake::delta {
namespace {

template <class File>
std::string KeyOf(const File& file) {
  if (!file.deletion_vector) return file.path;
  return file.path + '\0' + file.deletion_vector->UniqueId();
}

}  // namespace

LogReplay::LogReplay(const SnapshotState& state)
    : version_(state.version),
      protocol_(state.protocol),
      metadata_(state.metadata),
      metadata_version_(state.metadata_version),
      files_(state.files),
      txns_(state.txns),
      domains_(state.domains) {
  places_.reserve(files_.size());
  for (size_t i = 0; i < files_.size(); ++i) places_.emplace(KeyOf(*files_[i]), i);
}

void LogReplay::Apply(Action action) {
  if (auto* add = std::get_if<AddFile>(&action)) {
    Put(std::move(*add));
  } else if (auto* remove = std::get_if<RemoveFile>(&action)) {
    Take(std::move(*remove));
  } else if (auto* metadata = std::get_if<Metadata>(&action)) {
    metadata_ = std::move(*metadata);
    metadata_version_ = version_;
  } else if (auto* protocol = std::get_if<Protocol>(&action)) {
    protocol_ = std::move(*protocol);
  } else if (auto* txn = std::get_if<Txn>(&action)) {
    std::string app_id = txn->app_id;
    txns_.insert_or_assign(std::move(app_id), std::move(*txn));
  } else if (auto* domain = std::get_if<DomainMetadata>(&action)) {
    if (domain->removed) {
      domains_.erase(domain->domain);
    } else {
      std::string name = domain->domain;
      domains_.insert_or_assign(std::move(name), std::move(*domain));
    }
  }
}

void LogReplay::Put(AddFile file) {
  std::string key = KeyOf(file);
  if (tombstones_ == Tombstones::kKeep) removed_.erase(key);
  auto added = std::make_shared<const AddFile>(std::move(file));
  const auto [at, is_new] = places_.try_emplace(std::move(key), files_.size());
  if (is_new) {
    files_.push_back(std::move(added));
  } else {
    files_[at->second] = std::move(added);
  }
}

void LogReplay::Take(RemoveFile file) {
  std::string key = KeyOf(file);
  if (const auto at = places_.find(key); at != places_.end()) {
    files_[at->second].reset();
    places_.erase(at);
  }
  if (tombstones_ == Tombstones::kKeep) removed_.insert_or_assign(std::move(key), std::move(file));
}

Result<SnapshotState> LogReplay::Finish(CommitMark mark) && {
  for (const auto& [missing, what] :
       {std::pair{!protocol_, "protocol"}, std::pair{!metadata_, "metaData"}}) {
    if (missing) {
      return Fail(ErrorKind::kCorrupt,
                  fmt::format("the log holds no {} action up to version {}", what, version_.value));
    }
  }
  std::erase(files_, nullptr);
  return SnapshotState{.version = version_,
                       .mark = mark,
                       .metadata_version = metadata_version_,
                       .protocol = *std::move(protocol_),
                       .metadata = *std::move(metadata_),
                       .files = std::move(files_),
                       .txns = std::move(txns_),
                       .domains = std::move(domains_)};
}

}  // namespace vitalake::delta
