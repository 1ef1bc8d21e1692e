// What PostgreSQL means differently, on the tree: division, SIMILAR TO, the order of nulls, the
// columns of VALUES, the types whose values are names of catalogue entries.
#include <algorithm>
#include <array>
#include <string>

#include "engine/sql_tree_internal.h"

namespace vitalake::engine {
namespace {

struct NameType {
  std::string_view type;
  std::string_view in;   // name -> oid
  std::string_view out;  // oid -> name
};

// PostgreSQL's own input and output functions, which the catalogue's macros are named after.
constexpr std::array kNameTypes = {
    NameType{"regclass", "regclassin", "regclassout"},
    NameType{"regtype", "regtypein", "regtypeout"},
    NameType{"regproc", "regprocin", "regprocout"},
    NameType{"regprocedure", "regprocin", "regprocout"},
    NameType{"regoper", "regprocin", "regprocout"},
    NameType{"regoperator", "regprocin", "regprocout"},
    NameType{"regnamespace", "regnamespacein", "regnamespaceout"},
    NameType{"regrole", "regrolein", "regroleout"},
};

bool EqualsNoCase(std::string_view lower, std::string_view any) {
  return std::ranges::equal(
      lower, any, [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
}

const NameType* NameTypeOf(JsonValue cast) {
  const JsonValue type = cast.Find("cast_type");
  if (type.String("id") != "UNBOUND") return nullptr;
  const std::string_view name = type.Find("type_info").String("name");
  const auto found = std::ranges::find_if(
      kNameTypes, [&](const NameType& one) { return EqualsNoCase(one.type, name); });
  return found == kNameTypes.end() ? nullptr : &*found;
}

bool IsCast(JsonValue value) { return value.String("class") == "CAST"; }

// A text, as written or as a parameter: a name, where a column would be an oid.
bool IsName(JsonValue value) {
  if (IsCast(value)) {
    return value.Find("cast_type").String("id") == "VARCHAR" && IsName(value.Find("child"));
  }
  if (value.String("class") == "PARAMETER") return true;
  return value.String("class") == "CONSTANT" &&
         value.Find("value").Find("type").String("id") == "VARCHAR";
}

// The text of a constant; "" for anything else.
std::string_view TextConstant(JsonValue value) {
  return value.String("class") == "CONSTANT" ? value.Find("value").String("value")
                                             : std::string_view{};
}

// The function by which a column of the catalogue is shown otherwise than it is kept: a function's
// oid by its name, a list of oids with blanks between; "" for any other.
std::string_view OutputOf(JsonValue value) {
  constexpr std::array<std::string_view, 8> kFunctions = {"typinput",   "typoutput",   "typreceive",
                                                          "typsend",    "typmodin",    "typmodout",
                                                          "typanalyze", "typsubscript"};
  if (value.String("class") != "COLUMN_REF") return "";
  std::string_view last;
  for (const JsonValue name : value.Find("column_names").children()) last = name.text();
  if (EqualsNoCase("proargtypes", last)) return "oidvectorout";
  return std::ranges::any_of(kFunctions, [&](auto column) { return EqualsNoCase(column, last); })
             ? "regprocout"
             : "";
}

size_t SizeOf(JsonValue list) { return list.is_array() ? list.size() : 0; }

// Of a list of VALUES.
size_t CountColumns(JsonValue list) {
  const JsonValue rows = list.Find("values");
  return SizeOf(rows) == 0 ? 0 : SizeOf(*rows.children().begin());
}

bool IsInterval(JsonValue value) {
  return IsCast(value) && value.Find("cast_type").String("id") == "INTERVAL";
}

}  // namespace

bool PostgresTree::CopyOtherwise(JsonValue value) {
  const std::string_view kind = value.String("class");
  // A table in FROM, or a CTE: what is around it may say the names of its columns.
  if (kind.empty() && value.String("type") == "SUBQUERY") {
    NameColumns(value.Find("subquery").Find("node"));
    NoteNamedValues(value.Find("subquery"), SizeOf(value.Find("column_name_alias")));
  } else if (kind.empty() && value.Find("query").is_object()) {
    NameColumns(value.Find("query").Find("node"));
    NoteNamedValues(value.Find("query"), SizeOf(value.Find("aliases")));
  }
  if (value.String("type") == "SELECT_NODE") return CopyOuterSelect(value);
  if (kind == "OPERATOR") NoteNotSimilar(value);
  if (kind == "FUNCTION") return CopyFunction(value);
  if (kind == "CAST") return CopyCast(value) || CopyArrayText(value);
  if (value.String("type") == "TABLE_FUNCTION") return CopyTableFunction(value);
  if (value.String("type") == "EXPRESSION_LIST") return CopyValues(value);
  return CopyOrder(value);
}

std::string_view PostgresTree::TextOf(JsonValue text) const {
  const auto alias = aliases_.find(text.node());
  return alias == aliases_.end() ? text.text() : std::string_view(alias->second);
}

// Columns without alias get the name that they have in PostgreSQL.
void PostgresTree::NameColumns(JsonValue node) {
  if (node.String("type") == "SET_OPERATION_NODE") {
    if (const JsonValue left = node.Find("left"); left.is_object()) return NameColumns(left);
    for (const JsonValue child : node.Find("children").children()) return NameColumns(child);
  }
  for (const JsonValue item : node.Find("select_list").children()) {
    const std::string_view kind = item.String("class");
    if (kind == "COLUMN_REF" || kind == "STAR" || !item.String("alias").empty()) continue;
    std::string name = PostgresColumnName(item);
    if (name == "?column?") continue;
    aliases_.emplace(item.Find("alias").node(), std::move(name));
    set_changed();
  }
}

// What a client is given of such a column is shown so; inside of the statement it is as kept.
bool PostgresTree::CopyOuterSelect(JsonValue select) {
  const JsonValue list = select.Find("select_list");
  const bool outermost = !in_select_;
  in_select_ = true;
  bool shows = false;
  for (const JsonValue item : list.children()) shows |= !OutputOf(item).empty();
  if (!outermost || !shows) return false;
  writer().BeginObject();
  for (const JsonValue member : select.children()) {
    writer().Key(member.key());
    if (member.key() != "select_list") {
      Copy(member);
      continue;
    }
    writer().BeginArray();
    for (const JsonValue item : list.children()) {
      if (const std::string_view output = OutputOf(item); !output.empty()) {
        WriteCall(output, item, item);
      } else {
        Copy(item);
      }
    }
    writer().EndArray();
  }
  writer().EndObject();
  return true;
}

bool PostgresTree::CopyFunction(JsonValue function) {
  if (function.String("function_name") == "substring" && function.String("schema") == "main") {
    return CopyWithoutSchema(function);
  }
  if (IsSimilarTo(function)) return CopyCall(function, "similar_to");
  if (function.Find("is_operator").type() != JsonType::kTrue) return false;
  const std::string_view name = function.String("function_name");
  const JsonValue arguments = function.Find("children");
  if ((name != "/" && name != "%") || arguments.size() != 2) return false;
  for (const JsonValue argument : arguments.children()) {
    if (IsInterval(argument)) return false;
  }
  return CopyCall(function, name == "/" ? "pg_divide" : "pg_modulo");
}

bool PostgresTree::StandsAt(JsonValue value, std::string_view word) const {
  const auto at = value.Find("query_location").AsInt();
  if (!at || *at < 0 || static_cast<size_t>(*at) > text_.size()) return false;
  const std::string_view there = text_.substr(static_cast<size_t>(*at), word.size());
  return there.size() == word.size() && EqualsNoCase(word, there);
}

// The parser gives `~` and SIMILAR TO the same function: the text tells which one it was. In
// NOT SIMILAR TO the function has no place, but the negation around it.
bool PostgresTree::IsSimilarTo(JsonValue function) const {
  return function.String("function_name") == "regexp_full_match" &&
         (function.node() == not_similar_ || StandsAt(function, "similar"));
}

void PostgresTree::NoteNotSimilar(JsonValue negation) {
  if (negation.String("type") != "OPERATOR_NOT" || !StandsAt(negation, "not")) return;
  for (const JsonValue child : negation.Find("children").children()) {
    if (!child.Find("query_location").AsInt()) not_similar_ = child.node();
  }
}

bool PostgresTree::CopyCall(JsonValue function, std::string_view name) {
  writer().BeginObject();
  for (const JsonValue member : function.children()) {
    writer().Key(member.key());
    if (member.key() == "function_name") {
      writer().String(name);
    } else if (member.key() == "is_operator") {
      writer().Bool(false);
    } else {
      Copy(member);
    }
  }
  writer().EndObject();
  return true;
}

// The parser says main.substring whatever was written; the catalogue has another one.
bool PostgresTree::CopyWithoutSchema(JsonValue function) {
  writer().BeginObject();
  for (const JsonValue member : function.children()) {
    writer().Key(member.key());
    if (member.key() == "schema") {
      writer().String("");
    } else {
      Copy(member);
    }
  }
  writer().EndObject();
  return true;
}

// 'name'::regclass is the oid of that name; oid::regclass, and oid::regclass::text, its name.
bool PostgresTree::CopyCast(JsonValue cast) {
  const JsonValue child = cast.Find("child");
  if (const std::string_view output = OutputOf(child);
      cast.Find("cast_type").String("id") == "VARCHAR" && !output.empty()) {
    WriteCall(output, cast, child);
    return true;
  }
  if (cast.Find("cast_type").String("id") == "VARCHAR" && IsCast(child)) {
    if (const NameType* const inner = NameTypeOf(child); inner && !IsName(child.Find("child"))) {
      WriteCall(inner->out, cast, child.Find("child"));
      return true;
    }
  }
  if (cast.Find("cast_type").String("id") == "BLOB" && TextConstant(child).starts_with("\\x")) {
    WriteCall("byteain", cast, child);
    return true;
  }
  const NameType* const type = NameTypeOf(cast);
  if (!type) return false;
  WriteCall(IsName(child) ? type->in : type->out, cast, child);
  return true;
}

// '{1,2}'::int[]: the engine writes lists in square brackets.
bool PostgresTree::CopyArrayText(JsonValue cast) {
  const JsonValue child = cast.Find("child");
  const std::string_view text = TextConstant(child);
  if (cast.Find("cast_type").String("id") != "LIST" || !text.starts_with('{') ||
      !text.ends_with('}')) {
    return false;
  }
  writer().BeginObject();
  for (const JsonValue member : cast.children()) {
    writer().Key(member.key());
    if (member.key() != "child") {
      Copy(member);
      continue;
    }
    writer().BeginObject();
    for (const JsonValue part : child.children()) {
      writer().Key(part.key());
      if (part.key() != "value") {
        Copy(part);
        continue;
      }
      writer().BeginObject();
      for (const JsonValue value : part.children()) {
        writer().Key(value.key());
        if (value.key() == "value") {
          writer().String("[" + std::string(text.substr(1, text.size() - 2)) + "]");
        } else {
          Copy(value);
        }
      }
      writer().EndObject();
    }
    writer().EndObject();
  }
  writer().EndObject();
  return true;
}

// An alias of a function in FROM names its one column, too.
bool PostgresTree::CopyTableFunction(JsonValue function) {
  const std::string_view name = function.Find("function").String("function_name");
  const std::string_view alias = function.String("alias");
  constexpr std::array<std::string_view, 3> kOneColumn = {"generate_series", "string_to_array",
                                                          "unnest"};
  if (std::ranges::find(kOneColumn, name) == kOneColumn.end() || alias.empty() ||
      function.Find("column_name_alias").size() > 0) {
    return false;
  }
  writer().BeginObject();
  for (const JsonValue member : function.children()) {
    writer().Key(member.key());
    if (member.key() == "column_name_alias") {
      writer().BeginArray().String(alias).EndArray();
    } else {
      Copy(member);
    }
  }
  writer().EndObject();
  return true;
}

void PostgresTree::NoteNamedValues(JsonValue query, size_t names) {
  const JsonValue list = query.Find("node").Find("from_table");
  if (list.String("type") == "EXPRESSION_LIST" && names >= CountColumns(list)) {
    named_values_.insert(list.node());
  }
}

// VALUES without names for its columns: column1, column2.
bool PostgresTree::CopyValues(JsonValue list) {
  const size_t columns = CountColumns(list);
  if (SizeOf(list.Find("expected_names")) > 0 || columns == 0 ||
      named_values_.contains(list.node())) {
    return false;
  }
  writer().BeginObject();
  for (const JsonValue member : list.children()) {
    writer().Key(member.key());
    if (member.key() != "expected_names") {
      Copy(member);
      continue;
    }
    writer().BeginArray();
    for (size_t i = 1; i <= columns; ++i) writer().String("column" + std::to_string(i));
    writer().EndArray();
  }
  writer().EndObject();
  return true;
}

void PostgresTree::WriteCall(std::string_view name, JsonValue alias_of, JsonValue argument) {
  writer().BeginObject();
  writer().Key("class").String("FUNCTION").Key("type").String("FUNCTION");
  writer().Key("alias").String(TextOf(alias_of.Find("alias")));
  writer().Key("query_location");
  Copy(alias_of.Find("query_location"));
  writer().Key("function_name").String(name).Key("schema").String("");
  writer().Key("children").BeginArray();
  Copy(argument);
  writer().EndArray().Key("filter").Null();
  writer().Key("order_bys").BeginObject().Key("type").String("ORDER_MODIFIER");
  writer().Key("orders").BeginArray().EndArray().EndObject();
  writer().Key("distinct").Bool(false).Key("is_operator").Bool(false);
  writer().Key("export_state").Bool(false).Key("catalog").String("").EndObject();
}

// One key of ORDER BY: nulls are larger than everything.
bool PostgresTree::CopyOrder(JsonValue order) {
  if (order.String("type") != "DESCENDING" || order.String("null_order") != "ORDER_DEFAULT") {
    return false;
  }
  writer().BeginObject();
  for (const JsonValue member : order.children()) {
    writer().Key(member.key());
    if (member.key() == "null_order") {
      writer().String("NULLS FIRST");
    } else {
      Copy(member);
    }
  }
  writer().EndObject();
  return true;
}

}  // namespace vitalake::engine
