#include "view/operators.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "view/path_expr.h"
#include "view/temporal.h"

namespace vitalake::view {
namespace {

class Binary : public Expr {
 public:
  Binary(ExprPtr left, ExprPtr right) : left_(std::move(left)), right_(std::move(right)) {}

 protected:
  ExprPtr left_, right_;
};

// Both operands as single items; false when one is empty or the evaluation failed.
bool Operands(const Expr& left, const Expr& right, Env& env, Item& a, Item& b) {
  const Found x = left.One(env, a);
  if (env.failed()) return false;
  const Found y = right.One(env, b);
  if (env.failed()) return false;
  if (x == Found::kMany || y == Found::kMany) return env.Fail("an operand has several items");
  return x == Found::kOne && y == Found::kOne;
}

class EqualExpr final : public BooleanExpr {
 public:
  EqualExpr(ExprPtr left, ExprPtr right, bool negated)
      : left_(std::move(left)), right_(std::move(right)), negated_(negated) {}

  Truth Test(Env& env) const override {
    Item a, b;
    const Found x = left_->One(env, a);
    if (x == Found::kNone || env.failed()) return Truth::kEmpty;
    const Found y = right_->One(env, b);
    if (y == Found::kNone || env.failed()) return Truth::kEmpty;
    const Truth equal = x == Found::kOne && y == Found::kOne ? Equal(a, b) : EqualLists(env);
    if (equal == Truth::kEmpty) return equal;
    return ToTruth((equal == Truth::kTrue) != negated_);
  }
  Places Touch(JsonSelection& kept, const Places& focus) const override {
    TouchWhole(*left_, kept, focus);
    TouchWhole(*right_, kept, focus);
    return {};
  }

 private:
  Truth EqualLists(Env& env) const {
    const Items a = Collect(*left_, env), b = Collect(*right_, env);
    if (a.size() != b.size()) return Truth::kFalse;
    Truth result = Truth::kTrue;
    for (size_t i = 0; i < a.size(); ++i) {
      const Truth equal = Equal(a[i], b[i]);
      if (equal == Truth::kFalse) return equal;
      if (equal == Truth::kEmpty) result = equal;
    }
    return result;
  }

  ExprPtr left_, right_;
  bool negated_;
};

// path = 'text': the test in nearly every filter.
class EqualTextExpr final : public BooleanExpr {
 public:
  EqualTextExpr(ExprPtr left, std::string_view text, bool negated)
      : left_(std::move(left)),
        literal_(Item::Text(ItemKind::kString, text)),
        may_be_date_(LooksLikeDate(text)),
        negated_(negated) {}
  bool is_watched() const override { return left_->is_watched(); }

  Truth Test(Env& env) const override {
    Item item;
    const Found found = left_->One(env, item);
    if (found == Found::kNone || env.failed()) return Truth::kEmpty;
    if (found == Found::kMany) return ToTruth(negated_);
    const bool plain =
        item.kind == ItemKind::kNode && item.type == 0 && item.node->type == JsonType::kString;
    const std::string_view text = literal_.item().text;
    const bool same = plain && std::string_view(item.node->data, item.node->size) == text;
    const bool sure = same || (plain && !may_be_date_);
    if (env.watch) sure ? env.watch->OnText(item.node, text, same) : env.watch->OnOther();
    if (sure) return ToTruth(same != negated_);
    const Truth equal = Equal(item, literal_.item());
    return equal == Truth::kEmpty ? equal : ToTruth((equal == Truth::kTrue) != negated_);
  }
  Places Touch(JsonSelection& kept, const Places& focus) const override {
    left_->Touch(kept, focus);
    return {};
  }

 private:
  ExprPtr left_;
  ConstantExpr literal_;
  bool may_be_date_;
  bool negated_;
};

class EquivalentExpr final : public BooleanExpr {
 public:
  EquivalentExpr(ExprPtr left, ExprPtr right, bool negated)
      : left_(std::move(left)), right_(std::move(right)), negated_(negated) {}

  Truth Test(Env& env) const override {
    const Items a = Collect(*left_, env);
    Items b = Collect(*right_, env);
    if (env.failed()) return Truth::kEmpty;
    bool same = a.size() == b.size();
    for (size_t i = 0; same && i < a.size(); ++i) same = TakeEquivalent(b, a[i]);
    return ToTruth(same != negated_);
  }
  Places Touch(JsonSelection& kept, const Places& focus) const override {
    TouchWhole(*left_, kept, focus);
    TouchWhole(*right_, kept, focus);
    return {};
  }

