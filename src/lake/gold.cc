#include "lake/gold.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>

#include "base/log.h"
#include "base/parallel.h"
#include "lake/gold_model.h"
#include "lake/gold_refresh.h"
#include "lake/gold_sources.h"
#include "lake/person_link.h"
#include "lake/sql_text.h"
#include "lake/step_times.h"
#include "lake/table_writer.h"

namespace vitalake::lake {
namespace {

// A model that is not up to date yet.
struct Task {
  const GoldModel* model;
  delta::Table* table = nullptr;
  delta::SnapshotPtr snapshot = nullptr;
  bool touched_only = false;
  Result<std::optional<GoldResult>> done = std::nullopt;
};

// One try at every task, all from the same versions of the sources.
class Round {
 public:
  Round(Lake& lake, engine::Connection& connection, const std::vector<GoldModel>& models, bool full,
        const Wait& wait)
      : lake_(lake), connection_(connection), models_(models), full_(full), wait_(wait) {}

  // Takes what is up to date out of `tasks` and works on the others; each has an answer then.
  Status Run(std::vector<Task>& tasks);

 private:
  bool MayBeTouchedOnly(const Task& task) const;
  Status PlanTouched(std::vector<Task>& tasks);
  Status Gather(const std::vector<Task>& tasks);
  void Work(std::vector<Task>& tasks);
  Result<std::optional<GoldResult>> Refresh(const Task& task);

