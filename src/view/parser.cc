#include "view/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "view/fhir_types.h"
#include "view/functions.h"
#include "view/lexer.h"
#include "view/operators.h"
#include "view/path_expr.h"

namespace vitalake::view {
namespace {

using Made = Result<std::unique_ptr<Expr>>;

// Both bound the depth of the tree, and so of every recursion over it.
constexpr int kMaxDepth = 100;
constexpr size_t kMaxTokens = 2000;

struct Infix {
  std::string_view text;
  int level;  // higher binds tighter
  Operator op;
};
constexpr int kTypeLevel = 8;  // is, as
constexpr Infix kInfixes[] = {
    {"implies", 1, Operator::kImplies}, {"or", 2, Operator::kOr},
    {"xor", 2, Operator::kXor},         {"and", 3, Operator::kAnd},
    {"in", 4, Operator::kIn},           {"contains", 4, Operator::kContains},
    {"=", 5, Operator::kEqual},         {"~", 5, Operator::kEquivalent},
    {"!=", 5, Operator::kNotEqual},     {"!~", 5, Operator::kNotEquivalent},
    {"<", 6, Operator::kLess},          {">", 6, Operator::kGreater},
    {"<=", 6, Operator::kLessOrEqual},  {">=", 6, Operator::kGreaterOrEqual},
    {"|", 7, Operator::kUnion},         {"+", 9, Operator::kAdd},
    {"-", 9, Operator::kSubtract},      {"&", 9, Operator::kConcatenate},
    {"*", 10, Operator::kMultiply},     {"/", 10, Operator::kDivide},
    {"div", 10, Operator::kDiv},        {"mod", 10, Operator::kMod},
};

constexpr std::string_view kCalendarUnits[] = {"year", "month",  "week",   "day",
                                               "hour", "minute", "second", "millisecond"};

// "days" -> "day"; empty when it is no calendar unit.
std::string_view CalendarUnit(std::string_view name) {
  for (std::string_view unit : kCalendarUnits) {
    if (name == unit ||
        (name.size() == unit.size() + 1 && name.starts_with(unit) && name.back() == 's')) {
      return unit;
    }
  }
  return {};
}

class Parser {
 public:
  Parser(std::vector<Token> tokens, const Constants& constants)
      : tokens_(std::move(tokens)), constants_(constants) {}

  Result<Path> Run() {
    VL_TRY(auto expr, Expression(0));
    if (Now().kind != TokenKind::kEnd) return Bad("expected the end");
    return Path{std::move(expr), uses_row_index_};
  }

 private:
  const Token& Now() const { return tokens_[at_]; }
  bool Is(std::string_view symbol) const {
    return Now().kind == TokenKind::kSymbol && Now().text == symbol;
  }
  bool IsWord(std::string_view word) const {
    return Now().kind == TokenKind::kName && Now().text == word;
  }
  bool Take(std::string_view symbol) {
    if (!Is(symbol)) return false;
    ++at_;
    return true;
  }
  std::unexpected<Error> Bad(std::string_view what) const {
    return Fail(ErrorKind::kInvalidArgument,
                Now().kind == TokenKind::kEnd
                    ? fmt::format("{} at the end of the expression", what)
                    : fmt::format("{} at character {}", what, Now().offset + 1));
  }

  std::optional<Infix> NextInfix() const {
    if (Now().kind != TokenKind::kSymbol && Now().kind != TokenKind::kName) return std::nullopt;
    for (const Infix& infix : kInfixes) {
      if (infix.text == Now().text) return infix;
    }
    return std::nullopt;
  }

  // Operators of at least `level`, left to right.
  Made Expression(int level) {
    if (++depth_ > kMaxDepth) return Bad("the expression is nested too deeply");
    VL_TRY(auto left, Polarity());
    for (;;) {
      if (IsWord("is") || IsWord("as")) {
        if (kTypeLevel < level) break;
        const bool is = Now().text == "is";
        ++at_;
        VL_TRY(const std::string type, TypeName());
        left = is ? MakeIs(std::move(left), type) : MakeOfType(std::move(left), type, true);
        continue;
      }
      const auto infix = NextInfix();
      if (!infix || infix->level < level) break;
      ++at_;
      VL_TRY(auto right, Expression(infix->level + 1));
      left = MakeOperator(infix->op, std::move(left), std::move(right));
    }
    --depth_;
    return left;
  }