 private:
  static bool TakeEquivalent(Items& items, const Item& wanted) {
    for (size_t i = 0; i < items.size(); ++i) {
      if (!Equivalent(items[i], wanted)) continue;
      items.erase(items.begin() + static_cast<std::ptrdiff_t>(i));
      return true;
    }
    return false;
  }

  ExprPtr left_, right_;
  bool negated_;
};

class CompareExpr final : public BooleanExpr {
 public:
  CompareExpr(Operator op, ExprPtr left, ExprPtr right)
      : op_(op), left_(std::move(left)), right_(std::move(right)) {}

  Truth Test(Env& env) const override {
    Item a, b;
    if (!Operands(*left_, *right_, env, a, b)) return Truth::kEmpty;
    const Ordering order = Order(Atom(a), Atom(b));
    if (!order.comparable) {
      env.Fail(fmt::format("{} and {} cannot be compared", TypeName(a), TypeName(b)));
      return Truth::kEmpty;
    }
    if (order.empty) return Truth::kEmpty;
    switch (op_) {
      case Operator::kLess:
        return ToTruth(order.order < 0);
      case Operator::kLessOrEqual:
        return ToTruth(order.order <= 0);
      case Operator::kGreater:
        return ToTruth(order.order > 0);
      default:
        return ToTruth(order.order >= 0);
    }
  }
  Places Touch(JsonSelection& kept, const Places& focus) const override {
    TouchWhole(*left_, kept, focus);
    TouchWhole(*right_, kept, focus);
    return {};
  }

 private:
  Operator op_;
  ExprPtr left_, right_;
};

class LogicExpr final : public BooleanExpr {
 public:
  LogicExpr(Operator op, ExprPtr left, ExprPtr right)
      : op_(op), left_(std::move(left)), right_(std::move(right)) {}
  bool is_watched() const override { return left_->is_watched() && right_->is_watched(); }

  Truth Test(Env& env) const override {
    const Truth a = left_->Test(env);
    if (env.failed()) return Truth::kEmpty;
    if (op_ == Operator::kAnd && a == Truth::kFalse) return a;
    if (op_ == Operator::kOr && a == Truth::kTrue) return a;
    if (op_ == Operator::kImplies && a == Truth::kFalse) return Truth::kTrue;
    const Truth b = right_->Test(env);
    switch (op_) {
      case Operator::kAnd:
        return a == Truth::kTrue || b == Truth::kFalse ? b : a;
      case Operator::kOr:
        return a == Truth::kFalse || b == Truth::kTrue ? b : a;
      case Operator::kImplies:
        return a == Truth::kTrue || b == Truth::kTrue ? b : Truth::kEmpty;
      default:
        if (a == Truth::kEmpty || b == Truth::kEmpty) return Truth::kEmpty;
        return ToTruth(a != b);
    }
  }
  Places Touch(JsonSelection& kept, const Places& focus) const override {
    left_->Touch(kept, focus);
    right_->Touch(kept, focus);
    return {};
  }

 private:
  Operator op_;
  ExprPtr left_, right_;
};

class MembershipExpr final : public BooleanExpr {
 public:
  MembershipExpr(ExprPtr item, ExprPtr list) : item_(std::move(item)), list_(std::move(list)) {}

  Truth Test(Env& env) const override {
    Item item;
    const Found found = item_->One(env, item);
    if (found == Found::kMany) env.Fail("an operand has several items");
    if (found != Found::kOne || env.failed()) return Truth::kEmpty;
    bool holds = false;
    list_->Each(env, [&](const Item& candidate) {
      holds = Equal(candidate, item) == Truth::kTrue;
      return !holds;
    });
    return ToTruth(holds);
  }
  Places Touch(JsonSelection& kept, const Places& focus) const override {
    TouchWhole(*item_, kept, focus);
    TouchWhole(*list_, kept, focus);
    return {};
  }

 private:
  ExprPtr item_, list_;
};

class UnionExpr final : public Expr {
 public:
  UnionExpr(std::unique_ptr<Expr> left, std::unique_ptr<Expr> right)
      : left_(std::move(left)), right_(std::move(right)) {}
  // a, b, c of a | b | c; the union is spent.
  void TakeOperands(std::vector<std::unique_ptr<Expr>>& out) {
    for (std::unique_ptr<Expr>* const side : {&left_, &right_}) {
      if (auto* inner = dynamic_cast<UnionExpr*>(side->get())) {
        inner->TakeOperands(out);
      } else {
        out.push_back(std::move(*side));
      }
    }
  }
  bool Each(Env& env, Sink sink) const override {
    Items seen;
    const auto once = [&](const Item& item) {
      if (Holds(seen, item)) return true;
      if (!sink(item)) return false;
      seen.push_back(item);
      return true;
    };
    return left_->Each(env, once) && right_->Each(env, once);
  }

