// A store in this process's memory: for tests, dry runs and throw-away lakes.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "storage/object_store.h"

namespace vitalake::storage {

// Objects live as long as the store. Paths (LocalPath, StagingFolder) lie in a private temporary
// folder, made on demand and removed with the store.
class MemoryStore final : public ObjectStore {
 public:
  // `clock` gives the objects' times and must outlive the store; null: the machine's.
  explicit MemoryStore(Clock* clock = nullptr);
  ~MemoryStore() override;
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;

  Result<std::vector<ObjectInfo>> List(std::string_view prefix,
                                       std::string_view start_after = {}) override;
  Result<std::vector<std::string>> ListFolder(std::string_view prefix) override;
  Result<ObjectInfo> Head(std::string_view key) override;
  Result<std::string> Read(std::string_view key) override;
  Result<std::string> ReadRange(std::string_view key, int64_t offset, int64_t size) override;
  Status Put(std::string_view key, std::string_view bytes) override;
  Result<PutOutcome> PutIfAbsent(std::string_view key, std::string_view bytes) override;
  Status PutFile(std::string_view key, const std::filesystem::path& staged) override;
  Status Delete(std::string_view key) override;
  Result<std::filesystem::path> LocalPath(std::string_view key) override;
  Result<std::filesystem::path> StagingFolder() override;

 private:
  struct Object {
    std::shared_ptr<const std::string> bytes;
    Micros modified = 0;
    std::filesystem::path local;  // empty until asked for
  };

  Object MakeObject(std::string_view bytes);
  Result<Object> Find(std::string_view key);
  // Both with mutex_ held.
  Result<std::filesystem::path> Folder();
  void Forget(Object& object);

  std::unique_ptr<Clock> own_clock_;
  Clock* clock_;
  std::mutex mutex_;
  // All guarded by mutex_.
  std::map<std::string, Object, std::less<>> objects_;
  std::filesystem::path folder_;
  int64_t files_ = 0;
};

}  // namespace vitalake::storage
