// ColumnAppender: rows of view cells into a table of the engine, a chunk at a time.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/engine.h"
#include "view/view.h"

namespace vitalake::engine {

// The SQL type a view column is stored as: BOOLEAN, INTEGER, BIGINT, DOUBLE, VARCHAR, DATE,
// TIMESTAMP WITH TIME ZONE.
std::string_view SqlType(view::ColumnType type);

// "CREATE TABLE name (columns)" for the columns of a view; `table` goes in as it is.
std::string CreateTableSql(std::string_view table, std::span<const view::ColumnSpec> columns);

// Appends to one table from one thread; several appenders, each on its own connection, may fill one
// (not temporary) table at once. Cells are converted by the appender's column type: kBoolean reads
// `boolean`, kDouble `number`, kVarchar `text`, all others `integer`. Text that is not UTF-8 gets
// U+FFFD for each bad byte. Rows become visible at Close, some of them earlier. Cost: about 10 ns a
// cell; no allocation per cell.
class ColumnAppender {
 public:
  // `table` as SQL names it, unquoted ("t" or "schema.t"); `types` in column order, as many as the
  // table has. kInvalidArgument when the table is missing or has other columns.
  static Result<ColumnAppender> Make(Connection& connection, std::string_view table,
                                     std::span<const view::ColumnType> types);
  ~ColumnAppender();
  ColumnAppender(ColumnAppender&&) noexcept;
  ColumnAppender& operator=(ColumnAppender&&) noexcept;

  // One row: the cells of `row`, then those of `rest`; together one per column.
  Status Append(std::span<const view::Cell> row, std::span<const view::Cell> rest = {});
  int64_t rows() const;  // appended so far
  // Hands over what is left. Without it the last rows are lost. Call once, and nothing after it.
  Status Close();

 private:
  ColumnAppender();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vitalake::engine
