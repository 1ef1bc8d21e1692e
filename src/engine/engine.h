// Engine and Connection: one DuckDB instance behind Vitalake's own words.
//
// No header of this module shows DuckDB; nothing outside it includes DuckDB's header. An Engine is
// an in-memory database with a memory limit and a spill folder; it never touches a lake by itself.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "engine/result_cell.h"

namespace vitalake::engine {

struct EngineOptions {
  int threads = 0;                     // 0: one per core
  int64_t memory_bytes = 512ll << 20;  // of buffers, hash tables and sorts
  // Where what does not fit goes: a folder of this name, '-' and a UUID, made inside a folder that
  // is there, locked (storage/owned_folder.h) and gone with the engine. Empty: past the limit is
  // kLimit.
  std::filesystem::path spill_folder = {};
  int64_t spill_bytes = 0;  // most bytes in spill_folder; 0: what the disk has
  // Not empty: statements read and write files below these (absolute) folders alone.
  std::vector<std::filesystem::path> reachable_folders = {};
};

// A value of a `?` or `$1` in a statement; monostate is NULL.
using Parameter = std::variant<std::monostate, bool, int64_t, double, std::string>;

// What a column of a result holds, as far as the typed getters go.
enum class ValueKind {
  kBoolean,    // GetBool
  kInteger,    // GetInt64: every integer type that fits 64 bits signed
  kDouble,     // GetDouble: FLOAT, DOUBLE
  kString,     // GetString: VARCHAR, BLOB, JSON
  kDate,       // GetInt64: days since 1970-01-01
  kTimestamp,  // GetInt64: microseconds since 1970; TIMESTAMP and TIMESTAMP WITH TIME ZONE
  kDecimal,    // GetDouble (rounded), Text (exact)
  kOther,      // Text only: ENUM, HUGEINT, UBIGINT, TIME, INTERVAL, UUID, LIST, STRUCT, MAP, ...
};

struct ResultColumn {
  std::string name;
  ValueKind kind = ValueKind::kOther;
  std::string type;  // as SQL writes it: "DECIMAL(18,3)", "TIMESTAMP WITH TIME ZONE", "INTEGER[]"
};

// The rows of one statement, read forwards once. Move-only, not thread-safe; must not outlive its
// Connection. Columns count from 0; a getter of another kind than the column's is a bug (checked).
class QueryResult {
 public:
  ~QueryResult();
  QueryResult(QueryResult&&) noexcept;
  QueryResult& operator=(QueryResult&&) noexcept;

  const std::vector<ResultColumn>& columns() const;
  // Of the columns, for readers of cells.
  const std::vector<ResultType>& types() const;
  // The place of a column by name; nullopt when there is none.
  std::optional<size_t> Find(std::string_view name) const;

  // Moves to the next row; false after the last. The first call moves to the first row. Fails as
  // the statement itself does when it is streamed.
  Result<bool> Next();

  // How long the rows to come may take, from now on.
  void SetWait(const Wait& wait);

  // Of the current row. A typed getter of a NULL gives 0 / "" / false.
  ResultCell Cell(size_t column) const;
  bool IsNull(size_t column) const;
  bool GetBool(size_t column) const;
  int64_t GetInt64(size_t column) const;
  double GetDouble(size_t column) const;
  // Lives until the next call of Next.
  std::string_view GetString(size_t column) const;
  // Any type as DuckDB's CAST(... AS VARCHAR) writes it (timestamps as "2026-11-22 17:00:00+00"),
  // but LIST, STRUCT and MAP as JSON. "" for NULL.
  std::string Text(size_t column) const;
  void AppendText(size_t column, std::string& out) const;
  // Any type as a JSON value: numbers bare (DECIMAL too), timestamps as ISO 8601 strings with Z,
  // LIST as array, STRUCT and MAP as object, a JSON column as it is, not finite numbers as null.
  void AppendJson(size_t column, std::string& out) const;

