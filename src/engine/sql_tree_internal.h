// Changes to a parsed statement, as a copy of its tree (json_serialize_sql). For this module alone.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_tree.h"
#include "base/json_writer.h"
#include "engine/sql_statement_internal.h"

namespace vitalake::engine {

// Writes a copy of the tree, with mentions of tables renamed.
class SqlTreeCopy {
 public:
  using Names = std::map<const JsonNode*, TableName>;

  SqlTreeCopy() = default;
  explicit SqlTreeCopy(const Names& names) : names_(&names) {}
  virtual ~SqlTreeCopy() = default;

  std::string Of(JsonValue value) {
    Copy(value);
    return writer_.Take();
  }
  // Whether the copy says something else.
  bool changed() const { return changed_; }

 protected:
  void Copy(JsonValue value);
  // Writes an object in its own way; false: it is copied.
  virtual bool CopyOtherwise(JsonValue) { return false; }
  virtual std::string_view TextOf(JsonValue text) const { return text.text(); }
  JsonWriter& writer() { return writer_; }
  void set_changed() { changed_ = true; }

 private:
  bool CopyRenamed(JsonValue table, JsonValue member, const TableName& name);

  const Names* names_ = nullptr;
  JsonWriter writer_;
  bool changed_ = false;
};

// The copy that says in the engine's words what PostgreSQL means (SqlDialect).
class PostgresTree final : public SqlTreeCopy {
 public:
  // `text` is the statement as it was parsed.
  PostgresTree(const Names& names, std::string_view text) : SqlTreeCopy(names), text_(text) {}

 private:
  bool CopyOtherwise(JsonValue value) override;
  std::string_view TextOf(JsonValue text) const override;
  void NameColumns(JsonValue node);
  bool CopyOuterSelect(JsonValue select);
  bool CopyFunction(JsonValue function);
  bool IsSimilarTo(JsonValue function) const;
  void NoteNotSimilar(JsonValue negation);
  // Whether the statement goes on so (in lower case) where this stands.
  bool StandsAt(JsonValue value, std::string_view word) const;
  // The same call of another function.
  bool CopyCall(JsonValue function, std::string_view name);
  bool CopyWithoutSchema(JsonValue function);
  bool CopyValues(JsonValue list);
  // Of a subquery whose columns have so many names.
  void NoteNamedValues(JsonValue query, size_t names);
  bool CopyCast(JsonValue cast);
  bool CopyOrder(JsonValue order);
  bool CopyTableFunction(JsonValue function);
  bool CopyArrayText(JsonValue cast);
  void WriteCall(std::string_view name, JsonValue alias_of, JsonValue argument);

  const std::string_view text_;
  const JsonNode* not_similar_ = nullptr;           // the function in NOT SIMILAR TO
  std::set<const JsonNode*> named_values_;          // VALUES whose columns all have names
  bool in_select_ = false;                          // the outermost was met
  std::map<const JsonNode*, std::string> aliases_;  // what to write for an alias that is empty
};

// The name that PostgreSQL gives a column without alias; "?column?" where it gives none.
std::string PostgresColumnName(JsonValue expression);
// The names that PostgreSQL gives the columns of a statement; nullopt where `*` stands for some.
std::optional<std::vector<std::string>> PostgresColumnNames(JsonValue statement);

}  // namespace vitalake::engine
