#include "view/path_expr.h"

#include <cstring>

#include "view/fhir_types.h"

namespace vitalake::view {
namespace {

std::string_view KeyOf(const JsonNode* node) { return {node->key_data, node->key_size}; }

// Names interned after the parse are found by text.
inline bool Is(const JsonNode* member, Symbol symbol, std::string_view name) {
  if (member->symbol != 0) return member->symbol == symbol;
  return KeyOf(member) == name;
}

inline bool IsContainer(const JsonNode* node) {
  return node->type == JsonType::kObject || node->type == JsonType::kArray;
}

}  // namespace

void PathExpr::Add(std::string_view name) {
  const bool has_companion = name == "extension" || name == "id";
  if (has_companion && !steps_.empty() && !steps_.back().first) {
    steps_.back().companion = "_" + steps_.back().name;
  }
  steps_.push_back({std::string(name), InternSymbol(name), false, {}, {}, {}});
}

void PathExpr::TakeFirst() { steps_.back().first = true; }

bool PathExpr::Narrow(std::string_view type) {
  Step& step = steps_.back();
  if (!step.type.empty() || step.first) return false;
  step.type = type;
  for (std::string_view sub : WithSubtypes(type)) {
    std::string name = step.name + Capitalised(sub);
    const Symbol symbol = InternSymbol(name);
    step.choices.push_back({std::move(name), symbol, InternSymbol(sub)});
  }
  return true;
}

PathExpr::Match PathExpr::LookupChoice(const Step& step, const JsonNode* object) {
  const size_t size = step.name.size();
  for (const JsonNode *at = object + 1, *end = object + object->skip; at != end; at += at->skip) {
    if (at->key_size <= size || at->key_data[size] < 'A' || at->key_data[size] > 'Z') continue;
    if (std::memcmp(at->key_data, step.name.data(), size) != 0) continue;
    if (const Symbol type = TypeOfSuffix(KeyOf(at).substr(size))) return {at, type};
  }
  return {};
}

PathExpr::Match PathExpr::LookupNarrowed(const Step& step, const JsonNode* object) {
  const JsonNode* plain = nullptr;
  for (const JsonNode *at = object + 1, *end = object + object->skip; at != end; at += at->skip) {
    if (at->key_size < step.name.size() || at->key_data[0] != step.name[0]) continue;
    for (const Choice& choice : step.choices) {
      if (Is(at, choice.symbol, choice.name)) return {at, choice.type};
    }
    if (Is(at, step.symbol, step.name)) plain = at;
  }
  return {plain, 0};
}

inline PathExpr::Match PathExpr::Lookup(const Step& step, const JsonNode* object) {
  if (!step.type.empty()) return LookupNarrowed(step, object);
  for (const JsonNode *at = object + 1, *end = object + object->skip; at != end; at += at->skip) {
    if (Is(at, step.symbol, step.name)) return {at, 0};
  }
  return LookupChoice(step, object);
}

bool PathExpr::EnterCompanion(Env& env, const JsonNode* object, size_t step, Sink sink) const {
  const JsonValue companion = JsonValue(object).Find(steps_[step].companion);
  return !companion || !IsContainer(companion.node()) ||
         Walk(env, companion.node(), 0, step + 1, sink);
}

bool PathExpr::Enter(Env& env, const JsonNode* object, size_t step, Sink sink) const {
  const Match match = Lookup(steps_[step], object);
  if (match.node != nullptr && !Walk(env, match.node, match.type, step + 1, sink)) return false;
  return steps_[step].companion.empty() || EnterCompanion(env, object, step, sink);
}

// `at` is what step - 1 found.
bool PathExpr::Walk(Env& env, const JsonNode* at, Symbol type, size_t step, Sink sink) const {
  switch (at->type) {
    case JsonType::kNull:
      return true;
    case JsonType::kArray:
      for (const JsonNode *child = at + 1, *end = at + at->skip; child != end;
           child += child->skip) {
        if (!Walk(env, child, type, step, sink)) return false;
      }
      return true;
    default:
      break;
  }
  if (step > 0) {
    const Step& from = steps_[step - 1];
    if (type == 0 && !from.type.empty()) {
      if (env.watch) env.watch->OnOther();
      if (!IsOfType(Item::Node(JsonValue(at)), from.type)) return true;
    }
    if (from.first) {
      if (step == steps_.size())
        sink(Item::Node(JsonValue(at), type));
      else if (at->type == JsonType::kObject)
        Enter(env, at, step, sink);
      return false;
    }
  }
  if (step == steps_.size()) return sink(Item::Node(JsonValue(at), type));
  return at->type != JsonType::kObject || Enter(env, at, step, sink);
}

bool PathExpr::Each(Env& env, Sink sink) const {
  bool wanted = true;
  const auto keep = [&](const Item& item) { return wanted = sink(item); };
  if (input_) {
    input_->Each(env, [&](const Item& item) {
      if (item.kind == ItemKind::kNode) return Walk(env, item.node, item.type, 0, keep);
      return steps_.empty() ? keep(item) : true;
    });
  } else if (env.focus.kind != ItemKind::kNode) {
    return steps_.empty() ? sink(env.focus) : true;
  } else if (env.focus.node != nullptr) {
    Walk(env, env.focus.node, env.focus.type, 0, keep);
  }
  return wanted && !env.failed();
}

// Follows the steps while each leads to one value. `sure`: the result is complete (null = none);
// otherwise the walk has to be done in full.
const JsonNode* PathExpr::StraightLine(const JsonNode* at, Symbol& type, bool& sure) const {
  sure = true;
  for (const Step& step : steps_) {
    if (at->type != JsonType::kObject) return nullptr;
    const Match match = Lookup(step, at);
    sure =
        step.companion.empty() && (match.node == nullptr || match.type != 0 || step.type.empty());
    if (!sure || match.node == nullptr) return nullptr;
    at = match.node;
    type = match.type;
    if (at->type == JsonType::kArray) {
      if (at->size == 0) return nullptr;
      sure = at->size == 1 || step.first;
      if (!sure || (++at)->type == JsonType::kArray || at->type == JsonType::kNull) {
        sure = false;
        return nullptr;
      }
    }
  }
  return at->type == JsonType::kNull ? nullptr : at;
}

Found PathExpr::One(Env& env, Item& out) const {
  if (input_ || env.focus.kind != ItemKind::kNode || env.focus.node == nullptr) {
    return Expr::One(env, out);
  }
  bool sure = false;
  Symbol type = env.focus.type;
  const JsonNode* found = StraightLine(env.focus.node, type, sure);
  if (!sure) return Expr::One(env, out);
  if (found == nullptr) return Found::kNone;
  out.kind = ItemKind::kNode;
  out.type = type;
  out.node = found;
  return Found::kOne;
}

Places PathExpr::Touch(JsonSelection& kept, const Places& focus) const {
  Places at = input_ ? input_->Touch(kept, focus) : focus;
  for (const Step& step : steps_) {
    Places reached;
    for (const JsonSelection::Place object : at) {
      reached.push_back(kept.Add(object, step.name));
      if (!step.type.empty()) kept.Add(reached.back(), "resourceType");  // see IsOfType
      if (!step.companion.empty()) reached.push_back(kept.Add(object, step.companion));
    }
    at = std::move(reached);
  }
  return at;
}

}  // namespace vitalake::view
