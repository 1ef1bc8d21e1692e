// How PostgreSQL names the columns of a SELECT that have no alias.
//
// Source: PostgreSQL documentation, "Queries", "Column Labels"; parse_target.c (FigureColname).
#include <algorithm>
#include <array>

#include "engine/sql_tree_internal.h"

namespace vitalake::engine {
namespace {

// How sure a name is: a cast gives the name of its type only where its argument gives none.
struct Named {
  std::string name = "?column?";
  int strength = 0;
};

struct TypeName {
  std::string_view engine;
  std::string_view postgres;
};

constexpr std::array kTypeNames = {
    TypeName{"BOOLEAN", "bool"},
    TypeName{"TINYINT", "int2"},
    TypeName{"SMALLINT", "int2"},
    TypeName{"INTEGER", "int4"},
    TypeName{"BIGINT", "int8"},
    TypeName{"HUGEINT", "numeric"},
    TypeName{"FLOAT", "float4"},
    TypeName{"DOUBLE", "float8"},
    TypeName{"DECIMAL", "numeric"},
    TypeName{"VARCHAR", "text"},
    TypeName{"BLOB", "bytea"},
    TypeName{"DATE", "date"},
    TypeName{"TIME", "time"},
    TypeName{"TIMESTAMP", "timestamp"},
    TypeName{"TIMESTAMP WITH TIME ZONE", "timestamptz"},
    TypeName{"INTERVAL", "interval"},
    TypeName{"UUID", "uuid"},
    TypeName{"u32", "oid"},
    TypeName{"pgchar", "char"},
};

std::string PostgresTypeName(JsonValue type) {
  std::string_view id = type.String("id");
  if (id == "UNBOUND") id = type.Find("type_info").String("name");
  if (id == "LIST") return PostgresTypeName(type.Find("type_info").Find("child_type"));
  const auto found = std::ranges::find(kTypeNames, id, &TypeName::engine);
  return std::string(found == kTypeNames.end() ? id : found->postgres);
}

// Names that the parser of the engine gives functions, as they were written for PostgreSQL.
std::string FunctionName(std::string_view name) {
  if (name == "count_star") return "count";
  if (name == "date_part") return "extract";
  if (name == "trim") return "btrim";
  return std::string(name);
}

std::optional<std::vector<std::string>> NamesOf(JsonValue node);

Named NameOf(JsonValue expression) {
  if (const std::string_view alias = expression.String("alias"); !alias.empty()) {
    return {std::string(alias), 2};
  }
  const std::string_view kind = expression.String("class");
  const std::string_view type = expression.String("type");
  if (kind == "COLUMN_REF") {
    std::string last;
    for (const JsonValue name : expression.Find("column_names").children()) last = name.text();
    return {last, 2};
  }
  if (kind == "FUNCTION") {
    const std::string_view name = expression.String("function_name");
    const bool is_operator = expression.Find("is_operator").type() == JsonType::kTrue ||
                             name == "regexp_full_match" ||
                             std::isalpha(static_cast<unsigned char>(name[0])) == 0;
    return is_operator ? Named{} : Named{FunctionName(name), 2};
  }
  if (kind == "WINDOW") return {FunctionName(expression.String("function_name")), 2};
  if (kind == "CAST") {
    // A parameter's own cast is not the client's: it says what type was given.
    if (expression.Find("child").String("class") == "PARAMETER") return {};
    Named inner = NameOf(expression.Find("child"));
    if (inner.strength > 1) return inner;
    return {PostgresTypeName(expression.Find("cast_type")), 1};
  }
  if (kind == "COLLATE") return NameOf(expression.Find("child"));
  if (kind == "CASE") {
    Named otherwise = NameOf(expression.Find("else_expr"));
    return otherwise.strength > 1 ? otherwise : Named{"case", 1};
  }
  if (kind == "SUBQUERY") {
    if (expression.String("subquery_type") == "EXISTS") return {"exists", 2};
    if (expression.String("subquery_type") == "ANY") return {};
    const auto inner = NamesOf(expression.Find("subquery").Find("node"));
    return inner && inner->size() == 1 ? Named{inner->front(), 2} : Named{};
  }
  if (type == "OPERATOR_COALESCE") return {"coalesce", 2};
  if (type == "ARRAY_CONSTRUCTOR") return {"array", 2};
  if (type == "ARRAY_EXTRACT" || type == "ARRAY_SLICE" || type == "STRUCT_EXTRACT") {
    for (const JsonValue child : expression.Find("children").children()) return NameOf(child);
  }
  return {};
}

std::optional<std::vector<std::string>> NamesOf(JsonValue node) {
  const std::string_view type = node.String("type");
  if (type == "SET_OPERATION_NODE") {
    if (const JsonValue left = node.Find("left"); left.is_object()) return NamesOf(left);
    for (const JsonValue child : node.Find("children").children()) return NamesOf(child);
    return std::nullopt;
  }
  if (type != "SELECT_NODE") return std::nullopt;
  std::vector<std::string> names;
  for (const JsonValue expression : node.Find("select_list").children()) {
    if (expression.String("class") == "STAR") return std::nullopt;
    names.push_back(NameOf(expression).name);
  }
  return names;
}

}  // namespace

std::string PostgresColumnName(JsonValue expression) { return NameOf(expression).name; }

std::optional<std::vector<std::string>> PostgresColumnNames(JsonValue statement) {
  return NamesOf(statement.Find("node"));
}

}  // namespace vitalake::engine
