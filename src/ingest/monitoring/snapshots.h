// MonitorSnapshots: where a partition's monitor is kept: _vitalake/monitor/<appId>/<offset>.snap.
//
// A snapshot is a cache of what bronze and ops.action give again: one that is missing, damaged or
// of another version costs a longer replay and nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/object_store.h"

namespace vitalake::ingest {

class MonitorSnapshots {
 public:
  MonitorSnapshots(storage::ObjectStore& store, std::string_view app);

  // The offsets there are snapshots of, the newest first.
  Result<std::vector<int64_t>> List() const;
  Result<std::string> Read(int64_t offset) const;
  // Durable when it returns; the last two are kept.
  Status Write(int64_t offset, std::string_view bytes) const;

  // Beside them ("told"): messages before this offset may have raised alerts that were told before
  // bronze had them. 0: none that is known of. Writing does not wait for the disk.
  Result<int64_t> ReadTold() const;
  Status WriteTold(int64_t offset) const;

 private:
  std::string KeyOf(int64_t offset) const;
  std::string ToldKey() const;

  storage::ObjectStore& store_;
  std::string folder_;  // ends in '/'
};

}  // namespace vitalake::ingest
