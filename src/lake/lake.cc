#include "lake/lake.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "base/log.h"
#include "base/nearest.h"
#include "delta/transaction.h"
#include "engine/sql_functions.h"
#include "lake/catalogue.h"
#include "lake/gold.h"
#include "lake/leftovers.h"
#include "lake/silver_view.h"
#include "storage/local_store.h"

namespace vitalake::lake {
namespace {

// Of the process's budget, what query engines may hold; the rest is for parsers, staged blocks and
// the libraries' own.
constexpr int64_t EngineShare(int64_t memory_bytes) { return memory_bytes / 2; }

Result<std::unique_ptr<engine::Engine>> OpenEngine(const engine::EngineOptions& options) {
  VL_TRY(auto engine, engine::Engine::Open(options));
  VL_TRY(engine::Connection connection, engine->Connect());
  VL_RETURN_IF_ERROR(engine::RegisterSqlFunctions(connection));
  return engine;
}

// Where engines spill: its parent is there, since they make no parents.
Result<std::filesystem::path> SpillFolder(const LakeOptions& options) {
  std::filesystem::path parent = options.spill_folder;
  std::error_code error;
  if (!parent.empty()) {
    std::filesystem::create_directories(parent, error);
    if (error) {
      return Fail(ErrorKind::kIo, fmt::format("cannot make the spill folder {}: {}",
                                              parent.string(), error.message()));
    }
  } else {
    parent = std::filesystem::path(options.location) / "_vitalake";
    // A lake that is not there yet gets the folder with its first run; one that cannot be written
    // to serves queries that fit in memory.
    if (std::filesystem::is_directory(options.location, error)) {
      std::filesystem::create_directory(parent, error);
    }
  }
  return parent / (options.spill_folder.empty() ? "spill" : "vitalake-spill");
}

// "; did you mean silver.patient?", from the folders there are; "" when none is near.
std::string Suggestion(storage::ObjectStore& store, std::string_view name) {
  std::vector<std::string> known;
  for (const std::string_view schema : {"bronze", "silver", "gold", "ops"}) {
    const auto folders = store.ListFolder(fmt::format("{}/", schema));
    if (!folders) continue;
    for (const std::string& folder : *folders) {
      if (folder.ends_with('/')) {
        known.push_back(fmt::format("{}.{}", schema, folder.substr(0, folder.size() - 1)));
      }
    }
  }
  const std::string near = Nearest(name, known);
  return near.empty() ? "" : fmt::format("; did you mean {}?", near);
}

std::vector<delta::Column> ColumnsOf(const TableSpec& spec) {
  std::vector<delta::Column> columns;
  for (const TableColumn& column : spec.columns) {
    static const std::map<std::string_view, delta::TypeKind> kKinds = {
        {"string", delta::TypeKind::kString},       {"long", delta::TypeKind::kLong},
        {"integer", delta::TypeKind::kInteger},     {"double", delta::TypeKind::kDouble},
        {"boolean", delta::TypeKind::kBoolean},     {"date", delta::TypeKind::kDate},
        {"timestamp", delta::TypeKind::kTimestamp}, {"binary", delta::TypeKind::kBinary}};
    columns.push_back({column.name, delta::DeltaType(kKinds.at(column.type)), true});
  }
  return columns;
}

delta::CreateOptions CreateOptionsOf(const TableSpec& spec, int64_t checkpoint_every) {
  delta::CreateOptions options;
  options.schema = delta::Schema::Flat(ColumnsOf(spec));
  options.name = spec.name;
  std::string stats;
  for (const std::string& column : spec.clustered_by) stats += (stats.empty() ? "" : ",") + column;
  if (!stats.empty()) options.configuration["delta.dataSkippingStatsColumns"] = stats;
  options.configuration["delta.enableChangeDataFeed"] = spec.change_feed ? "true" : "false";
  options.configuration["delta.checkpointInterval"] = fmt::to_string(checkpoint_every);
  return options;
}

}  // namespace

Result<std::unique_ptr<Lake>> Lake::Open(const LakeOptions& options, Clock& clock, Random& random) {
  if (options.location.find("://") != std::string::npos) {
    return Fail(ErrorKind::kUnsupported,
                fmt::format("the lake {} is not a local folder; remote lakes are not supported yet",
                            options.location));
  }
  VL_TRY(auto store, storage::LocalStore::Open(options.location));
  VL_TRY(std::unique_ptr<Lake> lake, Over(*store, options, clock, random));
  lake->owned_store_ = std::move(store);
  return lake;
}

Result<std::unique_ptr<Lake>> Lake::Over(storage::ObjectStore& store, const LakeOptions& options,
                                         Clock& clock, Random& random) {
  std::unique_ptr<Lake> lake(new Lake(options, clock, random));
  lake->store_ = &store;
  engine::EngineOptions engine_options;
  engine_options.threads = options.threads;
  engine_options.memory_bytes = EngineShare(options.memory_bytes);
  VL_TRY(engine_options.spill_folder, SpillFolder(options));
  if (options.upkeep_apart) {
    engine::EngineOptions upkeep_options = engine_options;
    upkeep_options.threads = 1;
    upkeep_options.memory_bytes = MemoryShare::Of(options.memory_bytes, MemoryShare::kUpkeep);
    engine_options.memory_bytes = MemoryShare::Of(options.memory_bytes, MemoryShare::kCommits);
    VL_TRY(lake->upkeep_engine_, OpenEngine(upkeep_options));
  }
  VL_TRY(lake->engine_, OpenEngine(engine_options));
  lake->parquet_ = std::make_unique<engine::EngineParquetIo>(*lake->engine_);
  return lake;
}

Lake::~Lake() = default;

Result<bool> Lake::Exists() {
  auto table = OpenTable("silver.patient");
  if (table) return true;
  if (table.error().kind == ErrorKind::kNotFound) return false;
  return std::unexpected(std::move(table).error());
}

Result<std::vector<const TableSpec*>> Lake::Catalogue() {
  const std::lock_guard lock(mutex_);
  if (catalogue_.empty()) {
    VL_TRY(engine::Connection connection, engine_->Connect());
    VL_TRY(const std::vector<SilverView> views, LoadSilverViews(options_.views_folder));
    std::vector<TableSpec> specs = {FixedTables().front()};
    for (const SilverView& view : views) {
      VL_TRY(TableSpec spec, SilverSpec(*engine_, view));
      specs.push_back(std::move(spec));
    }
    const std::span<const TableSpec> ops = std::span(FixedTables()).subspan(1);
    std::vector<TableSpec> sources = specs;
    sources.insert(sources.end(), ops.begin(), ops.end());
    VL_TRY(std::vector<TableSpec> gold, GoldSpecs(connection, options_.models_folder, sources));
    std::ranges::move(gold, std::back_inserter(specs));
    specs.insert(specs.end(), ops.begin(), ops.end());
    catalogue_ = std::move(specs);
  }
  std::vector<const TableSpec*> specs;
  for (const TableSpec& spec : catalogue_) specs.push_back(&spec);
  return specs;
}

Result<const TableSpec*> Lake::Spec(std::string_view name) {
  VL_TRY(const auto specs, Catalogue());
  for (const TableSpec* spec : specs) {
    if (spec->name == name) return spec;
  }
  return Fail(ErrorKind::kNotFound, fmt::format("there is no table {}", name));
}

Result<std::vector<std::string>> Lake::CreateMissingTables() {
  VL_TRY(const auto specs, Catalogue());
  std::vector<std::string> created;
  for (const TableSpec* spec : specs) {
    auto table = delta::Table::Open({*store_, *parquet_, clock_, random_}, spec->path);
    VL_TRY(const bool exists, table->Exists());
    if (exists) {
      // Models and writers name the columns of fixed tables, and links those of silver; other views
      // and models may be the user's.
      const auto& fixed = FixedTables();
      if (spec->name.starts_with("silver.") ||
          std::ranges::find(fixed, spec->name, &TableSpec::name) != fixed.end()) {
        auto added = AddMissingColumns(spec->name);
        const bool raced = !added && added.error().kind == ErrorKind::kConflict;
        if (!added && !raced) return std::unexpected(std::move(added).error());
      }
      continue;
    }
    auto made = table->Create(CreateOptionsOf(*spec, options_.maintain.checkpoint_every));
    if (made) {
      created.push_back(spec->name);
    } else if (made.error().kind != ErrorKind::kAlreadyExists) {
      return Because(std::move(made).error(), fmt::format("creating table {}", spec->name));
    }
  }
  return created;
}

Status Lake::AddMissingColumns(std::string_view name) {
  VL_TRY(const TableSpec* const spec, Spec(name));
  VL_TRY(delta::Table* const table, OpenTable(name));
  VL_TRY(const delta::SnapshotPtr snapshot, table->Latest());
  delta::Metadata metadata = snapshot->metadata();
  VL_TRY(const delta::Schema schema, delta::Schema::FromJson(metadata.schema_string));
  std::vector<delta::Field> fields(schema.fields().begin(), schema.fields().end());
  for (const delta::Column& column : ColumnsOf(*spec)) {
    if (schema.FindField(column.name) == nullptr) fields.push_back({column.name, column.type});
  }
  if (fields.size() == schema.fields().size()) return {};
  metadata.schema_string = delta::Schema(std::move(fields)).ToJson();
  delta::Transaction transaction(*table, snapshot);
  transaction.ReadNothing();
  transaction.SetOperation("ADD COLUMNS");
  transaction.SetMetadata(std::move(metadata));
  VL_TRY(const delta::CommitResult result, transaction.Commit({}));
  if (const auto* conflict = std::get_if<delta::Conflict>(&result)) {
    return Fail(ErrorKind::kConflict, fmt::format("table {}: {}", name, conflict->message));
  }
  return {};
}

Result<delta::Table*> Lake::OpenTable(std::string_view name) {
  VL_TRY(const std::string path, TablePath(name));
  const std::lock_guard lock(mutex_);
  if (const auto known = tables_.find(name); known != tables_.end()) return known->second.get();
  auto table = delta::Table::Open({*store_, *parquet_, clock_, random_}, path);
  VL_TRY(const bool exists, table->Exists());
  if (!exists) {
    return Fail(ErrorKind::kNotFound, fmt::format("there is no table {} in the lake {}{}", name,
                                                  options_.location, Suggestion(*store_, name)));
  }
  return tables_.emplace(std::string(name), std::move(table)).first->second.get();
}

Result<delta::SnapshotPtr> Lake::Latest(std::string_view name) {
  VL_TRY(delta::Table* const table, OpenTable(name));
  auto snapshot = table->Latest();
  if (!snapshot) return Because(std::move(snapshot).error(), fmt::format("table {}", name));
  return snapshot;
}

engine::TableFiles Lake::Files(const delta::SnapshotPtr& snapshot, std::string_view name) {
  std::string root(name);
  std::ranges::replace(root, '.', '/');
  return {snapshot, store_, std::move(root)};
}

Result<Lake::WorkFolder> Lake::MakeWorkFolder(std::string_view purpose) {
  VL_TRY(const std::filesystem::path staging, store_->StagingFolder());
  return WorkFolder::Make(staging / fmt::format("{}-{}", purpose, random_.Uuid()));
}

void Lake::SweepLeftovers() {
  if (const auto staging = store_->StagingFolder()) SweepStaging(*staging);
  const auto spill = SpillFolder(options_);
  if (!spill) return;
  SweepSpill(*spill);
  engine_->ClaimSpillFolder();
  if (upkeep_engine_) upkeep_engine_->ClaimSpillFolder();
}

}  // namespace vitalake::lake
