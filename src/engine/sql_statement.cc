#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/json_writer.h"
#include "base/utf8.h"
#include "engine/place_mark.h"
#include "engine/sql_statement_internal.h"
#include "engine/sql_tree_internal.h"

namespace vitalake::engine {
namespace {

constexpr uint32_t kMaxDepth = 1000;  // of the parsed statement

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string Lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return Lower(c); });
  return out;
}

std::string_view TrimLeft(std::string_view text) {
  const size_t at = text.find_first_not_of(" \t\r\n");
  return at == text.npos ? std::string_view{} : text.substr(at);
}

// Takes the word off the front when it stands there.
bool TakeWord(std::string_view& text, std::string_view word) {
  const std::string_view rest = TrimLeft(text);
  if (Lower(rest.substr(0, word.size())) != word) return false;
  if (rest.size() > word.size() && !std::isspace(static_cast<unsigned char>(rest[word.size()]))) {
    return false;
  }
  text = rest.substr(word.size());
  return true;
}

// "EXPLAIN [ANALYZE] " in front of a statement; the rest stays in `text`.
std::string TakeExplain(std::string_view& text) {
  if (!TakeWord(text, "explain")) return "";
  return TakeWord(text, "analyze") ? "EXPLAIN ANALYZE " : "EXPLAIN ";
}

constexpr std::string_view kSelectAround[] = {
    R"json({"error":false,"statements":[{"node":{"type":"SELECT_NODE","modifiers":[],"cte_map":)json"
    R"json({"map":[]},"select_list":[)json",
    R"json(],"from_table":{"type":"EMPTY","alias":"","sample":null},"where_clause":null,)json"
    R"json("group_expressions":[],"group_sets":[],"aggregate_handling":"STANDARD_HANDLING",)json"
    R"json("having":null,"sample":null,"qualify":null},"named_param_map":[]}]})json"};

Result<std::string> Deserialize(Connection& connection, const std::string& json) {
  return connection.Scalar("SELECT json_deserialize_sql(CAST(? AS VARCHAR))", {json});
}

bool IsListing(std::string_view name) {
  return name.starts_with("duckdb_") || name.starts_with("sqlite_") || name.starts_with("pg_");
}

bool HasSubquery(JsonValue value) {
  if (value.is_object() && value.String("class") == "SUBQUERY") return true;
  for (const JsonValue child : value.children()) {
    if (HasSubquery(child)) return true;
  }
  return false;
}

// Of functions some give several rows (unnest); operators do not.
bool CallsFunction(JsonValue value) {
  if (value.is_object() && value.String("class") == "FUNCTION" &&
      value.Find("is_operator").type() != JsonType::kTrue) {
    return true;
  }
  for (const JsonValue child : value.children()) {
    if (CallsFunction(child)) return true;
  }
  return false;
}

// What json_serialize_sql says of a text that it does not take.
std::string ParseError(JsonValue answer, std::string_view text) {
  const std::string_view message = answer.String("error_message", "the statement does not parse");
  if (answer.String("error_type") == "not implemented") {
    if (!message.starts_with("Only SELECT")) {
      return fmt::format("Not implemented Error: {}", message);
    }
    return "only statements that read are allowed: SELECT, FROM, WITH, VALUES, DESCRIBE, "
           "SUMMARIZE, SHOW, EXPLAIN";
  }
  size_t character = 0;
  const std::string_view position = answer.String("position");
  const char* const end = position.data() + position.size();
  const auto read = std::from_chars(position.data(), end, character);
  if (position.empty() || read.ptr != end) return std::string(message);
  size_t byte = 0;
  for (; byte < text.size(); ++byte) {
    if (!IsInsideCharacter(text[byte]) && character-- == 0) break;
  }
  return fmt::format("Parser Error: {}{}", message, PlaceMark(text, byte));
}

}  // namespace

Result<SqlStatement> SqlStatement::Parse(Connection& connection, std::string_view text) {
  SqlStatement statement;
  statement.prefix_ = TakeExplain(text);
  statement.text_ = std::string(text);
  VL_TRY(const std::string json,
         connection.Scalar("SELECT json_serialize_sql(CAST(? AS VARCHAR))", {statement.text_}));
  statement.parser_ = std::make_unique<JsonParser>();
  const auto tree = statement.parser_->Parse(json, {.max_depth = kMaxDepth});
  if (!tree) {
    if (tree.error().kind == ErrorKind::kLimit) {
      return Fail(ErrorKind::kLimit, "the statement is nested too deeply: " + tree.error().message);
    }
    // The engine writes what is no JSON for one kind of value: a number too large for a DOUBLE.
    return Fail(ErrorKind::kInvalidArgument,
                "Out of Range Error: a number in the statement is out of range for type DOUBLE");
  }
  statement.root_ = *tree;
  if (statement.root_.Find("error").type() != JsonType::kFalse) {
    return Fail(ErrorKind::kInvalidArgument, ParseError(statement.root_, statement.text_));
  }
  const size_t count = statement.root_.Find("statements").size();
  if (count != 1) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("one statement at a time: there are {}", count));
  }
  VL_RETURN_IF_ERROR(statement.Collect(connection, statement.root_.Find("statements")));
  return statement;
}

