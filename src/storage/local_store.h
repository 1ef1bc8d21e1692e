// A store in a folder of this machine: object `key` is the file <root>/<key>, readable as it stands
// by any other program.
//
// How an object comes to be (PutIfAbsent, PutFile; Put renames over the old one instead of step 3):
//  1. its bytes go to a temporary file in the staging folder, and fsync;
//  2. the folders above the key are made, and each is fsynced into the one above it (once per store
//     and folder: who finds a folder there does not know whether its maker synced it);
//  3. link(2), or renameat2(RENAME_NOREPLACE), makes it visible: exactly one of several callers, in
//     any number of processes, succeeds;
//  4. fsync of the folder. Failing here, the outcome is unknown.
// A crash leaves at most files in the staging folder.
//
// Limits: a name cannot be an object and a folder at once (kInvalidArgument); folders stay when
// their last object is deleted, and ListFolder shows them; a deletion becomes durable when the
// system writes it, or with the next object put into the folder; symbolic links are followed, a
// cycle of them is an error.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "storage/object_store.h"
#include "storage/posix_file.h"

namespace vitalake::storage {

class LocalStore final : public ObjectStore {
 public:
  // Changes nothing on disk: the root is made by the first write, a missing one lists as empty.
  // kInvalidArgument when `root` is empty or something else than a folder.
  static Result<std::unique_ptr<LocalStore>> Open(const std::filesystem::path& root,
                                                  PosixCalls calls = PosixCalls::Real());

  // Absolute.
  const std::filesystem::path& root() const { return root_; }

  // Stages in that folder below the root, not in _vitalake/staging there: for a store of which only
  // a part may be written to. Before the first write.
  void StageIn(std::filesystem::path folder) { staging_ = std::move(folder); }

  Result<std::vector<ObjectInfo>> List(std::string_view prefix,
                                       std::string_view start_after = {}) override;
  Result<std::vector<std::string>> ListFolder(std::string_view prefix) override;
  Result<ObjectInfo> Head(std::string_view key) override;
  Result<std::string> Read(std::string_view key) override;
  Result<std::string> ReadRange(std::string_view key, int64_t offset, int64_t size) override;
  Result<std::unique_ptr<ObjectReader>> OpenReader(std::string_view key) override;
  Status Put(std::string_view key, std::string_view bytes) override;
  Status PutCache(std::string_view key, std::string_view bytes) override;
  Status PutMark(std::string_view key, std::string_view bytes) override;
  Result<PutOutcome> PutIfAbsent(std::string_view key, std::string_view bytes) override;
  Status PutFile(std::string_view key, const std::filesystem::path& staged) override;
  Status Delete(std::string_view key) override;
  Result<std::filesystem::path> LocalPath(std::string_view key) override;
  Result<std::filesystem::path> StagingFolder() override;

 private:
  // link or rename: 0, or -1 and errno.
  using Publish = std::function<int(const char* from, const char* to)>;

  LocalStore(std::filesystem::path root, PosixCalls calls)
      : root_(std::move(root)), calls_(std::move(calls)), staging_(DefaultStaging(root_)) {}

  static std::filesystem::path DefaultStaging(const std::filesystem::path& root);
  std::filesystem::path PathOf(std::string_view key) const { return root_ / key; }
  enum class Lasting { kDurable, kCache };
  Result<std::filesystem::path> WriteTemporary(std::string_view bytes,
                                               Lasting lasting = Lasting::kDurable);
  Result<std::filesystem::path> CopyToTemporary(const std::filesystem::path& staged);
  // Both make the durable file `from` visible as `target`, the second by moving it.
  Result<PutOutcome> LinkAndSync(const std::filesystem::path& from,
                                 const std::filesystem::path& target);
  // kUnsupported when the file system cannot move it there that way.
  Result<PutOutcome> MoveAndSync(const std::filesystem::path& from,
                                 const std::filesystem::path& target, const Publish& move);
  // Publishes with the folder of `target` made first (again if it was removed meanwhile):
  // 0 or errno.
  Result<int> InFolder(const std::filesystem::path& from, const std::filesystem::path& target,
                       const Publish& publish);
  Status MakeDurableFolder(const std::filesystem::path& folder);
  void ForgetFolder(const std::filesystem::path& folder);

  const std::filesystem::path root_;
  const PosixCalls calls_;
  std::filesystem::path staging_;
  std::mutex mutex_;
  std::unordered_set<std::string> durable_folders_;  // guarded by mutex_
};

}  // namespace vitalake::storage
