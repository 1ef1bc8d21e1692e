#include "view/functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <unordered_map>
#include <utility>

#include "view/operators.h"
#include "view/path_expr.h"
#include "view/pattern_expr.h"

namespace vitalake::view {
namespace {

class WhereExpr final : public Expr {
 public:
  WhereExpr(ExprPtr input, ExprPtr criteria)
      : input_(std::move(input)), criteria_(std::move(criteria)) {}
  bool at_most_one() const override { return input_->at_most_one(); }
  bool is_watched() const override { return input_->is_watched() && criteria_->is_watched(); }
  bool Each(Env& env, Sink sink) const override {
    int64_t index = 0;
    return input_->Each(env, [&](const Item& item) {
      return !Passes(env, item, index++) ? !env.failed() : sink(item);
    });
  }
  Places Touch(JsonSelection& kept, const Places& focus) const override {
    Places items = input_->Touch(kept, focus);
    criteria_->Touch(kept, items);
    return items;
  }

 private:
  bool Passes(Env& env, const Item& item, int64_t index) const {
    const FocusScope scope(env, item, index);
    return criteria_->Test(env) == Truth::kTrue && !env.failed();
  }
  ExprPtr input_, criteria_;
};

class SelectExpr final : public Expr {
 public:
  SelectExpr(ExprPtr input, ExprPtr projection)
      : input_(std::move(input)), projection_(std::move(projection)) {}
  bool at_most_one() const override { return input_->at_most_one() && projection_->at_most_one(); }
  bool Each(Env& env, Sink sink) const override {
    int64_t index = 0;
    return input_->Each(env, [&](const Item& item) {
      const FocusScope scope(env, item, index++);
      return projection_->Each(env, sink);
    });
  }
  Places Touch(JsonSelection& kept, const Places& focus) const override {
    return projection_->Touch(kept, input_->Touch(kept, focus));
  }

 private:
  ExprPtr input_, projection_;
};

class RepeatExpr final : public Expr {
 public:
  RepeatExpr(ExprPtr input, ExprPtr projection)
      : input_(std::move(input)), projection_(std::move(projection)) {}
  bool Each(Env& env, Sink sink) const override {
    Items queue = Collect(*input_, env), seen;
    for (size_t i = 0; i < queue.size() && !env.failed(); ++i) {
      const Item at = queue[i];
      const FocusScope scope(env, at, static_cast<int64_t>(i));
      const bool go_on = projection_->Each(env, [&](const Item& item) {
        if (Holds(seen, item)) return true;
        seen.push_back(item);
        queue.push_back(item);
        return sink(item);
      });
      if (!go_on) return false;
    }
    return !env.failed();
  }

 private:
  ExprPtr input_, projection_;
};

class AggregateExpr final : public Expr {
 public:
  AggregateExpr(ExprPtr input, ExprPtr step, ExprPtr start)
      : input_(std::move(input)), step_(std::move(step)), start_(std::move(start)) {}
  bool at_most_one() const override { return true; }
  bool Each(Env& env, Sink sink) const override {
    Item total;
    bool has = start_ && start_->One(env, total) == Found::kOne;
    int64_t index = 0;
    input_->Each(env, [&](const Item& item) {
      const FocusScope scope(env, item, index++);
      const Item outer = std::exchange(env.total, total);
      const bool outer_has = std::exchange(env.has_total, has);
      has = step_->One(env, total) == Found::kOne;
      env.total = outer;
      env.has_total = outer_has;
      return !env.failed();
    });
    if (env.failed()) return false;
    return !has || sink(total);
  }

 private:
  ExprPtr input_, step_, start_;
};

// exists([criteria]), empty()
class ExistsExpr final : public BooleanExpr {
 public:
  ExistsExpr(ExprPtr input, bool negated) : input_(std::move(input)), negated_(negated) {}
  Truth Test(Env& env) const override { return ToTruth(input_->Any(env) != negated_); }
  bool is_watched() const override { return input_->is_watched(); }
  Places Touch(JsonSelection& kept, const Places& focus) const override {
    input_->Touch(kept, focus);
    return {};
  }

 private:
  ExprPtr input_;
  bool negated_;
};

class CountExpr final : public Expr {
 public:
  explicit CountExpr(ExprPtr input) : input_(std::move(input)) {}
  bool at_most_one() const override { return true; }
  bool is_watched() const override { return input_->is_watched(); }
  StaticKind kind() const override { return StaticKind::kNotBoolean; }
  bool Each(Env& env, Sink sink) const override {
    int64_t count = 0;
    input_->Each(env, [&](const Item&) { return ++count > 0; });
    return !env.failed() && sink(Item::Integer(count));
  }
  Places Touch(JsonSelection& kept, const Places& focus) const override {
    input_->Touch(kept, focus);
    return {};
  }

