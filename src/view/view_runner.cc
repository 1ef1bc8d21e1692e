#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "view/cell.h"
#include "view/row_plan_internal.h"
#include "view/view.h"
#include "view/view_internal.h"

namespace vitalake::view {
namespace {

// Sets %rowIndex; puts it back at the end of the block.
class RowIndexScope {
 public:
  RowIndexScope(Env& env, int64_t index) : env_(env), outer_(std::exchange(env.row_index, index)) {}
  ~RowIndexScope() { env_.row_index = outer_; }
  RowIndexScope(const RowIndexScope&) = delete;
  RowIndexScope& operator=(const RowIndexScope&) = delete;

 private:
  Env& env_;
  int64_t outer_;
};

// Whether the item is a node below the node `outer`: what repeat descends into ends.
bool IsInside(const Item& item, const Item& outer) {
  return item.kind == ItemKind::kNode && outer.kind == ItemKind::kNode && item.node > outer.node &&
         item.node < outer.node + outer.node->skip;
}

using Next = FunctionRef<bool()>;  // the rest of the row; false after a fault

}  // namespace

// A row is filled part by part; when the last part is filled it is added to `rows`. Parts that give
// several rows call the rest several times, which makes the product.
struct ViewRunner::Impl {
  Impl(std::shared_ptr<const View> view, std::vector<bool> needed_columns)
      : view(std::move(view)), plan(this->view->impl_->plan), needed(std::move(needed_columns)) {
    needed.resize(plan.columns.size(), needed.empty());
    const Places root = {JsonSelection::kRoot};
    kept.Add(JsonSelection::kRoot, "resourceType");
    for (const Path& where : plan.wheres) where.expr->Touch(kept, root);
    Touch(plan.root, root);
  }

  void Touch(const SelectPlan& select, const Places& outer) {
    if (select.iteration == Iteration::kRepeat) kept.KeepWhole(JsonSelection::kRoot);
    const bool once = select.iteration == Iteration::kOnce;
    const Places focus = once ? outer : select.paths[0].expr->Touch(kept, outer);
    for (const ColumnPlan& column : select.columns) {
      if (needed[column.index]) TouchWhole(*column.path.expr, kept, focus);
    }
    for (const SelectPlan::Part& part : select.parts) {
      for (const SelectPlan& branch : part.branches) Touch(branch, focus);
    }
  }

  std::shared_ptr<const View> view;
  const ViewPlan& plan;
  std::vector<bool> needed;
  JsonSelection kept;
  Env env;
  std::string json;
  std::string_view place;  // of what is being evaluated
  OnFault on_fault = OnFault::kNoRows;
  std::vector<Cell> row;
  std::vector<Cell> rows;
  RowPlans plans;
  PlanMaker* maker = nullptr;  // of the resource at hand, if a plan is to be made
  const Symbol resource_type = InternSymbol("resourceType");

  void AddRow();
  // The rows by a plan that fits.
  void Follow(const RowPlan& known, const JsonNode* resource);
  bool Put(const RowStep& step, const Item& item);
  void Evaluate(JsonValue resource);

  bool IsNeeded(const SelectPlan& select) const {
    return std::any_of(select.all_columns.begin(), select.all_columns.end(),
                       [&](size_t i) { return needed[i]; });
  }

  bool AppliesTo(JsonValue resource) const {
    if (!resource.is_object()) return false;
    JsonValue type = resource.Find(resource_type);
    if (!type) type = resource.Find("resourceType");
    return type.is_string() && type.text() == plan.resource;
  }

  bool PassesWheres() {
    for (const Path& where : plan.wheres) {
      place = "where";
      Item item;
      const Found found = where.expr->One(env, item);
      if (env.failed()) return false;
      if (found == Found::kMany) return env.Fail("several items instead of a boolean");
      if (found == Found::kNone) return false;
      item = Atom(item);
      if (item.kind != ItemKind::kBoolean) {
        return env.Fail(fmt::format("{} instead of a boolean", TypeName(item)));
      }
      if (item.integer == 0) return false;
    }
    return true;
  }

