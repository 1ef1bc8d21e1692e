// What a QueryResult holds. For this module alone.
#pragma once

#include <optional>
#include <stop_token>
#include <vector>

#include "base/clock.h"
#include "engine/cell_text_internal.h"

namespace vitalake::engine {

struct QueryResult::Impl {
  duckdb_result result{};
  OwnedChunk chunk;
  uint64_t chunk_size = 0;
  uint64_t row = 0;
  std::vector<ResultColumn> columns;
  std::vector<TypeInfo> types;
  std::vector<ResultType> public_types;
  std::vector<VectorView> views;  // of the current chunk
  Wait wait;
  duckdb_connection connection = nullptr;
  bool streaming = false;

  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { duckdb_destroy_result(&result); }

  // Runs the statement; rows are computed while they are read when `streaming`.
  static Result<QueryResult> Run(duckdb_connection connection, duckdb_prepared_statement prepared,
                                 const Wait& wait, bool streaming);
  Status DescribeColumns();
  Result<bool> FetchChunk();
};

}  // namespace vitalake::engine
