// ParquetIo: what `delta` needs of Parquet, given to it by the engine so that it knows no engine.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vitalake::delta {

// Must be thread-safe. Files are local paths (ObjectStore::LocalPath / StagingFolder).
class ParquetIo {
 public:
  virtual ~ParquetIo() = default;

  // Reads a checkpoint or sidecar file: calls `action` once per row with a JSON object text holding
  // the row's non-null columns in the shape of the JSON log ({"add":{...}}, maps as objects). Only
  // the top-level columns named in `columns` are read (those the file has). kCorrupt when the file
  // is not readable Parquet; every row of the file is delivered, or an error returned: never a
  // silent short read. `action` may end the reading with its own error.
  virtual Status ReadActions(const std::filesystem::path& file,
                             const std::vector<std::string>& columns,
                             const std::function<Status(std::string_view json)>& action) = 0;

  // Writes a V1 checkpoint file (schema of the protocol's "Checkpoint Schema") from actions in the
  // JSON shape of the log, one per element, pulled until `next` gives an empty view. Returns its
  // size in bytes. The file is complete but not yet durable (PutFile does that).
  virtual Result<int64_t> WriteCheckpoint(
      const std::filesystem::path& file, const std::function<Result<std::string_view>()>& next) = 0;
};

}  // namespace vitalake::delta
