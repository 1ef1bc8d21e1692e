#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include "view/row_plan_internal.h"

namespace vitalake::view {
namespace {

// Resources of more nodes are evaluated as ever.
constexpr size_t kMaxNodes = 4096;
constexpr size_t kMaxPlans = 32;
constexpr size_t kMetShapes = 256;
// Where there are too many shapes, so many are evaluated for one that takes another's place.
constexpr uint32_t kTurn = 64;

// A node without its name and value: its type, whether its name stands twice, the name's symbol,
// and how many nodes it spans.
uint64_t WordOf(const JsonNode& node) {
  static_assert(offsetof(JsonNode, type) == 0 && offsetof(JsonNode, duplicate_key) == 1 &&
                offsetof(JsonNode, symbol) == 2 && offsetof(JsonNode, skip) == 4);
  uint64_t word;
  std::memcpy(&word, &node, sizeof(word));
  return word;
}

}  // namespace

RowPlan::RowPlan(JsonValue resource) {
  const JsonNode* const nodes = resource.node();
  shape_.reserve(nodes->skip);
  for (uint32_t i = 0; i < nodes->skip; ++i) {
    shape_.push_back(WordOf(nodes[i]));
    if (nodes[i].symbol == 0 && nodes[i].key_size > 0) {
      other_names_.emplace_back(i, JsonValue(&nodes[i]).key());
    }
  }
}

bool RowPlan::Fits(JsonValue resource) const {
  const JsonNode* const nodes = resource.node();
  if (nodes->skip != shape_.size()) return false;
  for (size_t i = 0; i < shape_.size(); ++i) {
    if (WordOf(nodes[i]) != shape_[i]) return false;
  }
  const auto named = [&](const auto& other) {
    return JsonValue(nodes + other.first).key() == other.second;
  };
  const auto passed = [&](const Test& test) {
    return (JsonValue(nodes + test.node).text() == test.text) == test.same;
  };
  return std::ranges::all_of(other_names_, named) && std::ranges::all_of(tests, passed);
}

const RowPlan* RowPlans::Find(JsonValue resource) {
  for (size_t i = 0; i < plans_.size(); ++i) {
    if (!plans_[i]->Fits(resource)) continue;
    if (i > 0) std::swap(plans_[i], plans_[i - 1]);
    return plans_[i > 0 ? i - 1 : 0].get();
  }
  return nullptr;
}

bool RowPlans::IsWorthOne(JsonValue resource) {
  const JsonNode* const nodes = resource.node();
  if (nodes->skip > kMaxNodes) return false;
  if (plans_.size() == kMaxPlans && ++turns_ % kTurn != 0) return false;
  uint64_t hash = 0;
  for (uint32_t i = 0; i < nodes->skip; ++i) {
    hash = (hash ^ WordOf(nodes[i])) * 0x9e3779b97f4a7c15ull;
    hash ^= hash >> 32;
  }
  met_.resize(kMetShapes);
  uint64_t& slot = met_[hash % kMetShapes];
  return std::exchange(slot, hash) == hash;
}

void RowPlans::Add(std::unique_ptr<RowPlan> plan) {
  if (plans_.size() == kMaxPlans) plans_.pop_back();
  plans_.push_back(std::move(plan));
}

void PlanMaker::OnText(const JsonNode* node, std::string_view text, bool same) {
  if (!plan_) return;
  const uint32_t place = PlaceOf(node);
  const auto known = [&](const RowPlan::Test& test) {
    return test.node == place && test.text.data() == text.data();
  };
  if (std::ranges::none_of(plan_->tests, known)) plan_->tests.push_back({place, text, same});
}

void PlanMaker::AddIteration(const Expr& path) {
  if (!path.is_watched() || std::exchange(other_, false)) GiveUp();
}

void PlanMaker::AddNull(size_t column) { Add({.column = static_cast<uint32_t>(column)}); }

void PlanMaker::AddRow() { Add({.kind = RowStep::Kind::kRow}); }

void PlanMaker::AddCell(const ColumnPlan& column, const Env& env, const PathValue& value,
                        bool repeated) {
  // Of a repeated path nothing is told again.
  other_path_ = std::exchange(other_, false) || (repeated && other_path_);
  RowStep step{.column = static_cast<uint32_t>(column.index), .plan = &column};
  if (column.collection || !column.path.expr->is_watched() || other_path_) {
    if (env.focus.kind != ItemKind::kNode || env.focus.node == nullptr) return GiveUp();
    step.kind = RowStep::Kind::kEvaluate;
    step.node = PlaceOf(env.focus.node);
    step.type = env.focus.type;
    step.row_index = static_cast<int32_t>(env.row_index);
    step.repeats = repeated;
  } else if (value.found == Found::kOne && value.item.kind == ItemKind::kNode) {
    step.kind = RowStep::Kind::kNode;
    step.node = PlaceOf(value.item.node);
    step.type = value.item.type;
  } else if (value.found == Found::kOne && plan_) {
    step.kind = RowStep::Kind::kItem;
    step.node = static_cast<uint32_t>(plan_->items.size());
    plan_->items.push_back(value.item);
  }
  Add(step);
}

void PlanMaker::Add(const RowStep& step) {
  if (plan_) plan_->steps.push_back(step);
}

}  // namespace vitalake::view
