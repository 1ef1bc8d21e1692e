// Expr: a compiled FHIRPath expression. Items are pushed into a sink one by one, so a chain of
// members, filters and first() runs without building a collection and stops as soon as it can.
#pragma once

#include <deque>
#include <memory>
#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_selection.h"
#include "view/function_ref.h"
#include "view/item.h"

namespace vitalake::view {

using Items = std::vector<Item>;

// Told what an evaluation looks at besides the resource's shape (types, names and places of its
// nodes), so that the result is known for the next resource like it.
class ShapeWatch {
 public:
  virtual ~ShapeWatch() = default;
  // A string node was compared with a text of the view.
  virtual void OnText(const JsonNode* node, std::string_view text, bool same) = 0;
  // Anything else: the result is not known from what was told.
  virtual void OnOther() = 0;
};

// What an evaluation may look at, and its memory. One per thread, reused from resource to resource.
//
// A sink may be called while `focus` is that of an inner expression: a sink that evaluates an
// expression sets `focus` first (see FocusScope).
class Env {
 public:
  Item focus;  // $this
  int64_t index = 0;
  Item total;  // of aggregate()
  bool has_total = false;
  Item resource;
  int64_t row_index = 0;
  ShapeWatch* watch = nullptr;  // null: nobody asks

  bool failed() const { return failed_; }
  const std::string& fault() const { return fault_; }
  // Notes the first fault; false, so that an Each can return it.
  bool Fail(std::string message);
  // Goes on after a fault.
  void ForgetFault() { failed_ = false; }

  // Copies a computed text into memory that lives until Reset.
  std::string_view Keep(std::string_view text);
  // Forgets the fault and everything kept. Called before each resource.
  void Reset();

 private:
  bool failed_ = false;
  bool kept_ = false;
  std::string fault_;
  std::pmr::monotonic_buffer_resource arena_{4096};
};

// Sets $this and $index; puts them back at the end of the block.
class FocusScope {
 public:
  FocusScope(Env& env, const Item& focus, int64_t index)
      : env_(env), focus_(env.focus), index_(env.index) {
    env.focus = focus;
    env.index = index;
  }
  ~FocusScope() {
    env_.focus = focus_;
    env_.index = index_;
  }
  FocusScope(const FocusScope&) = delete;
  FocusScope& operator=(const FocusScope&) = delete;

 private:
  Env& env_;
  Item focus_;
  int64_t index_;
};

using Sink = FunctionRef<bool(const Item&)>;  // false: wants no more

enum class Found : uint8_t { kNone, kOne, kMany };

// What is known of the result without data.
enum class StaticKind : uint8_t { kAny, kBoolean, kNotBoolean };

class PathExpr;

// Where in a resource items may be; see JsonSelection.
using Places = std::vector<JsonSelection::Place>;

class Expr {
 public:
  virtual ~Expr() = default;
  // Gives the items in order. False when the sink wanted no more or the evaluation failed.
  virtual bool Each(Env& env, Sink sink) const = 0;
  // The only item, or that there is none or are several (then `out` is the first).
  virtual Found One(Env& env, Item& out) const;
  // As a condition: a single item that is no boolean counts as true; several are a fault.
  virtual Truth Test(Env& env) const;
  virtual bool Any(Env& env) const;

  virtual StaticKind kind() const { return StaticKind::kAny; }
  virtual bool at_most_one() const { return false; }
  // Whether Env::watch is told everything that the result depends on besides the resource's shape
  // and the focus, and the items are nodes, or values that outlive the resource.
  virtual bool is_watched() const { return false; }
  virtual PathExpr* AsPath() { return nullptr; }

  // Keeps in `kept` all that evaluating looks at when $this is at one of `focus`, and returns where
  // the items it gives may be, of whose inside nothing is kept yet. What an expression computes is
  // nowhere. By default everything is kept.
  virtual Places Touch(JsonSelection& kept, const Places& focus) const;
};

// The inside of what `expr` gives is looked at too.
void TouchWhole(const Expr& expr, JsonSelection& kept, const Places& focus);

using ExprPtr = std::unique_ptr<const Expr>;

// An expression whose result is one boolean or empty.
class BooleanExpr : public Expr {
 public:
  bool Each(Env& env, Sink sink) const final;
  Found One(Env& env, Item& out) const final;
  bool Any(Env& env) const final { return Test(env) != Truth::kEmpty; }
  Truth Test(Env& env) const override = 0;
  StaticKind kind() const final { return StaticKind::kBoolean; }
  bool at_most_one() const final { return true; }
};

// A literal or a %constant.
class ConstantExpr final : public Expr {
 public:
  // The texts of `item` are copied.
  explicit ConstantExpr(const Item& item);
  const Item& item() const { return item_; }
  bool Each(Env&, Sink sink) const override { return sink(item_); }
  Found One(Env&, Item& out) const override {
    out = item_;
    return Found::kOne;
  }
  StaticKind kind() const override {
    return item_.kind == ItemKind::kBoolean ? StaticKind::kBoolean : StaticKind::kNotBoolean;
  }
  bool at_most_one() const override { return true; }
  bool is_watched() const override { return true; }
  Places Touch(JsonSelection&, const Places&) const override { return {}; }

 private:
  std::string text_, unit_;
  Item item_;
};

// {}
class EmptyExpr final : public Expr {
 public:
  bool Each(Env&, Sink) const override { return true; }
  bool at_most_one() const override { return true; }
  bool is_watched() const override { return true; }
  Places Touch(JsonSelection&, const Places&) const override { return {}; }
};

// $this, $index, $total, %resource, %rowIndex.
class VariableExpr final : public Expr {
 public:
  enum class Which { kThis, kIndex, kTotal, kResource, kRowIndex };
  explicit VariableExpr(Which which) : which_(which) {}
  bool Each(Env& env, Sink sink) const override;
  bool at_most_one() const override { return true; }
  bool is_watched() const override { return which_ == Which::kThis || which_ == Which::kResource; }
  Places Touch(JsonSelection& kept, const Places& focus) const override;

 private:
  Which which_;
};

// Collects everything `expr` gives.
Items Collect(const Expr& expr, Env& env);

}  // namespace vitalake::view