 private:
  std::unique_ptr<Expr> left_, right_;
};

// + - * / div mod of numbers, + of strings.
class ArithmeticExpr final : public Binary {
 public:
  ArithmeticExpr(Operator op, ExprPtr left, ExprPtr right)
      : Binary(std::move(left), std::move(right)), op_(op) {}

  bool at_most_one() const override { return true; }
  StaticKind kind() const override { return StaticKind::kNotBoolean; }
  bool Each(Env& env, Sink sink) const override {
    Item a, b;
    if (!Operands(*left_, *right_, env, a, b)) return !env.failed();
    a = Atom(a);
    b = Atom(b);
    if (op_ == Operator::kAdd && a.is_text() && b.is_text()) {
      std::string text(a.text);
      return sink(Item::Text(ItemKind::kString, env.Keep(text.append(b.text))));
    }
    if (!a.is_number() || !b.is_number()) {
      return env.Fail(fmt::format("no arithmetic with {} and {}", TypeName(a), TypeName(b)));
    }
    const auto x = NumberOf(a), y = NumberOf(b);
    const auto result = x && y ? Compute(*x, *y) : std::nullopt;
    if (!result) return true;
    const bool whole =
        op_ == Operator::kDiv ||
        (op_ != Operator::kDivide && a.kind == ItemKind::kInteger && b.kind == ItemKind::kInteger);
    if (whole && result->mantissa <= INT64_MAX && result->mantissa >= INT64_MIN) {
      return sink(Item::Integer(static_cast<int64_t>(result->mantissa)));
    }
    return sink(Item::Text(ItemKind::kDecimal, env.Keep(result->ToText())));
  }
  Places Touch(JsonSelection& kept, const Places& focus) const override {
    TouchWhole(*left_, kept, focus);
    TouchWhole(*right_, kept, focus);
    return {};
  }

 private:
  std::optional<Decimal> Compute(const Decimal& x, const Decimal& y) const {
    switch (op_) {
      case Operator::kAdd:
        return Add(x, y);
      case Operator::kSubtract:
        return Subtract(x, y);
      case Operator::kMultiply:
        return Multiply(x, y);
      case Operator::kDivide:
        return Divide(x, y);
      case Operator::kDiv:
        return WholeQuotient(x, y);
      default:
        return Remainder(x, y);
    }
  }

  Operator op_;
};

// &: an empty operand counts as ''.
class ConcatenateExpr final : public Binary {
 public:
  using Binary::Binary;
  bool at_most_one() const override { return true; }
  StaticKind kind() const override { return StaticKind::kNotBoolean; }
  bool Each(Env& env, Sink sink) const override {
    std::string text;
    for (const Expr* operand : {left_.get(), right_.get()}) {
      Item item;
      const Found found = operand->One(env, item);
      if (env.failed()) return false;
      if (found == Found::kMany) return env.Fail("an operand has several items");
      if (found == Found::kNone) continue;
      item = Atom(item);
      if (!item.is_text()) return env.Fail(fmt::format("& with {}", TypeName(item)));
      text.append(item.text);
    }
    return sink(Item::Text(ItemKind::kString, env.Keep(text)));
  }
  Places Touch(JsonSelection& kept, const Places& focus) const override {
    TouchWhole(*left_, kept, focus);
    TouchWhole(*right_, kept, focus);
    return {};
  }
};

class NegationExpr final : public Expr {
 public:
  explicit NegationExpr(ExprPtr input) : input_(std::move(input)) {}
  bool at_most_one() const override { return true; }
  StaticKind kind() const override { return StaticKind::kNotBoolean; }
  bool Each(Env& env, Sink sink) const override {
    Item item;
    const Found found = input_->One(env, item);
    if (env.failed()) return false;
    if (found == Found::kNone) return true;
    item = Atom(item);
    const auto number = NumberOf(item);
    if (found == Found::kMany || !number) return env.Fail("only one number has a sign");
    if (item.kind == ItemKind::kInteger) return sink(Item::Integer(-item.integer));
    item.text = env.Keep(Decimal{-number->mantissa, number->scale}.ToText());
    return sink(item);
  }
  Places Touch(JsonSelection& kept, const Places& focus) const override {
    TouchWhole(*input_, kept, focus);
    return {};
  }