 private:
  ExprPtr input_;
};

class AllExpr final : public BooleanExpr {
 public:
  AllExpr(ExprPtr input, ExprPtr criteria)
      : input_(std::move(input)), criteria_(std::move(criteria)) {}
  Truth Test(Env& env) const override {
    bool all = true;
    int64_t index = 0;
    input_->Each(env, [&](const Item& item) {
      const FocusScope scope(env, item, index++);
      all = criteria_->Test(env) == Truth::kTrue;
      return all && !env.failed();
    });
    return ToTruth(all);
  }
  Places Touch(JsonSelection& kept, const Places& focus) const override {
    criteria_->Touch(kept, input_->Touch(kept, focus));
    return {};
  }

 private:
  ExprPtr input_, criteria_;
};

class NotExpr final : public BooleanExpr {
 public:
  explicit NotExpr(ExprPtr input) : input_(std::move(input)) {}
  Truth Test(Env& env) const override {
    const Truth truth = input_->Test(env);
    return truth == Truth::kEmpty ? truth : ToTruth(truth == Truth::kFalse);
  }
  Places Touch(JsonSelection& kept, const Places& focus) const override {
    input_->Touch(kept, focus);
    return {};
  }

 private:
  ExprPtr input_;
};

class IifExpr final : public Expr {
 public:
  IifExpr(ExprPtr input, std::vector<ExprPtr> arguments)
      : input_(std::move(input)), arguments_(std::move(arguments)) {}
  bool at_most_one() const override {
    return arguments_[1]->at_most_one() && (arguments_.size() < 3 || arguments_[2]->at_most_one());
  }
  bool Each(Env& env, Sink sink) const override {
    Item item;
    const Found found = input_->One(env, item);
    if (env.failed()) return false;
    if (found == Found::kMany) return env.Fail("iif() of several items");
    const FocusScope scope(env, found == Found::kOne ? item : Item(), env.index);
    const Truth truth = arguments_[0]->Test(env);
    if (env.failed()) return false;
    if (truth == Truth::kTrue) return arguments_[1]->Each(env, sink);
    return arguments_.size() < 3 || arguments_[2]->Each(env, sink);
  }

 private:
  ExprPtr input_;
  std::vector<ExprPtr> arguments_;
};

// getResourceKey(), getReferenceKey([type]): of each item.
class KeyExpr final : public Expr {
 public:
  KeyExpr(ExprPtr input, bool of_reference, std::string_view type)
      : input_(std::move(input)), of_reference_(of_reference), type_(type) {}
  bool at_most_one() const override { return input_->at_most_one(); }
  StaticKind kind() const override { return StaticKind::kNotBoolean; }
  bool Each(Env& env, Sink sink) const override {
    return input_->Each(env, [&](const Item& item) {
      const std::string_view key = KeyOf(item);
      return key.empty() || sink(Item::Text(ItemKind::kString, key));
    });
  }
  Found One(Env& env, Item& out) const override {
    const Found found = input_->One(env, out);
    if (found == Found::kMany) return Expr::One(env, out);
    if (found == Found::kNone) return found;
    const std::string_view key = KeyOf(out);
    out = Item::Text(ItemKind::kString, key);
    return key.empty() ? Found::kNone : Found::kOne;
  }
  Places Touch(JsonSelection& kept, const Places& focus) const override {
    for (const JsonSelection::Place object : input_->Touch(kept, focus)) {
      kept.Add(object, of_reference_ ? "reference" : "id");
    }
    return {};
  }

 private:
  std::string_view KeyOf(const Item& item) const {
    static const Symbol id = InternSymbol("id"), reference = InternSymbol("reference");
    const JsonValue object = item.value();
    JsonValue member = object.Find(of_reference_ ? reference : id);
    if (!member) member = object.Find(of_reference_ ? "reference" : "id");
    if (!member.is_string()) return {};
    return of_reference_ ? ReferenceKey(member.text(), type_) : member.text();
  }

