#include "ingest/bronze_copies.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/utf8.h"
#include "ingest/input_files.h"
#include "ingest/run_lock.h"
#include "storage/sha256.h"

namespace vitalake::ingest {

namespace {

constexpr std::string_view kPrefix = "copy-";
constexpr char kEndOfRun = '~';

std::string PrefixOf(const RunId& run) {
  return fmt::format("{}{}{}", kPrefix, run.value, kEndOfRun);
}

// Where a file is by the path that the ledger kept as text: a name that was none stands there with
// U+FFFD in it. (Whether it is the file is told by its hash.)
std::string PathOf(const std::string& kept) {
  std::error_code error;
  if (kept.find("\xef\xbf\xbd") == std::string::npos || std::filesystem::exists(kept, error)) {
    return kept;
  }
  const std::filesystem::path path(kept);
  for (const auto& entry : std::filesystem::directory_iterator(path.parent_path(), error)) {
    if (ValidUtf8(entry.path().filename().string()) == path.filename().string()) {
      return entry.path().string();
    }
  }
  return kept;
}

}  // namespace

Status SweepStagedCopies(lake::Lake& lake, const std::filesystem::path& locks) {
  VL_TRY(const std::filesystem::path staging, lake.store().StagingFolder());
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(staging, error)) {
    const std::string name = entry.path().filename().string();
    const size_t end = name.find(kEndOfRun);
    if (!name.starts_with(kPrefix) || end == std::string::npos) continue;
    VL_TRY(const auto dead,
           RunLock::TryTake(locks, RunId{name.substr(kPrefix.size(), end - kPrefix.size())}));
    if (!dead) continue;      // its process lives
    std::error_code ignored;  // another process may sweep as well
    std::filesystem::remove(entry.path(), ignored);
  }
  if (error) return Fail(ErrorKind::kIo, fmt::format("{}: {}", staging.string(), error.message()));
  return {};
}

bool EndsTheRun(const Error& error) {
  return error.kind == ErrorKind::kNoSpace || error.kind == ErrorKind::kUnknownOutcome ||
         error.kind == ErrorKind::kCancelled || error.kind == ErrorKind::kDeadline;
}

BronzeCopies::~BronzeCopies() { thread_.request_stop(); }

Result<std::string> BronzeCopies::Stage(int64_t ordinal, const std::string& path) {
  VL_TRY(storage::StagedCopy copy, storage::StageCopy(lake_.store(), path, PrefixOf(run_)));
  std::string hash = copy.sha256();
  staged_.emplace(ordinal, std::move(copy));
  return hash;
}

std::optional<std::filesystem::path> BronzeCopies::StagedPath(int64_t ordinal) const {
  const auto found = staged_.find(ordinal);
  if (found == staged_.end()) return std::nullopt;
  return found->second.path();
}

void BronzeCopies::Publish(std::vector<lake::LedgerFile> files, bool recovering, const Wait& wait) {
  Promises promises(files.size());
  for (size_t i = 0; i < files.size(); ++i) {
    done_.emplace(files[i].ordinal, promises[i].get_future().share());
  }
  thread_ = std::jthread([this, files = std::move(files), recovering, wait,
                          promises = std::move(promises)](const std::stop_token& stop) mutable {
    std::stop_source either;
    const std::stop_callback by_owner(stop, [&] { either.request_stop(); });
    const std::stop_callback by_caller(wait.stop, [&] { either.request_stop(); });
    PublishAll(files, recovering, promises, {wait.until, either.get_token()});
  });
}

void BronzeCopies::PublishAll(const std::vector<lake::LedgerFile>& files, bool recovering,
                              Promises& promises, const Wait& wait) const {
  std::optional<Error> ended;
  for (size_t i = 0; i < files.size(); ++i) {
    if (auto go_on = wait.Check(lake_.clock(), "copying to bronze"); !ended && !go_on) {
      ended = std::move(go_on).error();
    }
    if (ended) {
      promises[i].set_value(std::unexpected(*ended));
      continue;
    }
    auto copy = PublishFile(files[i], recovering);
    if (!copy) {
      ended = Because(std::move(copy).error(), fmt::format("copying {} to bronze", files[i].path))
                  .error();
      promises[i].set_value(std::unexpected(*ended));
    } else {
      promises[i].set_value(std::move(*copy));
    }
  }
}

Result<BronzeCopy> BronzeCopies::Await(int64_t ordinal) const { return done_.at(ordinal).get(); }

Result<bool> BronzeCopies::IsPublished(const lake::LedgerFile& file,
                                       const std::string& path) const {
  auto local = lake_.store().LocalPath(path);
  if (!local && local.error().kind == ErrorKind::kNotFound) return false;
  if (!local) return std::unexpected(std::move(local).error());
  VL_TRY(const std::string hash, storage::Sha256OfFile(*local));
  return hash == file.sha256;
}

Result<BronzeCopy> BronzeCopies::PublishFile(const lake::LedgerFile& file, bool recovering) const {
  const std::string paths[] = {file.bronze_path,
                               OwnBronzePath(file.bronze_path, run_, file.ordinal)};
  if (recovering) {
    for (const std::string& path : paths) {
      VL_TRY(const bool published, IsPublished(file, path));
      if (published) return BronzeCopy{path, ""};
    }
  }
  std::optional<storage::StagedCopy> own;
  const auto staged = staged_.find(file.ordinal);
  if (staged == staged_.end()) {
    auto copy = storage::StageCopy(lake_.store(), PathOf(file.path), PrefixOf(run_));
    if (!copy && EndsTheRun(copy.error())) return std::unexpected(std::move(copy).error());
    if (!copy) return BronzeCopy{"", copy.error().ToString()};
    if (copy->sha256() != file.sha256) {
      return BronzeCopy{"", "the file changed while it was taken in; ingest it again"};
    }
    own.emplace(std::move(*copy));
  }
  const storage::StagedCopy& copy = own ? *own : staged->second;
  Status put;
  for (const std::string& path : paths) {
    put = copy.Publish(lake_.store(), path);
    if (put) return BronzeCopy{path, ""};
    if (put.error().kind != ErrorKind::kAlreadyExists) break;  // another run's, however alike
  }
  if (EndsTheRun(put.error())) return std::unexpected(std::move(put).error());
  return BronzeCopy{"", put.error().ToString()};
}

}  // namespace vitalake::ingest