 private:
  ExprPtr input_;
};

class IndexerExpr final : public Binary {
 public:
  using Binary::Binary;
  bool at_most_one() const override { return true; }
  bool Each(Env& env, Sink sink) const override {
    Item item;
    const Found found = right_->One(env, item);
    if (env.failed()) return false;
    if (found == Found::kNone) return true;
    item = Atom(item);
    if (found == Found::kMany || item.kind != ItemKind::kInteger) {
      return env.Fail("an index must be one integer");
    }
    int64_t left = item.integer;
    if (left < 0) return true;
    bool wanted = true;
    left_->Each(env, [&](const Item& candidate) {
      if (left-- > 0) return true;
      wanted = sink(candidate);
      return false;
    });
    return wanted && !env.failed();
  }
  Places Touch(JsonSelection& kept, const Places& focus) const override {
    TouchWhole(*right_, kept, focus);
    return left_->Touch(kept, focus);
  }
};

class FirstExpr final : public Expr {
 public:
  explicit FirstExpr(ExprPtr input) : input_(std::move(input)) {}
  bool at_most_one() const override { return true; }
  bool is_watched() const override { return input_->is_watched(); }
  StaticKind kind() const override { return input_->kind(); }
  bool Each(Env& env, Sink sink) const override {
    bool wanted = true;
    input_->Each(env, [&](const Item& item) {
      wanted = sink(item);
      return false;
    });
    return wanted && !env.failed();
  }
  Found One(Env& env, Item& out) const override {
    Found found = Found::kNone;
    input_->Each(env, [&](const Item& item) {
      out = item;
      found = Found::kOne;
      return false;
    });
    return env.failed() ? Found::kNone : found;
  }
  Places Touch(JsonSelection& kept, const Places& focus) const override {
    return input_->Touch(kept, focus);
  }

 private:
  ExprPtr input_;
};

// first() of a union: of each operand the first, until there is one.
class FirstOfExpr final : public Expr {
 public:
  explicit FirstOfExpr(std::vector<ExprPtr> firsts) : firsts_(std::move(firsts)) {}
  bool at_most_one() const override { return true; }
  bool is_watched() const override {
    return std::ranges::all_of(firsts_, [](const ExprPtr& first) { return first->is_watched(); });
  }
  bool Each(Env& env, Sink sink) const override {
    Item item;
    if (One(env, item) == Found::kNone) return !env.failed();
    return sink(item);
  }
  Found One(Env& env, Item& out) const override {
    for (const ExprPtr& first : firsts_) {
      const Found found = first->One(env, out);
      if (found != Found::kNone || env.failed()) return found;
    }
    return Found::kNone;
  }
  Places Touch(JsonSelection& kept, const Places& focus) const override {
    Places all;
    for (const ExprPtr& first : firsts_)
      std::ranges::copy(first->Touch(kept, focus), std::back_inserter(all));
    return all;
  }

 private:
  std::vector<ExprPtr> firsts_;  // each gives one item at most
};

class IsExpr final : public BooleanExpr {
 public:
  IsExpr(ExprPtr input, std::string_view type) : input_(std::move(input)), type_(type) {}
  Truth Test(Env& env) const override {
    Item item;
    const Found found = input_->One(env, item);
    if (found == Found::kMany) env.Fail("is() of several items");
    if (found != Found::kOne || env.failed()) return Truth::kEmpty;
    return ToTruth(IsOfType(item, type_));
  }
  Places Touch(JsonSelection& kept, const Places& focus) const override {
    for (const JsonSelection::Place place : input_->Touch(kept, focus)) {
      kept.Add(place, "resourceType");  // see IsOfType
    }
    return {};
  }

 private:
  ExprPtr input_;
  std::string type_;
};

class OfTypeExpr final : public Expr {
 public:
  OfTypeExpr(ExprPtr input, std::string_view type, bool single)
      : input_(std::move(input)), type_(type), single_(single) {}
  bool at_most_one() const override { return single_ || input_->at_most_one(); }
  bool Each(Env& env, Sink sink) const override {
    if (single_) {
      Item item;
      const Found found = input_->One(env, item);
      if (env.failed()) return false;
      if (found == Found::kMany) return env.Fail("as() of several items");
      return found == Found::kNone || !IsOfType(item, type_) || sink(item);
    }
    return input_->Each(env,
                        [&](const Item& item) { return !IsOfType(item, type_) || sink(item); });
  }
  Places Touch(JsonSelection& kept, const Places& focus) const override {
    Places items = input_->Touch(kept, focus);
    for (const JsonSelection::Place place : items) kept.Add(place, "resourceType");
    return items;
  }

