#include <charconv>
#include <cmath>

#include "engine/sql_statement_internal.h"

namespace vitalake::engine {
namespace {

using Op = ColumnBound::Op;

struct Constant {
  decltype(ColumnBound::value) value;
  bool typed = false;
};

std::optional<Constant> PlainConstant(JsonValue constant) {
  const JsonValue value = constant.Find("value");
  if (!value || value.Find("is_null").type() != JsonType::kFalse) return std::nullopt;
  const JsonValue inner = value.Find("value");
  const std::string_view type = value.Find("type").String("id");
  if (!inner) return std::nullopt;
  if (inner.is_string()) {
    if (type != "VARCHAR") return std::nullopt;
    return Constant{std::string(inner.text())};
  }
  if (inner.is_bool()) return Constant{inner.type() == JsonType::kTrue};
  if (!inner.is_number()) return std::nullopt;
  if (type == "DECIMAL") {
    const auto scale = value.Find("type").Find("type_info").Find("scale").AsInt();
    const auto units = inner.AsDouble();
    if (!scale || !units) return std::nullopt;
    return Constant{*units / std::pow(10.0, static_cast<double>(*scale))};
  }
  if (type == "DOUBLE" || type == "FLOAT") {
    const auto number = inner.AsDouble();
    return number ? std::optional(Constant{*number}) : std::nullopt;
  }
  const auto integer = inner.AsInt();
  return integer ? std::optional(Constant{*integer}) : std::nullopt;
}

std::optional<Constant> ConstantOf(JsonValue expression) {
  const std::string_view kind = expression.String("class");
  if (kind == "CONSTANT") return PlainConstant(expression);
  if (kind != "CAST") return std::nullopt;
  auto inner = PlainConstant(expression.Find("child"));
  if (!inner || !std::holds_alternative<std::string>(inner->value)) return std::nullopt;
  const std::string text = std::get<std::string>(inner->value);
  const std::string_view type = expression.Find("cast_type").String("id");
  if (type == "BOOLEAN" && (text == "t" || text == "f")) return Constant{text == "t", true};
  // A time zone in a TIMESTAMP without one means what DuckDB makes of it: not for us to guess.
  const bool has_zone = text.find_first_of("+Zz", 10 < text.size() ? 10 : 0) != text.npos;
  if (type == "DATE" || type == "TIMESTAMP WITH TIME ZONE" || (type == "TIMESTAMP" && !has_zone)) {
    inner->typed = true;
    return inner;
  }
  return std::nullopt;
}

// n of `$n` or CAST($n AS VARCHAR); 0: it is something else.
size_t TextParameter(JsonValue expression) {
  if (expression.String("class") == "CAST") {
    if (expression.Find("cast_type").String("id") != "VARCHAR") return 0;
    expression = expression.Find("child");
  }
  if (expression.String("class") != "PARAMETER") return 0;
  const std::string_view name = expression.String("identifier");
  size_t number = 0;
  std::from_chars(name.data(), name.data() + name.size(), number);
  return number;
}

std::optional<Op> OpOf(std::string_view type) {
  if (type == "COMPARE_EQUAL") return Op::kEqual;
  if (type == "COMPARE_LESSTHAN") return Op::kLess;
  if (type == "COMPARE_LESSTHANOREQUALTO") return Op::kLessEqual;
  if (type == "COMPARE_GREATERTHAN") return Op::kGreater;
  if (type == "COMPARE_GREATERTHANOREQUALTO") return Op::kGreaterEqual;
  return std::nullopt;
}

Op Flip(Op op) {
  switch (op) {
    case Op::kLess:
      return Op::kGreater;
    case Op::kLessEqual:
      return Op::kGreaterEqual;
    case Op::kGreater:
      return Op::kLess;
    case Op::kGreaterEqual:
      return Op::kLessEqual;
    default:
      return op;
  }
}

// Gathers bounds while walking the conjuncts of one WHERE clause.
class Gatherer {
 public:
  Gatherer(std::string_view table, std::string_view alias) : table_(table), alias_(alias) {}

  void Take(JsonValue where) {
    const std::string_view type = where.String("type");
    if (type == "CONJUNCTION_AND") {
      for (const JsonValue child : where.Find("children").children()) Take(child);
    } else if (type == "COMPARE_BETWEEN") {
      Add(where.Find("input"), Op::kGreaterEqual, where.Find("lower"));
      Add(where.Find("input"), Op::kLessEqual, where.Find("upper"));
    } else if (type == "OPERATOR_IS_NULL" || type == "OPERATOR_IS_NOT_NULL") {
      TakeNullTest(where, type == "OPERATOR_IS_NULL" ? Op::kIsNull : Op::kIsNotNull);
    } else if (const auto op = OpOf(type)) {
      Add(where.Find("left"), *op, where.Find("right"));
      Add(where.Find("right"), Flip(*op), where.Find("left"));
    }
  }

  std::vector<StatementBound> bounds;

 private:
  std::optional<std::string> ColumnOf(JsonValue expression) const {
    if (expression.String("class") != "COLUMN_REF") return std::nullopt;
    std::vector<std::string_view> names;
    for (const JsonValue name : expression.Find("column_names").children()) {
      names.push_back(name.text());
    }
    if (names.size() == 1) return std::string(names[0]);
    const std::string_view before = alias_.empty() ? table_ : alias_;
    if (names.size() == 2 && names[0] == before) return std::string(names[1]);
    return std::nullopt;
  }

  void TakeNullTest(JsonValue test, Op op) {
    for (const JsonValue child : test.Find("children").children()) {
      if (auto column = ColumnOf(child)) bounds.push_back({{std::move(*column), op, {}}, false});
    }
  }

  void Add(JsonValue left, Op op, JsonValue right) {
    auto column = ColumnOf(left);
    if (!column) return;
    if (auto constant = ConstantOf(right)) {
      bounds.push_back({{std::move(*column), op, std::move(constant->value)}, constant->typed});
    } else if (const size_t parameter = TextParameter(right); parameter > 0) {
      bounds.push_back({{std::move(*column), op, {}}, false, parameter});
    }
  }

  std::string_view table_;
  std::string_view alias_;
};

}  // namespace

std::vector<StatementBound> BoundsOfWhere(JsonValue where, std::string_view table,
                                          std::string_view alias) {
  Gatherer gatherer(table, alias);
  if (where.is_object()) gatherer.Take(where);
  return std::move(gatherer.bounds);
}

}  // namespace vitalake::engine