 private:
  friend class Connection;
  friend class PreparedQuery;
  QueryResult();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A statement that was parsed and bound, to be run with values. Must not outlive its Connection.
class PreparedQuery {
 public:
  ~PreparedQuery();
  PreparedQuery(PreparedQuery&&) noexcept;
  PreparedQuery& operator=(PreparedQuery&&) noexcept;

  struct Column {
    std::string name;
    ResultType type;
  };
  // What its rows will be; types of kUnknown where they depend on parameters of unknown type.
  const std::vector<Column>& columns() const;
  // Of `$1`, `$2`, ...; kUnknown where the statement does not say.
  const std::vector<ResultType>& parameters() const;

  // As Connection::Stream.
  Result<QueryResult> Stream(const std::vector<Parameter>& parameters, const Wait& wait);

 private:
  friend class Connection;
  PreparedQuery();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class Engine;

// One session: temporary tables and one running statement at a time. Not thread-safe; make one per
// thread. Must not outlive its Engine.
//
// A statement whose `wait` ends is left between two chunks of rows by all threads that work on it,
// and the call returns only then: a single value that takes long (a list of millions) is finished.
//
// Errors of statements: kInvalidArgument (does not parse or bind, unknown table or function, a
// value cannot be converted), kNotFound (a file), kPermission, kNoSpace, kIo, kCorrupt (not a
// Parquet file), kLimit (memory), kCancelled, kDeadline, kUnsupported, kInternal.
class Connection {
 public:
  ~Connection();
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;

  // Runs one or more statements for their effect. Returns the rows changed by the last.
  Result<int64_t> Execute(const std::string& sql, const Wait& wait = {});
  // Runs statements, the last giving rows; all of them are held (and spilled) by the result, so
  // other statements may run while it is read. Parameters go to the last statement, in order.
  Result<QueryResult> Query(const std::string& sql, const std::vector<Parameter>& parameters = {},
                            const Wait& wait = {});
  // The same, but computed while it is read: memory stays flat. Any other statement on this
  // connection ends it. `wait` holds until the last row.
  Result<QueryResult> Stream(const std::string& sql, const std::vector<Parameter>& parameters = {},
                             const Wait& wait = {});
  // One statement, to be run later; it ends what runs. `wait` is for the planning alone.
  Result<PreparedQuery> Prepare(const std::string& sql, const Wait& wait = {});
  // One row, one column, as text; kNotFound when there is no row, "" for NULL.
  Result<std::string> Scalar(const std::string& sql, const std::vector<Parameter>& parameters = {},
                             const Wait& wait = {});
  Result<int64_t> ScalarInt(const std::string& sql, const std::vector<Parameter>& parameters = {},
                            const Wait& wait = {});

  // Whose connection this is: others to it see the same tables.
  Engine& engine() const;

  // The native handle (duckdb_connection), for other files of this module.
  void* native() const;

 private:
  friend class Engine;
  Connection();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class ParquetSinks;
class RowBuffers;

// Thread-safe.
class Engine {
 public:
  // kIo when the instance cannot be opened; kInvalidArgument for senseless options. Takes a few
  // milliseconds.
  static Result<std::unique_ptr<Engine>> Open(const EngineOptions& options = {});
  ~Engine();

  Result<Connection> Connect();
  const EngineOptions& options() const;  // threads resolved
  // Makes and locks the spill folder, where that could not be done yet because the folder around it
  // was not there.
  void ClaimSpillFolder();

  // For other files of this module.
  const std::shared_ptr<RowBuffers>& row_buffers() const;
  ParquetSinks& parquet_sinks() const;

 private:
  Engine();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// "text" -> "'text'" with quotes doubled; for literals in generated SQL.
std::string QuoteLiteral(std::string_view text);
// A local path as a literal for DuckDB's readers, which take patterns: *, ? and [ in it mean
// themselves.
std::string QuotePath(const std::filesystem::path& path);
// name -> "\"name\"" with quotes doubled; for identifiers in generated SQL.
std::string QuoteName(std::string_view name);

}  // namespace vitalake::engine