  ExprPtr input_;
  bool of_reference_;
  std::string type_;
};

class ScalarExpr final : public Expr {
 public:
  ScalarExpr(const ScalarEntry& entry, ExprPtr input, std::vector<ExprPtr> arguments)
      : entry_(entry), input_(std::move(input)), arguments_(std::move(arguments)) {}
  bool at_most_one() const override { return true; }
  StaticKind kind() const override { return entry_.kind; }
  bool Each(Env& env, Sink sink) const override {
    Item input;
    std::array<Item, 2> arguments;
    if (!Operand(*input_, env, input)) return !env.failed();
    for (size_t i = 0; i < arguments_.size(); ++i) {
      if (!Operand(*arguments_[i], env, arguments[i])) return !env.failed();
    }
    Item out;
    const bool given = entry_.function(env, input, {arguments.data(), arguments_.size()}, out);
    if (env.failed()) return false;
    return !given || sink(out);
  }
  Places Touch(JsonSelection& kept, const Places& focus) const override {
    TouchWhole(*input_, kept, focus);
    for (const ExprPtr& argument : arguments_) TouchWhole(*argument, kept, focus);
    return {};
  }

 private:
  bool Operand(const Expr& expr, Env& env, Item& out) const {
    const Found found = expr.One(env, out);
    if (found == Found::kMany) env.Fail(fmt::format("{}() of several items", entry_.name));
    out = Atom(out);
    return found == Found::kOne && !env.failed();
  }

  const ScalarEntry& entry_;
  ExprPtr input_;
  std::vector<ExprPtr> arguments_;
};

class CollectionExpr final : public Expr {
 public:
  CollectionExpr(const CollectionEntry& entry, ExprPtr input, ExprPtr argument)
      : entry_(entry), input_(std::move(input)), argument_(std::move(argument)) {}
  StaticKind kind() const override { return entry_.kind; }
  bool at_most_one() const override {
    return entry_.kind != StaticKind::kAny || entry_.name == "last" || entry_.name == "single";
  }
  bool Each(Env& env, Sink sink) const override {
    Items items = Collect(*input_, env);
    const Items argument = argument_ ? Collect(*argument_, env) : Items();
    return !env.failed() && entry_.function(env, std::move(items), argument, sink);
  }
  Places Touch(JsonSelection& kept, const Places& focus) const override {
    Places items = input_->Touch(kept, focus);
    if (argument_) std::ranges::copy(argument_->Touch(kept, focus), std::back_inserter(items));
    for (const JsonSelection::Place place : items) kept.KeepWhole(place);
    if (!items.empty()) items = {JsonSelection::kWhole};
    return items;
  }

