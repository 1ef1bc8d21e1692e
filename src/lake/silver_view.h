// SilverView: how one silver table is made from resources, as data.
//
// views/<name>.json is a ViewDefinition: resource -> raw columns. views/<name>.sql, optional, is
// one SELECT over the relation `rows` (the view's columns plus the record's own, named with a
// leading underscore, see kRecordColumns) that finishes them; it must hand the underscored columns
// on. Two lines of its leading comment are read:
//   -- measured: a, b     columns that a retraction empties
//   -- clustered: a, b    order of the rows in a file
//   -- home: condition    which rows' records have this table as their home (all, when absent):
//                         there a record's outcome is counted
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "lake/table_spec.h"
#include "view/view.h"

namespace vitalake::lake {

struct SilverView {
  std::string table;  // "silver.observation"
  std::shared_ptr<const view::View> view;
  std::string finishing_sql;  // "SELECT * FROM rows" when there is no file
  std::vector<std::string> measured;
  std::vector<std::string> clustered_by;
  std::vector<std::string>
      row_key;              // names a row: id_space, id, and `component` where the view has it
  std::string home;         // SQL condition over the table's rows; "true" by default
  bool has_status = false;  // its resource type has one (Patient has none)

  // By column of the view: whether the finishing SQL names it. Others need not be evaluated.
  std::vector<bool> UsedColumns() const;

  // A SELECT over the staging table `rows_table` that gives the table's rows; `ingestion_date` is
  // the time they are made.
  std::string RowsSql(std::string_view rows_table, Micros ingestion_date) const;
};

// What every record brings besides the view's columns, in this order, as columns of the staging
// table. _content_hash is null for a DELETE entry, which has no content; _home is the
// name of the table where the record's outcome is counted.
const std::vector<view::ColumnSpec>& RecordColumns();

// The three silver views by table name order: patient, observation, vital_sign. A file of that name
// in `folder` (when not empty) stands before the built-in one. kInvalidArgument names file and
// place.
Result<std::vector<SilverView>> LoadSilverViews(const std::filesystem::path& folder);

// Creates the (empty) staging table of a view: its columns, then RecordColumns.
Status CreateStagingTable(engine::Connection& connection, std::string_view table,
                          const SilverView& view);

// The columns and types RowsSql gives, found by asking the engine.
Result<std::vector<TableColumn>> SilverColumns(engine::Connection& connection,
                                               const SilverView& view);

}  // namespace vitalake::lake