  bool FillColumn(const ColumnPlan& column, PathValue& value) {
    Cell& cell = row[column.index];
    cell.is_null = true;
    value.is_known &= column.repeats;
    if (!needed[column.index]) return true;
    place = column.place;
    const bool repeated = value.is_known;
    if (!column.collection && !repeated) {
      value.found = column.path.expr->One(env, value.item);
      value.is_known = true;
      if (env.failed()) value.found = Found::kNone;
    }
    if (maker != nullptr) maker->AddCell(column, env, value, repeated);
    return IsSettled(
        column.collection ? FillCollection(column, cell) : FillFrom(column, value, cell), cell);
  }

  // Whether the row goes on after a cell that could be filled, or could not.
  bool IsSettled(bool filled, Cell& cell) {
    if (filled || on_fault == OnFault::kNoRows) return filled;
    // Where faults count, resources of this shape have no rows.
    if (maker != nullptr) maker->GiveUp();
    env.ForgetFault();
    cell.is_null = true;
    return true;
  }

  bool FillFrom(const ColumnPlan& column, const PathValue& value, Cell& cell) {
    switch (value.found) {
      case Found::kNone:
        return !env.failed();
      case Found::kOne:
        return FillCell(plan.columns[column.index], value.item, env, cell);
      case Found::kMany:
        return env.Fail("several values, and the column is no collection");
    }
    return true;
  }

  bool FillCollection(const ColumnPlan& column, Cell& cell) {
    json.assign(1, '[');
    column.path.expr->Each(env, [&](const Item& item) {
      if (json.size() > 1) json += ',';
      AppendJson(item, json);
      return true;
    });
    if (env.failed()) return false;
    json += ']';
    cell.is_null = false;
    cell.text = env.Keep(json);
    return true;
  }

  // The row of a forEachOrNull that found nothing: null but for %rowIndex.
  bool FillNulls(const SelectPlan& select) {
    for (size_t i : select.all_columns) {
      row[i].is_null = true;
      if (maker != nullptr) maker->AddNull(i);
    }
    const FocusScope focus(env, Item(), 0);
    const RowIndexScope index(env, 0);
    return FillRowIndexes(select);
  }

  bool FillRowIndexes(const SelectPlan& select) {
    for (const ColumnPlan& column : select.columns) {
      PathValue value;
      if (column.path.uses_row_index && !FillColumn(column, value)) return false;
    }
    return std::all_of(select.parts.begin(), select.parts.end(), [&](const SelectPlan::Part& part) {
      return FillRowIndexes(part.branches[0]);
    });
  }

  bool Expand(const SelectPlan& select, Next next) {
    switch (select.iteration) {
      case Iteration::kOnce:
        return Fill(select, next);
      case Iteration::kForEach:
      case Iteration::kForEachOrNull:
        return ExpandForEach(select, next);
      case Iteration::kRepeat: {
        if (maker != nullptr) maker->GiveUp();
        int64_t index = 0;
        return Repeat(select, index, next);
      }
    }
    return true;
  }

  bool ExpandForEach(const SelectPlan& select, Next next) {
    const bool or_null = select.iteration == Iteration::kForEachOrNull;
    int64_t index = 0;
    place = select.place;
    const Expr& path = *select.paths[0].expr;
    const bool ok = path.Each(env, [&](const Item& item) {
      if (maker != nullptr) maker->AddIteration(path);
      const FocusScope focus(env, item, 0);
      const RowIndexScope row_index(env, index++);
      return Fill(select, next);
    });
    if (maker != nullptr) maker->AddIteration(path);
    if (!ok || env.failed()) return false;
    return index > 0 || !or_null || (FillNulls(select) && next());
  }

  // Depth first: an element, then what the paths find below it.
  bool Repeat(const SelectPlan& select, int64_t& index, Next next) {
    for (const Path& path : select.paths) {
      place = select.place;
      const bool ok = path.expr->Each(env, [&](const Item& item) {
        if (!IsInside(item, env.focus)) return env.Fail("repeat leaves the element it is in");
        const FocusScope focus(env, item, 0);
        const RowIndexScope row_index(env, index++);
        return Fill(select, next) && Repeat(select, index, next);
      });
      if (!ok || env.failed()) return false;
    }
    return true;
  }