 private:
  const CollectionEntry& entry_;
  ExprPtr input_, argument_;
};

using Arguments = std::vector<ExprPtr>;
using Made = Result<std::unique_ptr<Expr>>;
using Maker = Made (*)(std::unique_ptr<Expr>, Arguments, std::string_view type);

Made MakeWhere(std::unique_ptr<Expr> input, Arguments arguments, std::string_view) {
  return std::make_unique<WhereExpr>(std::move(input), std::move(arguments[0]));
}

Made MakeExists(std::unique_ptr<Expr> input, Arguments arguments, std::string_view) {
  ExprPtr tested = std::move(input);
  if (!arguments.empty()) {
    tested = std::make_unique<WhereExpr>(std::move(tested), std::move(arguments[0]));
  }
  return std::make_unique<ExistsExpr>(std::move(tested), false);
}

Made MakeExtension(std::unique_ptr<Expr> input, Arguments arguments, std::string_view) {
  std::unique_ptr<Expr> path;
  if (PathExpr* member = input->AsPath()) {
    member->Add("extension");
    path = std::move(input);
  } else {
    auto added = std::make_unique<PathExpr>(std::move(input));
    added->Add("extension");
    path = std::move(added);
  }
  auto url = std::make_unique<PathExpr>();
  url->Add("url");
  return std::make_unique<WhereExpr>(std::move(path),
                                     MakeEqual(std::move(url), std::move(arguments[0])));
}

struct MakerEntry {
  std::string_view name;
  FunctionShape shape;
  Maker make;
};

using P = std::unique_ptr<Expr>;
using S = std::string_view;
constexpr MakerEntry kMakers[] = {
    {"where", {1, 1}, MakeWhere},
    {"exists", {0, 1}, MakeExists},
    {"extension", {1, 1}, MakeExtension},
    {"empty",
     {},
     [](P in, Arguments, S) -> Made { return std::make_unique<ExistsExpr>(std::move(in), true); }},
    {"not",
     {},
     [](P in, Arguments, S) -> Made { return std::make_unique<NotExpr>(std::move(in)); }},
    {"count",
     {},
     [](P in, Arguments, S) -> Made { return std::make_unique<CountExpr>(std::move(in)); }},
    {"all",
     {1, 1},
     [](P in, Arguments a, S) -> Made {
       return std::make_unique<AllExpr>(std::move(in), std::move(a[0]));
     }},
    {"select",
     {1, 1},
     [](P in, Arguments a, S) -> Made {
       return std::make_unique<SelectExpr>(std::move(in), std::move(a[0]));
     }},
    {"repeat",
     {1, 1},
     [](P in, Arguments a, S) -> Made {
       return std::make_unique<RepeatExpr>(std::move(in), std::move(a[0]));
     }},
    {"aggregate",
     {1, 2},
     [](P in, Arguments a, S) -> Made {
       return std::make_unique<AggregateExpr>(std::move(in), std::move(a[0]),
                                              a.size() > 1 ? std::move(a[1]) : nullptr);
     }},
    {"iif",
     {2, 3},
     [](P in, Arguments a, S) -> Made {
       return std::make_unique<IifExpr>(std::move(in), std::move(a));
     }},
    {"trace", {1, 2}, [](P in, Arguments, S) -> Made { return in; }},
    {"first", {}, [](P in, Arguments, S) -> Made { return MakeFirst(std::move(in)); }},
    {"ofType",
     {1, 1, true},
     [](P in, Arguments, S type) -> Made { return MakeOfType(std::move(in), type, false); }},
    {"as",
     {1, 1, true},
     [](P in, Arguments, S type) -> Made { return MakeOfType(std::move(in), type, true); }},
    {"is",
     {1, 1, true},
     [](P in, Arguments, S type) -> Made { return MakeIs(std::move(in), type); }},
    {"getResourceKey",
     {},
     [](P in, Arguments, S) -> Made {
       return std::make_unique<KeyExpr>(std::move(in), false, "");
     }},
    {"getReferenceKey",
     {0, 1, true},
     [](P in, Arguments, S type) -> Made {
       return std::make_unique<KeyExpr>(std::move(in), true, type);
     }},
    {"matches",
     {1, 1},
     [](P in, Arguments a, S) -> Made {
       return MakePattern(PatternJob::kSearch, std::move(in), std::move(a));
     }},
    {"matchesFull",
     {1, 1},
     [](P in, Arguments a, S) -> Made {
       return MakePattern(PatternJob::kFull, std::move(in), std::move(a));
     }},
    {"replaceMatches",
     {2, 2},
     [](P in, Arguments a, S) -> Made {
       return MakePattern(PatternJob::kReplace, std::move(in), std::move(a));
     }},
};

// Where a function's name leads.
struct Entry {
  FunctionShape shape;
  Maker make = nullptr;
  const ScalarEntry* scalar = nullptr;
  const CollectionEntry* collection = nullptr;
};

const std::unordered_map<std::string_view, Entry>& Table() {
  static const auto& table = *[] {
    auto* made = new std::unordered_map<std::string_view, Entry>;
    for (const MakerEntry& entry : kMakers) (*made)[entry.name] = {entry.shape, entry.make, {}, {}};
    for (const auto group : {TextFunctions(), NumberFunctions(), ConversionFunctions()}) {
      for (const ScalarEntry& entry : group) (*made)[entry.name] = {entry.shape, {}, &entry, {}};
    }
    for (const CollectionEntry& entry : CollectionFunctions()) {
      (*made)[entry.name] = {entry.shape, {}, {}, &entry};
    }
    return made;
  }();
  return table;
}

}  // namespace

const FunctionShape* FindFunction(std::string_view name) {
  const auto at = Table().find(name);
  return at == Table().end() ? nullptr : &at->second.shape;
}

Made MakeFunction(std::string_view name, std::unique_ptr<Expr> input, Arguments arguments,
                  std::string_view type) {
  const Entry& entry = Table().at(name);
  if (entry.make) return entry.make(std::move(input), std::move(arguments), type);
  if (entry.scalar) {
    return std::make_unique<ScalarExpr>(*entry.scalar, std::move(input), std::move(arguments));
  }
  return std::make_unique<CollectionExpr>(*entry.collection, std::move(input),
                                          arguments.empty() ? nullptr : std::move(arguments[0]));
}

std::string_view ReferenceKey(std::string_view reference, std::string_view type) {
  if (const size_t history = reference.find("/_history/"); history != std::string_view::npos) {
    reference = reference.substr(0, history);
  }
  const size_t slash = reference.rfind('/');
  if (slash == std::string_view::npos || slash == 0) return {};
  const std::string_view key = reference.substr(slash + 1);
  std::string_view name = reference.substr(0, slash);
  if (const size_t before = name.rfind('/'); before != std::string_view::npos) {
    name = name.substr(before + 1);
  }
  if (name.empty() || name[0] < 'A' || name[0] > 'Z') return {};
  if (key.empty() || key.find_first_of("?#:") != std::string_view::npos) return {};
  if (name.find_first_of("?#:.") != std::string_view::npos) return {};
  return type.empty() || name == type ? key : std::string_view();
}

}  // namespace vitalake::view
