// ObjectStore: the one way to the bytes of a lake.
//
// A store holds objects by key ("silver/patient/_delta_log/00000000000000000000.json"): relative,
// '/'-separated, no empty, "." or ".." part, no leading or trailing '/'. An object is written once
// and then read, listed or deleted; nothing is ever changed in place.
//
// Every implementation must:
//  - make an object visible whole or not at all, and durable before it is visible: after Put,
//    PutIfAbsent (created) or PutFile returned ok, a crash of the machine loses nothing of it;
//  - let exactly one of several concurrent PutIfAbsent on one key answer kCreated;
//  - answer kUnknown only where the write may or may not have happened; the caller reads back;
//  - list what was put before the listing began.
// It may: list objects put meanwhile or not; leave behind invisible temporary files after a crash.
// It must not: overwrite on PutIfAbsent, answer kCreated for another writer's bytes, retry a
// PutIfAbsent whose outcome it does not know.
// All implementations are thread-safe.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace vitalake::storage {

struct ObjectInfo {
  std::string key;
  int64_t size_bytes = 0;
  Micros modified = 0;
};

enum class PutOutcome {
  kCreated,  // the object is there, durable, and ours
  kExists,   // another object was there before; nothing was written
  kUnknown,  // it may or may not be there: read it back
};

// One object, for reads of many ranges. Thread-safe. Its bytes stay readable after it was deleted
// or replaced, where the store can do that; else kNotFound.
class ObjectReader {
 public:
  virtual ~ObjectReader() = default;
  // When it was opened.
  virtual int64_t size_bytes() const = 0;
  // As ObjectStore::ReadRange.
  virtual Result<std::string> ReadRange(int64_t offset, int64_t size) = 0;
  // The range will be read soon: a disk fetches it meanwhile, beside others.
  virtual void WillRead([[maybe_unused]] int64_t offset, [[maybe_unused]] int64_t size) {}
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // Objects whose key begins with `prefix` (a plain string prefix; "" for all), in ascending byte
  // order of key; with `start_after`, only keys greater than it. No object: an empty list.
  virtual Result<std::vector<ObjectInfo>> List(std::string_view prefix,
                                               std::string_view start_after = {}) = 0;
  // The immediate names below the folder `prefix` ("" or ending in '/'): "a" for object
  // "<prefix>a", "b/" for any object "<prefix>b/...". Ascending. Cost: the folder, not what is
  // below.
  virtual Result<std::vector<std::string>> ListFolder(std::string_view prefix) = 0;
  // kNotFound when absent.
  virtual Result<ObjectInfo> Head(std::string_view key) = 0;
  // The whole object. kNotFound when absent.
  virtual Result<std::string> Read(std::string_view key) = 0;
  // Bytes [offset, offset + size) clipped to the object's end. kNotFound when absent.
  virtual Result<std::string> ReadRange(std::string_view key, int64_t offset, int64_t size) = 0;
  // kNotFound when absent. Must not outlive the store. It may hold a descriptor of the process.
  virtual Result<std::unique_ptr<ObjectReader>> OpenReader(std::string_view key);
  // Creates or replaces (hints such as _last_checkpoint only).
  virtual Status Put(std::string_view key, std::string_view bytes) = 0;
  // The same of what can be made anew, without waiting for the disk: after a crash of the machine
  // it may be older, absent, or damaged, which whoever reads it has to find out.
  virtual Status PutCache(std::string_view key, std::string_view bytes) { return Put(key, bytes); }
  // A cache of a few bytes that is written often, by one writer: where the object is as long it is
  // overwritten in its place, which takes no turn behind what others write durably. Who reads
  // meanwhile may see bytes of both.
  virtual Status PutMark(std::string_view key, std::string_view bytes) {
    return PutCache(key, bytes);
  }
  virtual Result<PutOutcome> PutIfAbsent(std::string_view key, std::string_view bytes) = 0;
  // Makes the local file `staged` durable, then visible as `key`; `staged` is gone afterwards.
  // kAlreadyExists when the key is taken (the staged file stays).
  virtual Status PutFile(std::string_view key, const std::filesystem::path& staged) = 0;
  // Deleting what is not there is ok.
  virtual Status Delete(std::string_view key) = 0;

  // A local file with the object's bytes, for readers that want a path (Parquet): the object itself
  // for a local store, a cached copy otherwise. Read-only. kNotFound when absent. The path stays
  // valid while the store lives and the object is not deleted.
  virtual Result<std::filesystem::path> LocalPath(std::string_view key) = 0;
  // A folder on the same device where files for PutFile can be prepared cheaply; made on demand.
  virtual Result<std::filesystem::path> StagingFolder() = 0;
};

}  // namespace vitalake::storage