  Lake& lake_;
  engine::Connection& connection_;
  const std::vector<GoldModel>& models_;
  const bool full_;
  const Wait& wait_;
  std::unique_ptr<GoldSources> sources_;
};

bool Round::MayBeTouchedOnly(const Task& task) const {
  return !full_ && std::ranges::all_of(task.model->sources, [&](const GoldSource& source) {
    return SeenVersion(*task.snapshot, *task.model, source).has_value();
  });
}

// Models that lag behind differently share what the one furthest behind needs: more rows looked at,
// the same rows found different.
Status Round::PlanTouched(std::vector<Task>& tasks) {
  std::map<GoldSource, int64_t> seen;
  for (Task& task : tasks) {
    task.touched_only = MayBeTouchedOnly(task);
    if (!task.touched_only) continue;
    for (const GoldSource& source : task.model->sources) {
      const int64_t version = *SeenVersion(*task.snapshot, *task.model, source);
      const auto [known, is_first] = seen.try_emplace(source, version);
      if (!is_first) known->second = std::min(known->second, version);
    }
  }
  if (seen.empty()) return {};
  VL_TRY(const bool reached, sources_->Touch(seen));
  for (Task& task : tasks) {
    task.touched_only = task.touched_only && reached;
    if (!task.touched_only) continue;
    VL_TRY(const bool most, sources_->MostIsTouched(*task.model));
    task.touched_only = !most;
  }
  return {};
}

Status Round::Gather(const std::vector<Task>& tasks) {
  std::vector<const GoldModel*> narrowed;
  for (const Task& task : tasks) {
    if (task.touched_only) narrowed.push_back(task.model);
  }
  return sources_->Gather(narrowed);
}

Result<std::optional<GoldResult>> Round::Refresh(const Task& task) {
  VL_TRY(engine::Connection connection, connection_.engine().Connect());
  auto done = RefreshModel(lake_, connection, *task.model, *sources_, *task.table, task.snapshot,
                           task.touched_only, wait_);
  if (!done) return Because(std::move(done).error(), fmt::format("table {}", task.model->table));
  return done;
}

// Models at the same time: while one commits, others compute. As many as the engine has threads;
// when only touched rows are at stake, which wait for the disk more than they compute, two where
// that is one, else all of them.
void Round::Work(std::vector<Task>& tasks) {
  const auto threads = static_cast<size_t>(connection_.engine().options().threads);
  const size_t of_few_rows = threads > 1 ? tasks.size() : 2;
  const bool few_rows = std::ranges::all_of(tasks, &Task::touched_only);
  ForEachIndex(tasks.size(), few_rows ? of_few_rows : threads, [&](size_t i) {
    tasks[i].done = Refresh(tasks[i]);
    return true;
  });
}

Status Round::Run(std::vector<Task>& tasks) {
  StepTimes times(lake_.clock(), "gold");
  // Gold before its sources: so no source is older here than what a gold table was made from.
  for (Task& task : tasks) {
    VL_TRY(task.table, lake_.OpenTable(task.model->table));
    VL_TRY(task.snapshot, task.table->Latest());
  }
  VL_TRY(sources_, GoldSources::Open(lake_, connection_, models_, wait_));
  if (!full_) {
    std::erase_if(tasks, [&](const Task& task) {
      return SourceNote(*task.model, *sources_).IsIn(*task.snapshot);
    });
  }
  if (tasks.empty()) return {};
  times.Done("versions");
  VL_RETURN_IF_ERROR(sources_->FindLinks());
  times.Done("links");
  VL_RETURN_IF_ERROR(PlanTouched(tasks));
  times.Done("plan");
  VL_RETURN_IF_ERROR(Gather(tasks));
  times.Done("gather");
  Work(tasks);
  times.Done("tables");
  return {};
}

// "(SELECT NULL::VARCHAR AS a, ... WHERE false)": a table's shape without rows.
std::string EmptyRelation(const TableSpec& spec) {
  std::string columns;
  for (const TableColumn& column : spec.columns) {
    const std::string_view type = column.type == "string"      ? "VARCHAR"
                                  : column.type == "long"      ? "BIGINT"
                                  : column.type == "timestamp" ? "TIMESTAMPTZ"
                                                               : std::string_view(column.type);
    columns += fmt::format("{}NULL::{} AS {}", columns.empty() ? "" : ", ", type,
                           engine::QuoteName(column.name));
  }
  return fmt::format("SELECT {} WHERE false", columns);
}

// Until all models are up to date.
Result<std::vector<GoldResult>> RefreshWith(engine::Engine& engine, Lake& lake,
                                            const std::vector<GoldModel>& models, bool full,
                                            const Wait& wait) {
  VL_TRY(engine::Connection connection, engine.Connect());
  std::vector<Task> tasks;
  for (const GoldModel& model : models) tasks.push_back({&model});
  // The finer the key, the more rows: what takes longest begins first.
  std::ranges::stable_sort(tasks, std::greater(),
                           [](const Task& task) { return task.model->key.size(); });
  std::vector<GoldResult> results;
  while (!tasks.empty()) {
    VL_RETURN_IF_ERROR(Round(lake, connection, models, full, wait).Run(tasks));
    std::vector<Task> lost;
    for (Task& task : tasks) {
      if (!task.done) return std::unexpected(std::move(task.done).error());
      if (*task.done) {
        results.push_back(std::move(**task.done));
      } else {
        lost.push_back({task.model});
      }
    }
    tasks = std::move(lost);
  }
  std::ranges::sort(results, {}, &GoldResult::table);
  return results;
}

}  // namespace

Result<std::vector<GoldResult>> RefreshGold(Lake& lake, bool full, const Wait& wait) {
  VL_TRY(std::vector<GoldModel> models, LoadGoldModels(lake.options().models_folder));
  std::erase_if(models, [](const GoldModel& model) { return model.is_view; });
  const std::lock_guard alone(lake.heavy_work());
  auto done = RefreshWith(lake.upkeep_engine(), lake, models, full, wait);
  if (done || !lake.is_upkeep_apart() || done.error().kind != ErrorKind::kLimit) return done;
  // An operator that does not spill, over a large table. It is tried beside the commits, which wait
  // for memory then.
  log::Info("gold takes the memory of all else: {}", done.error().ToString());
  return RefreshWith(lake.engine(), lake, models, full, wait);
}

Result<std::map<std::string, std::string>> GoldViews(Lake& lake) {
  VL_TRY(const std::vector<GoldModel> models, LoadGoldModels(lake.options().models_folder));
  std::map<std::string, std::string> views;
  for (const GoldModel& model : models) {
    if (model.is_view) views[model.table] = model.sql;
  }
  return views;
}

Result<std::vector<TableSpec>> GoldSpecs(engine::Connection& connection,
                                         const std::filesystem::path& models_folder,
                                         const std::vector<TableSpec>& tables) {
  VL_TRY(const std::vector<GoldModel> models, LoadGoldModels(models_folder));
  std::vector<TableSpec> specs;
  for (const GoldModel& model : models) {
    if (model.is_view) continue;
    std::vector<std::string> relations;
    for (const GoldSource& source : model.sources) {
      const auto spec = std::ranges::find(tables, source.table, &TableSpec::name);
      if (spec == tables.end()) {
        return Fail(ErrorKind::kInvalidArgument,
                    fmt::format("{} reads {}, which is no table of silver or ops", model.table,
                                source.table));
      }
      relations.push_back(EmptyRelation(*spec));
    }
    auto columns = DescribeColumns(connection, BindSources(model, relations, kNoLinks));
    if (!columns)
      return Because(std::move(columns).error(), fmt::format("model of {}", model.table));
    std::string path = model.table;
    std::ranges::replace(path, '.', '/');
    specs.push_back({model.table, path, std::move(*columns), model.key, model.clustered_by, true,
                     kGoldRowsPerFile});
  }
  return specs;
}

}  // namespace vitalake::lake
