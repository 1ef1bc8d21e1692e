// EngineParquetIo: what `delta` needs of Parquet, by DuckDB.
#pragma once

#include <memory>

#include "delta/parquet_io.h"
#include "engine/engine.h"

namespace vitalake::engine {

// Thread-safe: a connection of its own per call. `engine` must outlive it.
class EngineParquetIo final : public delta::ParquetIo {
 public:
  explicit EngineParquetIo(Engine& engine) : engine_(engine) {}

  Status ReadActions(const std::filesystem::path& file, const std::vector<std::string>& columns,
                     const std::function<Status(std::string_view json)>& action) override;
  Result<int64_t> WriteCheckpoint(const std::filesystem::path& file,
                                  const std::function<Result<std::string_view>()>& next) override;

 private:
  Engine& engine_;
};

}  // namespace vitalake::engine
