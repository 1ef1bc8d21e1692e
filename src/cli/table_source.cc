#include "cli/table_source.h"

#include <fmt/format.h>

#include <filesystem>

#include "engine/relation.h"
#include "lake/leftovers.h"
#include "lake/queries.h"
#include "lake/sql_views.h"

namespace vitalake::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFolderName = "path.table";

bool IsDeltaFolder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path / "_delta_log", error);
}

// "schema.table" of plain characters.
bool LooksLikeName(std::string_view text) {
  size_t dot = text.find('.');
  return dot != std::string_view::npos && dot > 0 && text.find('/') == std::string_view::npos;
}

}  // namespace

Result<std::unique_ptr<TableSource>> TableSource::Open(Context& context, const std::string& named) {
  auto source = std::make_unique<TableSource>();
  VL_TRY(source->lake_, context.lake());
  VL_TRY(const auto view, lake::FindSqlView(*source->lake_, named));
  if (view) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("{} is a view: it has rows (`table read {}`), but no versions of its "
                            "own",
                            named, named));
  }
  if (LooksLikeName(named)) {
    auto table = source->lake_->OpenTable(named);
    if (table) {
      VL_TRY(source->spec_, source->lake_->Spec(named));
      source->table_ = *table;
      source->store_ = &source->lake_->store();
      source->sql_name_ = named;
      source->location_ =
          fmt::format("{}/{}", source->lake_->options().location, source->spec_->path);
      return source;
    }
    if (!IsDeltaFolder(named)) {
      VL_RETURN_IF_ERROR(context.existing_lake());
      return std::unexpected(std::move(table).error());
    }
  }
  VL_RETURN_IF_ERROR(source->OpenFolder(context, named));
  return source;
}

Result<std::unique_ptr<TableSource>> TableSource::OpenForUpkeep(Context& context,
                                                                const std::string& named) {
  VL_TRY(auto source, Open(context, named));
  if (source->spec_) {
    source->lake_->SweepLeftovers();
  } else {
    lake::SweepStaging(source->OwnStaging());
  }
  return source;
}

// What a command on a table outside the lake writes lies in the table's own folder until it is
// done, and nothing of that stays.
fs::path TableSource::OwnStaging() const { return fs::path(location_) / "_vitalake/staging"; }

TableSource::~TableSource() {
  if (!folder_store_) return;
  std::error_code not_empty;
  fs::remove(OwnStaging(), not_empty);
  fs::remove(OwnStaging().parent_path(), not_empty);
}

Result<std::unique_ptr<TableSource>> TableSource::OpenForReading(Context& context,
                                                                 const std::string& named) {
  VL_TRY(lake::Lake * lake, context.lake());
  VL_TRY(const auto view, lake::FindSqlView(*lake, named));
  if (!view) return Open(context, named);
  VL_RETURN_IF_ERROR(context.existing_lake());
  auto source = std::make_unique<TableSource>();
  source->lake_ = lake;
  source->sql_name_ = named;
  return source;
}

Status TableSource::OpenFolder(Context& context, const std::string& path) {
  std::error_code error;
  if (!IsDeltaFolder(path)) {
    return Fail(
        ErrorKind::kNotFound,
        fmt::format("{} is no table: neither a name like silver.patient nor a folder with a "
                    "_delta_log",
                    path));
  }
  fs::path folder = fs::canonical(path, error);
  if (error) return Fail(ErrorKind::kIo, fmt::format("{}: {}", path, error.message()));
  VL_TRY(folder_store_, storage::LocalStore::Open(folder.parent_path()));
  folder_table_ =
      delta::Table::Open({*folder_store_, lake_->parquet(), context.clock(), context.random()},
                         folder.filename().string());
  table_ = folder_table_.get();
  store_ = folder_store_.get();
  sql_name_ = kFolderName;
  location_ = folder.string();
  folder_store_->StageIn(OwnStaging());
  return {};
}

Result<std::optional<engine::NamedRelation>> TableSource::Resolve(std::string_view name,
                                                                  const engine::TableAt& at) {
  if (name != kFolderName) return std::nullopt;
  auto snapshot = at.version     ? table_->At(*at.version)
                  : at.timestamp ? table_->AtTimestamp(*at.timestamp)
                                 : table_->Latest();
  if (!snapshot) return std::unexpected(std::move(snapshot).error());
  engine::NamedRelation relation{.table = FilesOf(*snapshot)};
  if (at != engine::TableAt{}) {
    VL_RETURN_IF_ERROR(engine::CheckVersion(*table_, relation.table, location_));
  }
  return relation;
}

engine::TableFiles TableSource::FilesOf(delta::SnapshotPtr snapshot) const {
  return {std::move(snapshot), store_, table_->root()};
}

Result<engine::SqlSession*> TableSource::session() {
  if (session_) return session_.get();
  if (!folder_table_) {
    VL_TRY(session_, lake::OpenSqlSession(*lake_));
    return session_.get();
  }
  engine::SqlCatalog catalog;
  catalog.list = []() -> Result<std::vector<std::string>> {
    return std::vector<std::string>{std::string(kFolderName)};
  };
  catalog.open = [this](std::string_view name, const engine::TableAt& at) {
    return Resolve(name, at);
  };
  VL_TRY(session_, engine::SqlSession::Open(lake_->engine(), std::move(catalog)));
  return session_.get();
}

}  // namespace vitalake::cli
