#include "storage/memory_store.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "storage/object_key.h"
#include "storage/posix_file.h"

namespace vitalake::storage {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> NoObject(std::string_view key) {
  return Fail(ErrorKind::kNotFound, fmt::format("there is no object '{}'", key));
}

Result<std::string> ReadFile(const fs::path& path) {
  VL_TRY(const Fd fd, OpenForReading(path));
  std::string bytes;
  constexpr size_t kPiece = 1 << 20;
  while (true) {
    const size_t before = bytes.size();
    bytes.resize(before + kPiece);
    VL_TRY(const size_t got, ReadFully(fd.number(), bytes.data() + before, kPiece, path));
    bytes.resize(before + got);
    if (got < kPiece) return bytes;
  }
}

Status WriteFile(const fs::path& path, std::string_view bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) return FailErrno(EIO, "write", path);
  return {};
}

}  // namespace

MemoryStore::MemoryStore(Clock* clock)
    : own_clock_(clock ? nullptr : std::make_unique<SystemClock>()),
      clock_(clock ? clock : own_clock_.get()) {}

MemoryStore::~MemoryStore() {
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

Result<std::vector<ObjectInfo>> MemoryStore::List(std::string_view prefix,
                                                  std::string_view start_after) {
  VL_RETURN_IF_ERROR(CheckPrefix(prefix));
  const std::lock_guard lock(mutex_);
  std::vector<ObjectInfo> found;
  auto at = start_after < prefix ? objects_.lower_bound(prefix) : objects_.upper_bound(start_after);
  for (; at != objects_.end() && at->first.starts_with(prefix); ++at) {
    const Object& object = at->second;
    found.push_back({at->first, static_cast<int64_t>(object.bytes->size()), object.modified});
  }
  return found;
}

Result<std::vector<std::string>> MemoryStore::ListFolder(std::string_view prefix) {
  VL_RETURN_IF_ERROR(CheckFolder(prefix));
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (auto at = objects_.lower_bound(prefix);
       at != objects_.end() && at->first.starts_with(prefix); ++at) {
    const size_t slash = at->first.find('/', prefix.size());
    const size_t end = slash == std::string::npos ? slash : slash + 1 - prefix.size();
    std::string name = at->first.substr(prefix.size(), end);
    if (names.empty() || names.back() != name) names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

Result<ObjectInfo> MemoryStore::Head(std::string_view key) {
  VL_TRY(const Object object, Find(key));
  return ObjectInfo{std::string(key), static_cast<int64_t>(object.bytes->size()), object.modified};
}

Result<std::string> MemoryStore::Read(std::string_view key) {
  VL_TRY(const Object object, Find(key));
  return *object.bytes;
}

Result<std::string> MemoryStore::ReadRange(std::string_view key, int64_t offset, int64_t size) {
  if (offset < 0 || size < 0) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("range {}+{} of '{}' is negative", offset, size, key));
  }
  VL_TRY(const Object object, Find(key));
  if (static_cast<size_t>(offset) >= object.bytes->size()) return std::string();
  return object.bytes->substr(static_cast<size_t>(offset), static_cast<size_t>(size));
}

Status MemoryStore::Put(std::string_view key, std::string_view bytes) {
  VL_RETURN_IF_ERROR(CheckKey(key));
  Object object = MakeObject(bytes);
  const std::lock_guard lock(mutex_);
  auto [at, created] = objects_.try_emplace(std::string(key));
  if (!created) Forget(at->second);
  at->second = std::move(object);
  return {};
}

Result<PutOutcome> MemoryStore::PutIfAbsent(std::string_view key, std::string_view bytes) {
  VL_RETURN_IF_ERROR(CheckKey(key));
  Object object = MakeObject(bytes);
  const std::lock_guard lock(mutex_);
  const bool created = objects_.try_emplace(std::string(key), std::move(object)).second;
  return created ? PutOutcome::kCreated : PutOutcome::kExists;
}

Status MemoryStore::PutFile(std::string_view key, const fs::path& staged) {
  VL_RETURN_IF_ERROR(CheckKey(key));
  VL_TRY(const std::string bytes, ReadFile(staged));
  VL_TRY(const PutOutcome outcome, PutIfAbsent(key, bytes));
  if (outcome == PutOutcome::kExists) {
    return Fail(ErrorKind::kAlreadyExists, fmt::format("there is already an object '{}'", key));
  }
  std::error_code ignored;
  fs::remove(staged, ignored);
  return {};
}

Status MemoryStore::Delete(std::string_view key) {
  VL_RETURN_IF_ERROR(CheckKey(key));
  const std::lock_guard lock(mutex_);
  const auto at = objects_.find(key);
  if (at == objects_.end()) return {};
  Forget(at->second);
  objects_.erase(at);
  return {};
}

Result<fs::path> MemoryStore::LocalPath(std::string_view key) {
  VL_RETURN_IF_ERROR(CheckKey(key));
  const std::lock_guard lock(mutex_);
  const auto at = objects_.find(key);
  if (at == objects_.end()) return NoObject(key);
  Object& object = at->second;
  if (object.local.empty()) {
    VL_TRY(const fs::path folder, Folder());
    // A folder each, so that the file can keep the object's own name.
    const fs::path path = folder / std::to_string(++files_) / fs::path(key).filename();
    std::error_code code;
    fs::create_directory(path.parent_path(), code);
    if (code) return FailErrno(code.value(), "make folder", path.parent_path());
    VL_RETURN_IF_ERROR(WriteFile(path, *object.bytes));
    object.local = path;
  }
  return object.local;
}

Result<fs::path> MemoryStore::StagingFolder() {
  const std::lock_guard lock(mutex_);
  VL_TRY(const fs::path folder, Folder());
  fs::path staging = folder / "staging";
  std::error_code code;
  fs::create_directory(staging, code);
  if (code) return FailErrno(code.value(), "make folder", staging);
  return staging;
}

MemoryStore::Object MemoryStore::MakeObject(std::string_view bytes) {
  return {std::make_shared<const std::string>(bytes), clock_->NowMicros(), {}};
}

Result<MemoryStore::Object> MemoryStore::Find(std::string_view key) {
  VL_RETURN_IF_ERROR(CheckKey(key));
  const std::lock_guard lock(mutex_);
  const auto at = objects_.find(key);
  if (at == objects_.end()) return NoObject(key);
  return at->second;
}

Result<fs::path> MemoryStore::Folder() {
  if (!folder_.empty()) return folder_;
  std::error_code code;
  std::string pattern = (fs::temp_directory_path(code) / "vitalake-XXXXXX").string();
  if (code || ::mkdtemp(pattern.data()) == nullptr) {
    return FailErrno(code ? code.value() : errno, "make a temporary folder", pattern);
  }
  folder_ = pattern;
  return folder_;
}

void MemoryStore::Forget(Object& object) {
  std::error_code ignored;
  if (!object.local.empty()) fs::remove_all(object.local.parent_path(), ignored);
}

}  // namespace vitalake::storage