 private:
  ExprPtr input_;
  std::string type_;
  bool single_;
};

bool IsTextConstant(const Expr& expr) {
  const auto* constant = dynamic_cast<const ConstantExpr*>(&expr);
  return constant && constant->item().kind == ItemKind::kString &&
         constant->item().text.size() != 0;
}

}  // namespace

bool Holds(const Items& items, const Item& item) {
  for (const Item& other : items) {
    if (Equal(other, item) == Truth::kTrue) return true;
  }
  return false;
}

std::unique_ptr<Expr> MakeEqual(ExprPtr left, ExprPtr right, bool negated) {
  if (IsTextConstant(*right)) {
    const Item item = static_cast<const ConstantExpr&>(*right).item();
    return std::make_unique<EqualTextExpr>(std::move(left), item.text, negated);
  }
  return std::make_unique<EqualExpr>(std::move(left), std::move(right), negated);
}

std::unique_ptr<Expr> MakeOperator(Operator op, std::unique_ptr<Expr> left,
                                   std::unique_ptr<Expr> right) {
  switch (op) {
    case Operator::kUnion:
      return std::make_unique<UnionExpr>(std::move(left), std::move(right));
    case Operator::kLess:
    case Operator::kLessOrEqual:
    case Operator::kGreater:
    case Operator::kGreaterOrEqual:
      return std::make_unique<CompareExpr>(op, std::move(left), std::move(right));
    case Operator::kEqual:
    case Operator::kNotEqual:
      return MakeEqual(std::move(left), std::move(right), op == Operator::kNotEqual);
    case Operator::kEquivalent:
    case Operator::kNotEquivalent:
      return std::make_unique<EquivalentExpr>(std::move(left), std::move(right),
                                              op == Operator::kNotEquivalent);
    case Operator::kIn:
      return std::make_unique<MembershipExpr>(std::move(left), std::move(right));
    case Operator::kContains:
      return std::make_unique<MembershipExpr>(std::move(right), std::move(left));
    case Operator::kAnd:
    case Operator::kOr:
    case Operator::kXor:
    case Operator::kImplies:
      return std::make_unique<LogicExpr>(op, std::move(left), std::move(right));
    case Operator::kConcatenate:
      return std::make_unique<ConcatenateExpr>(std::move(left), std::move(right));
    default:
      return std::make_unique<ArithmeticExpr>(op, std::move(left), std::move(right));
  }
}

std::unique_ptr<Expr> MakeNegation(ExprPtr input) {
  return std::make_unique<NegationExpr>(std::move(input));
}

std::unique_ptr<Expr> MakeIndexer(std::unique_ptr<Expr> input, ExprPtr index) {
  const auto* literal = dynamic_cast<const ConstantExpr*>(index.get());
  if (literal && literal->item().kind == ItemKind::kInteger && literal->item().integer == 0) {
    return MakeFirst(std::move(input));
  }
  return std::make_unique<IndexerExpr>(std::move(input), std::move(index));
}

std::unique_ptr<Expr> MakeFirst(std::unique_ptr<Expr> input) {
  if (auto* all = dynamic_cast<UnionExpr*>(input.get())) {
    std::vector<std::unique_ptr<Expr>> operands;
    all->TakeOperands(operands);
    std::vector<ExprPtr> firsts;
    for (std::unique_ptr<Expr>& operand : operands) {
      firsts.push_back(MakeFirst(std::move(operand)));
    }
    return std::make_unique<FirstOfExpr>(std::move(firsts));
  }
  PathExpr* path = input->AsPath();
  if (!path || path->empty()) return std::make_unique<FirstExpr>(std::move(input));
  path->TakeFirst();
  return input;
}

std::unique_ptr<Expr> MakeIs(ExprPtr input, std::string_view type) {
  return std::make_unique<IsExpr>(std::move(input), type);
}

std::unique_ptr<Expr> MakeOfType(std::unique_ptr<Expr> input, std::string_view type, bool single) {
  PathExpr* path = single ? nullptr : input->AsPath();
  if (path && !path->empty() && path->Narrow(type)) return input;
  return std::make_unique<OfTypeExpr>(std::move(input), type, single);
}

}  // namespace vitalake::view
