// The row buffers of an engine by number, for the table function that reads them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "engine/engine.h"

namespace vitalake::engine {

struct RowBufferData;

// Thread-safe.
class RowBuffers {
 public:
  int64_t Add(const RowBufferData* buffer);
  void Remove(int64_t id);
  // Null when there is none of that number.
  const RowBufferData* Find(int64_t id) const;

 private:
  mutable std::mutex mutex_;
  int64_t last_ = 0;
  std::map<int64_t, const RowBufferData*> buffers_;
};

// Makes row_buffer(n) known to all connections of `connection`'s engine.
Status RegisterRowBuffers(Connection& connection, std::shared_ptr<RowBuffers> buffers);

}  // namespace vitalake::engine
