// What a QueryResult holds. For this module alone.
#pragma once

#include <optional>
#include <stop_token>
#include <vector>

#include "base/clock.h"
#include "engine/cell_text_internal.h"
#include "engine/statement_watch_internal.h"

namespace vitalake::engine {

// What a Connection is made of. It stays where it is while the Connection moves.
struct ConnectionState {
  Owned<duckdb_connection, duckdb_disconnect> handle;
  StatementWatcher* watcher = nullptr;
  uint64_t statements = 0;  // that have begun: each ends the one before
};

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
  ConnectionState* connection = nullptr;
  uint64_t statement = 0;  // of the connection's
  bool running = false;    // its rows are computed while they are read, and are not all there

  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  // Runs the statement; rows are computed while they are read when `streaming`. The caller watches.
  static Result<QueryResult> Run(ConnectionState& connection, duckdb_prepared_statement prepared,
                                 const Wait& wait, bool streaming);
  Status DescribeColumns();
  Result<bool> FetchChunk();
};

}  // namespace vitalake::engine
