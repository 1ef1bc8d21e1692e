#include "view/expr.h"

namespace vitalake::view {

bool Env::Fail(std::string message) {
  if (!failed_) fault_ = std::move(message);
  failed_ = true;
  return false;
}

std::string_view Env::Keep(std::string_view text) {
  if (text.empty()) return {};
  kept_ = true;
  char* copy = static_cast<char*>(arena_.allocate(text.size(), 1));
  text.copy(copy, text.size());
  return {copy, text.size()};
}

void Env::Reset() {
  failed_ = false;
  if (!kept_) return;
  kept_ = false;
  arena_.release();
}

Found Expr::One(Env& env, Item& out) const {
  Found found = Found::kNone;
  Each(env, [&](const Item& item) {
    if (found == Found::kOne) {
      found = Found::kMany;
      return false;
    }
    out = item;
    found = Found::kOne;
    return true;
  });
  return env.failed() ? Found::kNone : found;
}

Truth Expr::Test(Env& env) const {
  Item item;
  switch (One(env, item)) {
    case Found::kNone:
      return Truth::kEmpty;
    case Found::kMany:
      env.Fail("a condition gave several items");
      return Truth::kEmpty;
    case Found::kOne:
      break;
  }
  if (item.kind == ItemKind::kBoolean) return ToTruth(item.integer != 0);
  return ToTruth(!(item.kind == ItemKind::kNode && item.node->type == JsonType::kFalse));
}

bool Expr::Any(Env& env) const {
  bool any = false;
  Each(env, [&](const Item&) {
    any = true;
    return false;
  });
  return any;
}

Places Expr::Touch(JsonSelection& kept, const Places&) const {
  kept.KeepWhole(JsonSelection::kRoot);
  return {JsonSelection::kWhole};
}

void TouchWhole(const Expr& expr, JsonSelection& kept, const Places& focus) {
  for (const JsonSelection::Place place : expr.Touch(kept, focus)) kept.KeepWhole(place);
}

bool BooleanExpr::Each(Env& env, Sink sink) const {
  const Truth truth = Test(env);
  if (env.failed()) return false;
  return truth == Truth::kEmpty || sink(Item::Boolean(truth == Truth::kTrue));
}

Found BooleanExpr::One(Env& env, Item& out) const {
  const Truth truth = Test(env);
  if (truth == Truth::kEmpty || env.failed()) return Found::kNone;
  out = Item::Boolean(truth == Truth::kTrue);
  return Found::kOne;
}

ConstantExpr::ConstantExpr(const Item& item) : text_(item.text), unit_(item.unit), item_(item) {
  item_.text = text_;
  item_.unit = unit_;
}

bool VariableExpr::Each(Env& env, Sink sink) const {
  switch (which_) {
    case Which::kThis:
      return (env.focus.kind == ItemKind::kNode && env.focus.node == nullptr) || sink(env.focus);
    case Which::kIndex:
      return sink(Item::Integer(env.index));
    case Which::kTotal:
      return !env.has_total || sink(env.total);
    case Which::kResource:
      return sink(env.resource);
    case Which::kRowIndex:
      return sink(Item::Integer(env.row_index));
  }
  return true;
}

Places VariableExpr::Touch(JsonSelection& kept, const Places& focus) const {
  switch (which_) {
    case Which::kThis:
      return focus;
    case Which::kResource:
      return {JsonSelection::kRoot};
    case Which::kTotal:
      return Expr::Touch(kept, focus);
    case Which::kIndex:
    case Which::kRowIndex:
      break;
  }
  return {};
}

Items Collect(const Expr& expr, Env& env) {
  Items items;
  expr.Each(env, [&](const Item& item) {
    items.push_back(item);
    return true;
  });
  return items;
}

}  // namespace vitalake::view
