// A user's statement as DuckDB's parser understands it (json_serialize_sql): which tables it names,
// what bounds it puts on them, and the statement with tables renamed. For this module alone.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_tree.h"
#include "engine/engine.h"
#include "engine/relation.h"
#include "engine/sql_session.h"

namespace vitalake::engine {

// A bound found in a WHERE clause. `typed`: the constant was written with a type (DATE '...'), so
// it says nothing about a text column.
struct StatementBound {
  ColumnBound bound;
  bool typed = false;
  size_t parameter = 0;  // n: the value is that of `$n`, as text; 0: it is in the bound
};

// One mention of a table.
struct TableMention {
  std::string catalog;
  std::string schema;   // lower case; empty when not said
  std::string table;    // lower case
  std::string at_unit;  // "VERSION", "TIMESTAMP" or empty
  std::string at_sql;   // a SELECT that gives the value of AT as one cell
  std::vector<StatementBound> bounds;
  const JsonNode* node = nullptr;  // in the tree, for Rewrite
};

// What a mention becomes.
struct TableName {
  std::string schema;
  std::string table;
};

class SqlStatement {
 public:
  // Parses one statement that reads. kInvalidArgument: no or several statements, one that writes,
  // one that does not parse (DuckDB's words).
  static Result<SqlStatement> Parse(Connection& connection, std::string_view text);

  const std::vector<TableMention>& tables() const { return tables_; }
  // Functions called in FROM, in lower case.
  const std::vector<std::string>& table_functions() const { return table_functions_; }
  // Functions called as the engine's own (main.upper()), by their name alone, in lower case.
  const std::vector<std::string>& qualified_functions() const { return qualified_functions_; }
  // Whether it asks for the list of tables (SHOW TABLES, information_schema, duckdb_tables()).
  bool lists_tables() const { return lists_tables_; }
  // The statement as text, with some mentions renamed (their AT and catalog gone), and what the
  // dialect means differently said in the engine's words.
  Result<std::string> Rewrite(Connection& connection,
                              const std::map<const JsonNode*, TableName>& names,
                              SqlDialect dialect) const;
  // Whether it sorts rows of this mention, gives them all, and none twice.
  bool SortsRowsOf(const TableMention& mention) const;
  // As PostgreSQL would name its columns; nullopt where that needs the tables (`*`), and for
  // EXPLAIN.
  std::optional<std::vector<std::string>> PostgresNames() const;

 private:
  Status Collect(Connection& connection, JsonValue value);
  Status AddTable(Connection& connection, JsonValue value);

  std::string prefix_;  // "EXPLAIN " and the like, which the serialized form does not hold
  std::string text_;
  std::unique_ptr<JsonParser> parser_;
  JsonValue root_;
  std::vector<TableMention> tables_;
  std::map<const JsonNode*, std::vector<StatementBound>> bounds_;  // by BASE_TABLE
  std::vector<std::string> table_functions_;
  std::vector<std::string> qualified_functions_;
  bool lists_tables_ = false;
};

// The bounds of a WHERE clause on the one table a SELECT reads: conjuncts that compare a column
// with a constant. `alias` and `table` are what may stand before a column's name.
std::vector<StatementBound> BoundsOfWhere(JsonValue where, std::string_view table,
                                          std::string_view alias);

}  // namespace vitalake::engine