Status SqlStatement::Collect(Connection& connection, JsonValue value) {
  if (value.is_object()) {
    const std::string_view type = value.String("type");
    if (type == "SELECT_NODE") {
      const JsonValue from = value.Find("from_table");
      // Renamed columns and samples are left alone: a bound would not mean what it says.
      if (from.String("type") == "BASE_TABLE" && from.Find("column_name_alias").size() == 0 &&
          from.Find("sample").is_null()) {
        bounds_[from.node()] = BoundsOfWhere(value.Find("where_clause"), from.String("table_name"),
                                             from.String("alias"));
      }
    } else if (type == "BASE_TABLE") {
      VL_RETURN_IF_ERROR(AddTable(connection, value));
    } else if (type == "SHOW_REF") {
      lists_tables_ |= !value.Find("query").is_object();
    } else if (type == "TABLE_FUNCTION") {
      const std::string_view function = value.Find("function").String("function_name");
      lists_tables_ |= IsListing(function);
      table_functions_.push_back(Lower(function));
    } else if (value.String("class") == "CAST") {
      // 'silver.patient'::regclass
      lists_tables_ |=
          Lower(value.Find("cast_type").Find("type_info").String("name")).starts_with("reg");
    } else if (type == "FUNCTION") {
      const std::string_view function = value.String("function_name");
      lists_tables_ |= function.starts_with("to_reg");
      const std::string schema = Lower(value.String("schema"));  // or a column: name.upper()
      if (schema == "main" || schema == "pg_catalog") {
        qualified_functions_.push_back(Lower(function));
      }
    }
  }
  for (const JsonValue child : value.children()) VL_RETURN_IF_ERROR(Collect(connection, child));
  return {};
}

Status SqlStatement::AddTable(Connection& connection, JsonValue value) {
  TableMention mention;
  mention.catalog = Lower(value.String("catalog_name"));
  mention.schema = Lower(value.String("schema_name"));
  mention.table = Lower(value.String("table_name"));
  mention.node = value.node();
  if (const auto found = bounds_.find(value.node()); found != bounds_.end()) {
    mention.bounds = found->second;
  }
  if (const JsonValue at = value.Find("at_clause"); at.is_object()) {
    if (HasSubquery(at)) {
      return Fail(ErrorKind::kInvalidArgument, "what stands in AT (...) has no subquery");
    }
    mention.at_unit = std::string(at.String("unit"));
    const std::string expression = SqlTreeCopy().Of(at.Find("expr"));
    VL_TRY(mention.at_sql, Deserialize(connection, std::string(kSelectAround[0]) + expression +
                                                       std::string(kSelectAround[1])));
  }
  lists_tables_ |= mention.schema == "information_schema" || mention.schema == "pg_catalog" ||
                   IsListing(mention.table) ||
                   // Another database of the engine: it can only tell of this one.
                   (!mention.catalog.empty() && mention.catalog != "lake");
  tables_.push_back(std::move(mention));
  return {};
}

bool SqlStatement::SortsRowsOf(const TableMention& mention) const {
  const JsonValue node = (*root_.Find("statements").children().begin()).Find("node");
  if (!prefix_.empty() || node.String("type") != "SELECT_NODE" ||
      node.Find("from_table").node() != mention.node || node.Find("group_sets").size() > 1) {
    return false;
  }
  bool sorts = false;
  for (const JsonValue modifier : node.Find("modifiers").children()) {
    const std::string_view type = modifier.String("type");
    if (type != "ORDER_MODIFIER" && type != "DISTINCT_MODIFIER") return false;
    sorts |= type == "ORDER_MODIFIER";
  }
  return sorts && !CallsFunction(node.Find("select_list"));
}

std::optional<std::vector<std::string>> SqlStatement::PostgresNames() const {
  if (!prefix_.empty()) return std::nullopt;
  return PostgresColumnNames(*root_.Find("statements").children().begin());
}

Result<std::string> SqlStatement::Rewrite(Connection& connection,
                                          const std::map<const JsonNode*, TableName>& names,
                                          SqlDialect dialect) const {
  PostgresTree postgres(names, text_);
  SqlTreeCopy plain(names);
  SqlTreeCopy& copy = dialect == SqlDialect::kPostgres ? postgres : plain;
  const std::string tree = copy.Of(root_);
  // The text as it was written where nothing changes: places in errors stay true.
  if (!copy.changed()) return prefix_ + text_;
  VL_TRY(const std::string sql, Deserialize(connection, tree));
  return prefix_ + sql;
}

}  // namespace vitalake::engine
