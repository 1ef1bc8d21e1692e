// TableSource: the table a user names, of the lake or any Delta table on disk.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "cli/command.h"
#include "delta/table.h"
#include "engine/sql_session.h"
#include "lake/upkeep_table.h"
#include "storage/local_store.h"

namespace vitalake::cli {

// Not thread-safe; must not outlive its Context.
class TableSource {
 public:
  // `named` is "schema.table" of the lake, or the path of a folder with a _delta_log. A name that
  // the lake has wins over a folder. kNotFound says what was looked for; views of the lake have no
  // Delta table and are kInvalidArgument.
  static Result<std::unique_ptr<TableSource>> Open(Context& context, const std::string& named);
  // The same, for commands that write to it: first sweeps what killed ones have left beside it.
  static Result<std::unique_ptr<TableSource>> OpenForUpkeep(Context& context,
                                                            const std::string& named);
  // A source that only its session is asked of: a view of the lake will do.
  static Result<std::unique_ptr<TableSource>> OpenForReading(Context& context,
                                                             const std::string& named);

  ~TableSource();

  delta::Table& table() { return *table_; }
  lake::UpkeepTable upkeep() { return {*table_, spec_}; }
  // A snapshot of it, as engine::RelationSql wants it.
  engine::TableFiles FilesOf(delta::SnapshotPtr snapshot) const;
  // What a statement calls it.
  const std::string& sql_name() const { return sql_name_; }
  // Where it lies.
  const std::string& location() const { return location_; }
  // A session that knows the table by sql_name.
  Result<engine::SqlSession*> session();

 private:
  std::filesystem::path OwnStaging() const;
  Status OpenFolder(Context& context, const std::string& path);
  Result<std::optional<engine::NamedRelation>> Resolve(std::string_view name,
                                                       const engine::TableAt& at);

  lake::Lake* lake_ = nullptr;
  std::unique_ptr<storage::LocalStore> folder_store_;
  std::unique_ptr<delta::Table> folder_table_;
  delta::Table* table_ = nullptr;
  const lake::TableSpec* spec_ = nullptr;  // null: not of the lake
  storage::ObjectStore* store_ = nullptr;
  std::string sql_name_;
  std::string location_;
  std::unique_ptr<engine::SqlSession> session_;
};

}  // namespace vitalake::cli