  bool Fill(const SelectPlan& select, Next next) {
    PathValue value;
    for (const ColumnPlan& column : select.columns) {
      if (!FillColumn(column, value)) return false;
    }
    return select.parts.empty() ? next() : FillPart(select, 0, next);
  }

  bool FillPart(const SelectPlan& select, size_t part, Next next) {
    if (part == select.parts.size()) return next();
    const Item focus = env.focus;
    const int64_t row_index = env.row_index;
    for (const SelectPlan& branch : select.parts[part].branches) {
      const auto rest = [&] {
        if (branch.iteration == Iteration::kOnce) return FillPart(select, part + 1, next);
        const FocusScope focus_scope(env, focus, 0);
        const RowIndexScope index_scope(env, row_index);
        return FillPart(select, part + 1, next);
      };
      const bool skip = !IsNeeded(branch) && branch.IsOneRow();
      if (!(skip ? rest() : Expand(branch, rest))) return false;
    }
    return true;
  }
};

void ViewRunner::Impl::AddRow() {
  if (maker != nullptr) maker->AddRow();
  rows.insert(rows.end(), row.begin(), row.end());
}

void ViewRunner::Impl::Follow(const RowPlan& known, const JsonNode* resource) {
  PathValue value;
  for (const RowStep& step : known.steps) {
    const Item node = Item::Node(JsonValue(resource + step.node), step.type);
    switch (step.kind) {
      case RowStep::Kind::kNull:
        row[step.column].is_null = true;
        break;
      case RowStep::Kind::kNode:
        if (!Put(step, node)) return;
        break;
      case RowStep::Kind::kItem:
        if (!Put(step, known.items[step.node])) return;
        break;
      case RowStep::Kind::kEvaluate: {
        const FocusScope focus(env, node, 0);
        const RowIndexScope row_index(env, step.row_index);
        value.is_known &= step.repeats;
        if (!FillColumn(*step.plan, value)) return;
        break;
      }
      case RowStep::Kind::kRow:
        AddRow();
        break;
    }
  }
}

bool ViewRunner::Impl::Put(const RowStep& step, const Item& item) {
  Cell& cell = row[step.column];
  cell.is_null = true;
  place = step.plan->place;
  return IsSettled(FillCell(plan.columns[step.column], item, env, cell), cell);
}

// Makes a plan beside, of a shape that was met before.
void ViewRunner::Impl::Evaluate(JsonValue resource) {
  std::optional<PlanMaker> making;
  if (plans.IsWorthOne(resource)) making.emplace(resource);
  maker = making ? &*making : nullptr;
  env.watch = maker;
  const bool done = Expand(plan.root, [&] {
    AddRow();
    return true;
  });
  env.watch = maker = nullptr;
  if (!making || !done || env.failed()) return;
  if (auto made = making->Take()) plans.Add(std::move(made));
}

ViewRunner::ViewRunner(std::shared_ptr<const View> view, std::vector<bool> needed)
    : impl_(std::make_unique<Impl>(std::move(view), std::move(needed))) {}
ViewRunner::~ViewRunner() = default;
ViewRunner::ViewRunner(ViewRunner&&) noexcept = default;

const JsonSelection& ViewRunner::selection() const { return impl_->kept; }

std::expected<void, RowFault> ViewRunner::Run(JsonValue resource, const RowCallback& row,
                                              OnFault on_fault) {
  Impl& run = *impl_;
  run.on_fault = on_fault;
  if (!run.AppliesTo(resource)) return {};
  run.env.Reset();
  run.env.focus = run.env.resource = Item::Node(resource);
  run.env.row_index = 0;
  run.rows.clear();
  run.row.assign(run.plan.columns.size(), Cell());
  if (run.PassesWheres()) {
    if (const RowPlan* known = run.plans.Find(resource)) {
      run.Follow(*known, resource.node());
    } else {
      run.Evaluate(resource);
    }
  }
  if (run.env.failed()) return std::unexpected(RowFault{std::string(run.place), run.env.fault()});
  const size_t width = run.row.size();
  for (size_t at = 0; at < run.rows.size(); at += width) row({run.rows.data() + at, width});
  return {};
}

}  // namespace vitalake::view
