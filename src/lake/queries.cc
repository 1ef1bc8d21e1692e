#include "lake/queries.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <span>

#include "engine/sql_functions.h"
#include "lake/catalogue.h"
#include "lake/sql_views.h"

namespace vitalake::lake {
namespace {

// The schema of what has none, as information_schema spells it, and PostgreSQL's clients.
constexpr std::string_view kNoSchema[] = {"main.", "public."};

constexpr int64_t kLeastReadingMemory = 16 << 20;  // of an engine

Result<std::vector<std::string>> AllNames(Lake& lake) {
  VL_TRY(const auto specs, lake.Catalogue());
  std::vector<std::string> names;
  for (const TableSpec* spec : specs) names.push_back(spec->name);
  VL_TRY(const auto views, SqlViews(lake));
  for (const auto& [name, sql] : views) names.push_back(name);
  return names;
}

Result<std::optional<engine::NamedRelation>> OpenName(Lake& lake, std::string_view name,
                                                      const engine::TableAt& at) {
  engine::NamedRelation relation;
  for (const std::string_view none : kNoSchema) {
    if (name.starts_with(none)) name.remove_prefix(none.size());
  }
  VL_TRY(auto view, FindSqlView(lake, name));
  if (view && at != engine::TableAt{}) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("{} is a view, which has no versions: ask its tables AT one", name));
  }
  if (view) {
    relation.view_sql = std::move(*view);
    return relation;
  }
  if (!TablePath(name)) return std::nullopt;
  auto table = lake.OpenTable(name);
  if (!table && table.error().kind == ErrorKind::kNotFound) {
    VL_TRY(const bool exists, lake.Exists());
    if (exists) return std::nullopt;
    return Fail(ErrorKind::kNotFound,
                fmt::format("there is no lake at {}", lake.options().location));
  }
  if (!table) return std::unexpected(std::move(table).error());
  VL_TRY(const delta::SnapshotPtr snapshot, at.version     ? (*table)->At(*at.version)
                                            : at.timestamp ? (*table)->AtTimestamp(*at.timestamp)
                                                           : (*table)->Latest());
  relation.table = lake.Files(snapshot, name);
  if (at != engine::TableAt{}) {
    VL_RETURN_IF_ERROR(engine::CheckVersion(**table, relation.table, name));
  }
  return relation;
}

Result<std::unique_ptr<engine::Engine>> OpenReadingEngine(Lake& lake, int threads,
                                                          int64_t memory_bytes) {
  VL_TRY(const std::filesystem::path staging, lake.store().StagingFolder());
  engine::EngineOptions options;
  options.threads = threads;
  options.memory_bytes = memory_bytes;
  options.spill_folder = lake.engine().options().spill_folder;
  options.reachable_folders = {
      std::filesystem::absolute(lake.options().location).lexically_normal(), staging.parent_path()};
  VL_TRY(auto engine, engine::Engine::Open(options));
  VL_TRY(engine::Connection connection, engine->Connect());
  VL_RETURN_IF_ERROR(engine::RegisterSqlFunctions(connection));
  return engine;
}

}  // namespace

Result<std::unique_ptr<engine::SqlSession>> OpenSqlSession(Lake& lake) {
  return OpenSqlSession(lake, lake.engine(), {});
}

Result<std::unique_ptr<engine::SqlSession>> OpenSqlSession(Lake& lake, engine::Engine& engine,
                                                           engine::SqlOptions options) {
  engine::SqlCatalog catalog;
  catalog.list = [&lake] { return AllNames(lake); };
  catalog.open = [&lake](std::string_view name, const engine::TableAt& at) {
    return OpenName(lake, name, at);
  };
  catalog.finds = [&lake](std::string_view name, std::string_view column) {
    return lake.row_index().enabled() && RowIndex::IsIndexed(name, column);
  };
  catalog.find_rows = [&lake](std::string_view name, const engine::TableFiles& table,
                              const engine::ColumnBound& bound, engine::RowBuffer& rows,
                              const Wait& wait) {
    return lake.row_index().Read(
        {name, table.snapshot, bound.column, std::span(&std::get<std::string>(bound.value), 1)},
        [&](std::span<const view::Cell> cells) {
          rows.Append(cells);
          return rows.bytes() < RowIndex::kMostHeldBytes;
        },
        wait);
  };
  return engine::SqlSession::Open(engine, std::move(catalog), std::move(options));
}

Result<ReadingEngines> OpenReadingEngines(Lake& lake, int64_t memory_bytes) {
  const int64_t held = std::max(memory_bytes / 4, kLeastReadingMemory);
  ReadingEngines engines;
  VL_TRY(engines.held, OpenReadingEngine(lake, 1, held));
  VL_TRY(engines.tables, OpenReadingEngine(lake, lake.options().threads,
                                           std::max(memory_bytes - held, kLeastReadingMemory)));
  lake.row_index().Enable();
  return engines;
}

}  // namespace vitalake::lake
