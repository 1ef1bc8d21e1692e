// SqlSession: a user's SELECT over the tables of a lake, each opened when a statement names it.
//
// Nothing is loaded before a statement needs it: `select 1` touches no table. A statement sees each
// table at one snapshot, chosen once when the statement starts. Only statements that read are
// allowed. `FROM t AT (VERSION => n)` and `AT (TIMESTAMP => '...')` choose an older one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/ids.h"
#include "base/result.h"
#include "engine/engine.h"
#include "engine/relation.h"
#include "engine/row_buffer.h"

namespace vitalake::engine {

// Which snapshot of a table: the latest when neither is set, never both.
struct TableAt {
  std::optional<Version> version = std::nullopt;
  std::optional<Micros> timestamp = std::nullopt;  // the latest version committed at or before it
  bool operator==(const TableAt&) const = default;
};

// What a name means: a table at a snapshot, or the SQL of a view.
struct NamedRelation {
  TableFiles table = {};      // snapshot null for a view
  std::string view_sql = {};  // a SELECT over other names; empty for a table
};

// The lake as the session sees it. Names are "schema.table". Called from the session's thread.
struct SqlCatalog {
  // All names there are, for information_schema-like listing and for suggestions.
  std::function<Result<std::vector<std::string>>()> list;
  // nullopt when there is no such name (the statement then fails as DuckDB words it). kNotFound
  // when the table has no such version.
  std::function<Result<std::optional<NamedRelation>>(std::string_view name, const TableAt& at)>
      open;
  // Whether rows of a table are found by one value of this column. May be empty: by none.
  std::function<bool(std::string_view name, std::string_view column)> finds = {};
  // Fills `rows` with all rows of the table that may be equal to the bound's value, when there is
  // a quicker way to them than a scan; else false.
  std::function<Result<bool>(std::string_view name, const TableFiles& table,
                             const ColumnBound& bound, RowBuffer& rows, const Wait& wait)>
      find_rows = {};
};

// kPostgres: `/` of integers gives an integer, division by zero is an error, nulls come first in
// descending order, regclass and its like are types, columns are named as PostgreSQL names them.
enum class SqlDialect { kEngine, kPostgres };

struct SqlOptions {
  SqlDialect dialect = SqlDialect::kEngine;
  // Whether a statement may name files, and call functions that read them or tell of the machine.
  bool files = true;
  // "database.schema" of this engine, one or several with commas between them, whose views, macros
  // and types are seen as if they were built in, before the engine's own; empty: none.
  std::string built_ins = {};
  // Where statements over held rows run; null: where the others do. It has the same functions and
  // built-ins. One of a single thread is quicker: handing parts of them to other threads takes
  // longer than they do.
  Engine* held_engine = nullptr;
};

// Not thread-safe; one per client. Must not outlive its engines.
class SqlSession {
 public:
  static Result<std::unique_ptr<SqlSession>> Open(Engine& engine, SqlCatalog catalog,
                                                  SqlOptions options = {});
  ~SqlSession();

  // One statement; rows are computed while they are read, until the next call. kInvalidArgument for
  // more than one statement, for one that writes or changes settings, and for what does not parse.
  Result<QueryResult> Query(std::string_view statement,
                            const std::vector<Parameter>& parameters = {}, const Wait& wait = {});
  // The same statement into one Parquet file; returns the rows.
  Result<int64_t> QueryToParquet(std::string_view statement, const std::filesystem::path& file,
                                 const Wait& wait = {},
                                 const std::vector<Parameter>& parameters = {});
  // The statement as DuckDB will run it, its tables made known; for callers that wrap it.
  Result<std::string> Prepare(std::string_view statement, const Wait& wait = {});

  struct Planned {
    std::string sql;
    // Of its columns, where the dialect gives them other names than the engine.
    std::optional<std::vector<std::string>> names;
  };
  // The same with names.
  Result<Planned> Plan(std::string_view statement, const Wait& wait = {});
  // How many were planned. What is known of a table is what the last one needs: of its files, those
  // that its conditions leave.
  int64_t statements_planned() const;

  // A statement over one table that asks for one value of a column by which rows are found.
  struct Point {
    std::string sql = {};         // over held rows instead of the table
    std::string sql_of_few = {};  // the same over at most 5,000, quicker; empty: none
    std::string table;            // its full name
    std::string column;
    size_t parameter = 0;    // n: the value is that of `$n`
    std::string value = {};  // else
    std::string rows = {};   // what holds the rows
  };
  // nullopt: it is none.
  std::optional<Point> FindPoint(std::string_view statement, const Wait& wait = {});
  // Puts the rows that the point's statement is about where it reads them, as they are now; it must
  // not be running. Returns which of the point's two to run; null: the statement itself must be
  // asked.
  Result<const std::string*> FillPoint(const Point& point, const std::vector<Parameter>& parameters,
                                       const Wait& wait = {});
  // Gives back most of the memory of these rows, which no statement reads any more.
  void ForgetPoint(const Point& point);

  // For statements of our own over a few rows of tables: those of a table named `name`, to be
  // cleared and filled by the caller before each; its sql() names them in statements. Null when its
  // columns are none that a buffer holds. Lives until the table has another schema.
  RowBuffer* HeldRows(std::string_view name, const delta::Snapshot& snapshot);
  // A statement over held rows alone, planned once per text.
  Result<QueryResult> QueryHeld(const std::string& sql, const std::vector<Parameter>& parameters,
                                const Wait& wait);

  Connection& connection();
  // Another one that sees what this session's statements were prepared for: for results that are
  // read while other statements run. Must not outlive the session.
  Result<Connection> Connect();
  // The same for the statements of points.
  Result<Connection> ConnectForPoints();

 private:
  SqlSession();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vitalake::engine
