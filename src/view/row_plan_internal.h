// RowPlan: how a view's rows come out of resources of one shape.
//
// What a device sends is alike from reading to reading: the same members in the same order, other
// values. A path then ends at the same node every time. A plan keeps, for one shape and one outcome
// of the texts that filters compare, where each cell's value lies, so that the next such resource
// needs no walk; cells that depend on more are evaluated as ever.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/json_tree.h"
#include "view/expr.h"
#include "view/view_internal.h"

namespace vitalake::view {

struct RowStep {
  enum class Kind : uint8_t {
    kNull,      // the cell is null
    kNode,      // its value is the node
    kItem,      // its value is the item
    kEvaluate,  // by its path, with the node as focus
    kRow,       // the row is complete
  };
  Kind kind = Kind::kNull;
  bool repeats = false;  // kEvaluate: the path of the kEvaluate before, with its value
  Symbol type = 0;       // of the node
  uint32_t column = 0;   // in the row
  uint32_t node = 0;     // from the resource's; kItem: in RowPlan::items
  int32_t row_index = 0;
  const ColumnPlan* plan = nullptr;  // null for kRow, and where a whole select is null
};

class RowPlan {
 public:
  // What a filter compared with a text, and whether they were the same.
  struct Test {
    uint32_t node;
    std::string_view text;  // of the view
    bool same;
  };

  // The resource's shape; tests and steps are added by who evaluates.
  explicit RowPlan(JsonValue resource);

  bool Fits(JsonValue resource) const;

  std::vector<Test> tests;
  std::vector<RowStep> steps;
  std::vector<Item> items;

 private:
  std::vector<uint64_t> shape_;                                // a word per node
  std::vector<std::pair<uint32_t, std::string>> other_names_;  // of members without a symbol
};

// The plans of one runner, for the shapes it meets again and again.
class RowPlans {
 public:
  // Null: there is none for this resource.
  const RowPlan* Find(JsonValue resource);
  // Whether a plan of this resource is worth making: its shape was met before, and there is room
  // or it is its turn.
  bool IsWorthOne(JsonValue resource);
  void Add(std::unique_ptr<RowPlan> plan);

 private:
  std::vector<std::unique_ptr<RowPlan>> plans_;  // those used often first
  std::vector<uint64_t> met_;                    // hashes of shapes, by their lowest bits
  uint32_t turns_ = 0;                           // of shapes met when there was no room
};

// What the path of the columns before gave, for those that repeat it.
struct PathValue {
  bool is_known = false;
  Found found = Found::kNone;
  Item item = {};
};

// Makes a plan of what an evaluation does.
class PlanMaker : public ShapeWatch {
 public:
  explicit PlanMaker(JsonValue resource)
      : resource_(resource.node()), plan_(std::make_unique<RowPlan>(resource)) {}

  void OnText(const JsonNode* node, std::string_view text, bool same) override;
  void OnOther() override { other_ = true; }

  // The rows cannot be planned.
  void GiveUp() { plan_.reset(); }
  // Each time after `path`, of an iteration, has looked for an item.
  void AddIteration(const Expr& path);
  void AddNull(size_t column);
  void AddRow();
  // A cell that is filled with `value`; `repeated`: which is that of the column before.
  void AddCell(const ColumnPlan& column, const Env& env, const PathValue& value, bool repeated);

  // Null when it was given up.
  std::unique_ptr<RowPlan> Take() { return std::move(plan_); }

 private:
  uint32_t PlaceOf(const JsonNode* node) const { return static_cast<uint32_t>(node - resource_); }
  void Add(const RowStep& step);

  const JsonNode* resource_;
  std::unique_ptr<RowPlan> plan_;
  bool other_ = false;       // was told of, since it was asked last
  bool other_path_ = false;  // of the column before
};

}  // namespace vitalake::view