  Made Polarity() {
    while (Take("+")) continue;
    if (!Take("-")) return Postfix();
    if (++depth_ > kMaxDepth) return Bad("the expression is nested too deeply");
    VL_TRY(auto input, Polarity());
    --depth_;
    return MakeNegation(std::move(input));
  }

  Made Postfix() {
    VL_TRY(auto expr, Term());
    for (;;) {
      if (Take(".")) {
        if (Now().kind == TokenKind::kVariable) {
          VL_TRY(auto variable, Variable());
          VL_TRY(expr, Call("select", std::move(expr), std::move(variable)));
          continue;
        }
        if (Now().kind != TokenKind::kName && Now().kind != TokenKind::kQuoted) {
          return Bad("expected a member or function");
        }
        VL_TRY(expr, Invocation(std::move(expr)));
      } else if (Take("[")) {
        VL_TRY(auto index, Expression(0));
        if (!Take("]")) return Bad("expected ']'");
        expr = MakeIndexer(std::move(expr), std::move(index));
      } else {
        return expr;
      }
    }
  }

  static Made Call(std::string_view name, std::unique_ptr<Expr> input, std::unique_ptr<Expr> arg) {
    std::vector<ExprPtr> arguments;
    arguments.push_back(std::move(arg));
    return MakeFunction(name, std::move(input), std::move(arguments), "");
  }

  Made Term() {
    const Token& token = Now();
    switch (token.kind) {
      case TokenKind::kString:
        ++at_;
        return Literal(Item::Text(ItemKind::kString, token.text));
      case TokenKind::kDate:
        ++at_;
        return Literal(Item::Text(ItemKind::kDate, token.text));
      case TokenKind::kDateTime:
        ++at_;
        return Literal(Item::Text(ItemKind::kDateTime, token.text));
      case TokenKind::kTime:
        ++at_;
        return Literal(Item::Text(ItemKind::kTime, token.text));
      case TokenKind::kNumber:
        return Number();
      case TokenKind::kVariable:
        return Variable();
      case TokenKind::kConstant:
        return NamedConstant();
      case TokenKind::kQuoted:
        return Invocation(nullptr);
      case TokenKind::kName:
        if (token.text == "true" || token.text == "false") {
          ++at_;
          return Literal(Item::Boolean(token.text == "true"));
        }
        return Invocation(nullptr);
      default:
        break;
    }
    if (Take("(")) {
      VL_TRY(auto inner, Expression(0));
      if (!Take(")")) return Bad("expected ')'");
      return inner;
    }
    if (Take("{")) {
      if (!Take("}")) return Bad("expected '}'");
      return std::make_unique<EmptyExpr>();
    }
    return Bad("expected a value");
  }

  static Made Literal(const Item& item) { return std::make_unique<ConstantExpr>(item); }

  Made Number() {
    const std::string text = tokens_[at_++].text;
    std::string_view unit;
    if (Now().kind == TokenKind::kString) unit = Now().text;
    if (Now().kind == TokenKind::kName) unit = CalendarUnit(Now().text);
    if (!unit.empty()) {
      ++at_;
      Item quantity = Item::Text(ItemKind::kQuantity, text);
      quantity.unit = unit;
      return Literal(quantity);
    }
    int64_t integer = 0;
    const char* end = text.data() + text.size();
    const auto [ptr, error] = std::from_chars(text.data(), end, integer);
    if (ptr == end && error == std::errc()) return Literal(Item::Integer(integer));
    return Literal(Item::Text(ItemKind::kDecimal, text));
  }

  Made Variable() {
    using Which = VariableExpr::Which;
    const std::string& name = Now().text;
    if (name == "this") {
      ++at_;
      return std::make_unique<PathExpr>();
    }
    if (name != "index" && name != "total") return Bad(fmt::format("unknown variable ${}", name));
    ++at_;
    return std::make_unique<VariableExpr>(name == "index" ? Which::kIndex : Which::kTotal);
  }

