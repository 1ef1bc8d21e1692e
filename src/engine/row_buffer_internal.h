// The row buffers of an engine by number, for the table function that reads them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "engine/engine.h"

namespace vitalake::engine {

class RowBufferColumn;

// Parts of a living RowBuffer.
struct RowBufferView {
  const std::vector<RowBufferColumn>* columns;
  const std::vector<uint32_t>* order;  // empty: as appended
  const int64_t* rows;
};

// Thread-safe.
class RowBuffers {
 public:
  int64_t Add(const RowBufferView& buffer);
  void Remove(int64_t id);
  std::optional<RowBufferView> Find(int64_t id) const;

 private:
  mutable std::mutex mutex_;
  int64_t last_ = 0;
  std::map<int64_t, RowBufferView> buffers_;
};

// Makes row_buffer(n) known to all connections of `connection`'s engine.
Status RegisterRowBuffers(Connection& connection, std::shared_ptr<RowBuffers> buffers);

}  // namespace vitalake::engine
