// SilverView: how one silver table is made from resources, as data.
//
// views/<name>.json is a ViewDefinition: resource -> raw columns. views/<name>.sql, optional, is
// one SELECT over the relation `rows` (the view's columns plus the record's own, named with a
// leading underscore, see kRecordColumns) that finishes them; it must hand the underscored columns
// on. Two lines of its leading comment are read:
//   -- measured: a, b     columns that a retraction empties
//   -- clustered: a, b    order of the rows in a file: columns of the view that its SQL hands on as
//                         they are, or of RecordColumns (without the underscore)
//   -- home: condition    which rows' records have this table as their home (all, when absent):
//                         there a record's outcome is counted
//   -- bare: condition    which retractions tell nothing of what they retract (none, when absent)
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "engine/row_buffer.h"
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
      row_key;                 // names a row: id_space, id, and `component` where the view has it
  std::string home;            // SQL condition over the table's rows; "true" by default
  std::string bare = "false";  // the same, of retracted rows
  bool has_status = false;     // its resource type has one (Patient has none)

  // By column of the view: whether the finishing SQL names it. Others need not be evaluated.
  std::vector<bool> UsedColumns() const;

  // A SELECT over the relation `rows` (of a StagingBuffer) that gives the table's rows;
  // `ingestion_date` is the time they are made.
  std::string RowsSql(std::string_view rows, Micros ingestion_date) const;
  // The columns of StagingBuffer to sort it by, for rows in the order of clustered_by.
  std::vector<std::string> SortColumns() const;
  // Holds raw rows: a row of the view, then RecordColumns.
  std::unique_ptr<engine::RowBuffer> StagingBuffer(engine::Engine& engine) const;
};

// What every record brings besides the view's columns, in this order. _content_hash is null for a
// DELETE entry, which has no content; _home is the name of the table where the record's outcome is
// counted.
const std::vector<view::ColumnSpec>& RecordColumns();

// The three silver views by table name order: patient, observation, vital_sign. A file of that name
// in `folder` (when not empty) stands before the built-in one. kInvalidArgument names file and
// place.
Result<std::vector<SilverView>> LoadSilverViews(const std::filesystem::path& folder);

// The columns and types RowsSql gives, found by asking the engine.
Result<std::vector<TableColumn>> SilverColumns(engine::Engine& engine, const SilverView& view);

}  // namespace vitalake::lake
