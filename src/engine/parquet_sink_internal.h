// Where COPY ... (FORMAT vitalake_parquet) puts its rows: the glue between statements and
// ParquetWriter. For this module alone.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/duckdb_internal.h"
#include "engine/parquet_files.h"
#include "engine/parquet_writer.h"

namespace vitalake::engine {

inline constexpr char kSinkFormat[] = "vitalake_parquet";

// The files of one WriteParquet. DuckDB gives it the rows in order, from one thread at a time.
class ParquetSink {
 public:
  ParquetSink(std::vector<ParquetColumn> columns, const std::filesystem::path& folder,
              const std::string& mark, const ParquetOptions& options);

  std::filesystem::path FilePath(size_t n) const;
  Status Take(duckdb_data_chunk chunk);
  Result<std::vector<WrittenFile>> Finish();

 private:
  Status EndGroup();
  Status EndFile();

  std::vector<ParquetColumn> columns_;
  const std::filesystem::path& folder_;
  const std::string& mark_;
  const ParquetOptions& options_;
  size_t group_rows_;
  RowGroup group_;
  std::optional<ParquetWriter> writer_;
  std::vector<WrittenFile> files_;
};

// The sinks of an engine by the path of their first file, which is what COPY names. Thread-safe.
class ParquetSinks {
 public:
  void Add(ParquetSink* sink);
  void Remove(ParquetSink* sink);
  ParquetSink* Find(const std::string& path) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, ParquetSink*> sinks_;
};

// Makes the format known to all connections of `connection`'s engine.
Status RegisterParquetSinks(Connection& connection, std::shared_ptr<ParquetSinks> sinks);

}  // namespace vitalake::engine
