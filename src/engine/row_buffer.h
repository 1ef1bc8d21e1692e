// RowBuffer: rows of view cells held in memory by columns, which SQL reads in place.
//
//   SELECT id, upper(name) FROM row_buffer(7)
//
// Made for staging: rows are appended at a few nanoseconds a cell, put in order by their keys
// alone, and handed to a query chunk by chunk; texts are never copied again before the query does.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "view/view.h"

namespace vitalake::engine {

// Not thread-safe; one thread fills it, and while a statement reads it nothing may change it. Must
// not outlive its Engine.
class RowBuffer {
 public:
  // kBorrowed: every text appended is UTF-8 and stays where it is as long as the rows do.
  enum class Texts { kCopied, kBorrowed };

  // Only the columns `held` names (by index; empty = all) have a place; SQL does not see the others
  // and their cells are ignored.
  RowBuffer(Engine& engine, std::vector<view::ColumnSpec> columns, std::vector<bool> held = {},
            Texts texts = Texts::kCopied);
  ~RowBuffer();
  RowBuffer(RowBuffer&&) = delete;
  RowBuffer& operator=(RowBuffer&&) = delete;

  // One row: the cells of `row`, then those of `rest`; together one per column, held or not. Cells
  // are read as ColumnAppender does; text is copied (unless borrowed), and made UTF-8 when it is
  // not. Not between SortBy and Clear.
  void Append(std::span<const view::Cell> row, std::span<const view::Cell> rest = {});
  // SQL reads the rows appended so far in this order from now on: ascending, nulls last.
  // kInvalidArgument when a column is not held.
  Status SortBy(std::span<const std::string> columns);
  // Forgets all rows and keeps the memory for the next.
  void Clear();
  // The same, but keeps memory for a few rows alone.
  void Shrink();

  int64_t rows() const;
  int64_t bytes() const;  // taken by the rows appended since Clear
  // The relation: "row_buffer(7)", typed as SqlType says. A scan is one thread's, so that the order
  // holds.
  std::string sql() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vitalake::engine