  Made NamedConstant() {
    static constexpr std::pair<std::string_view, std::string_view> kSystems[] = {
        {"ucum", "http://unitsofmeasure.org"},
        {"sct", "http://snomed.info/sct"},
        {"loinc", "http://loinc.org"}};
    const std::string& name = Now().text;
    if (const auto at = constants_.find(name); at != constants_.end()) {
      ++at_;
      return Literal(at->second.item);
    }
    if (name == "rowIndex") {
      ++at_;
      uses_row_index_ = true;
      return std::make_unique<VariableExpr>(VariableExpr::Which::kRowIndex);
    }
    if (name == "resource" || name == "rootResource" || name == "context") {
      ++at_;
      return std::make_unique<VariableExpr>(VariableExpr::Which::kResource);
    }
    for (const auto& [system, url] : kSystems) {
      if (name != system) continue;
      ++at_;
      return Literal(Item::Text(ItemKind::kString, url));
    }
    static constexpr std::pair<std::string_view, std::string_view> kFolders[] = {
        {"vs-", "ValueSet"}, {"ext-", "StructureDefinition"}};
    for (const auto& [prefix, folder] : kFolders) {
      if (!name.starts_with(prefix)) continue;
      const std::string url =
          fmt::format("http://hl7.org/fhir/{}/{}", folder, name.substr(prefix.size()));
      ++at_;
      return Literal(Item::Text(ItemKind::kString, url));
    }
    return Bad(fmt::format("undefined constant %{}", name));
  }

  // A member or a function call; on $this when `input` is null.
  Made Invocation(std::unique_ptr<Expr> input) {
    const bool first = input == nullptr;
    if (first) input = std::make_unique<PathExpr>();
    const bool quoted = Now().kind == TokenKind::kQuoted;
    const std::string name = Now().text;
    if (!quoted && at_ + 1 < tokens_.size() && tokens_[at_ + 1].kind == TokenKind::kSymbol &&
        tokens_[at_ + 1].text == "(") {
      return Function(name, std::move(input));
    }
    if (first && !quoted && NextInfix() && !IsWord("in") && !IsWord("contains")) {
      return Bad("expected a value");
    }
    ++at_;
    // An expression may begin with the type of what it is about: Patient.name.
    if (first && name[0] >= 'A' && name[0] <= 'Z') {
      return MakeOfType(std::move(input), name, false);
    }
    PathExpr* path = input->AsPath();
    if (!path) {
      auto added = std::make_unique<PathExpr>(std::move(input));
      path = added.get();
      input = std::move(added);
    }
    path->Add(name);
    return input;
  }

  Made Function(const std::string& name, std::unique_ptr<Expr> input) {
    const FunctionShape* shape = FindFunction(name);
    if (!shape) return Bad(fmt::format("unknown function {}()", name));
    const size_t place = at_;
    at_ += 2;
    std::vector<ExprPtr> arguments;
    std::string type;
    size_t count = 0;
    while (!Is(")")) {
      if (count > 0 && !Take(",")) return Bad("expected ',' or ')'");
      if (shape->takes_type) {
        VL_TRY(type, TypeName());
      } else {
        VL_TRY(auto argument, Expression(0));
        arguments.push_back(std::move(argument));
      }
      ++count;
    }
    ++at_;
    if (count < shape->min_arguments || count > shape->max_arguments) {
      at_ = place;
      return Bad(
          fmt::format("{}() takes {} argument(s), not {}", name,
                      shape->min_arguments == shape->max_arguments
                          ? std::to_string(shape->min_arguments)
                          : fmt::format("{} to {}", shape->min_arguments, shape->max_arguments),
                      count));
    }
    auto made = MakeFunction(name, std::move(input), std::move(arguments), type);
    if (!made) {
      at_ = place;
      return Bad(made.error().message);
    }
    return made;
  }

  // Quantity, FHIR.Quantity, System.String.
  Result<std::string> TypeName() {
    const auto is_name = [&] {
      return Now().kind == TokenKind::kName || Now().kind == TokenKind::kQuoted;
    };
    if (!is_name()) return Bad("expected a type");
    std::string type = tokens_[at_++].text;
    if ((type == "FHIR" || type == "System") && Take(".")) {
      if (!is_name()) return Bad("expected a type");
      type = tokens_[at_++].text;
    }
    const bool complex = !type.empty() && type[0] >= 'A' && type[0] <= 'Z';
    if (complex || IsDataType(type)) return type;
    --at_;
    return Bad(fmt::format("unknown type {}", type));
  }

  std::vector<Token> tokens_;
  const Constants& constants_;
  size_t at_ = 0;
  int depth_ = 0;
  bool uses_row_index_ = false;
};

}  // namespace

Result<Path> ParsePath(std::string_view expression, const Constants& constants) {
  VL_TRY(auto tokens, Tokenize(expression));
  if (tokens.size() > kMaxTokens) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("an expression of more than {} tokens", kMaxTokens));
  }
  return Parser(std::move(tokens), constants).Run();
}

}  // namespace vitalake::view
