// RowList: a few rows made here, given out like those of a query.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitalake::cli {

// One cell: text that its column's type can be cast from; nullopt is NULL.
using RowCell = std::optional<std::string>;

class RowList {
 public:
  struct Column {
    std::string name;
    std::string type = "VARCHAR";  // as SQL writes it
  };

  explicit RowList(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as there are columns.
  void Add(std::vector<RowCell> cells);
  bool empty() const { return rows_.empty(); }

  // A SELECT that gives the rows in order.
  std::string ToSql() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<RowCell>> rows_;
};

// A count as a cell.
RowCell Cell(int64_t value);

}  // namespace vitalake::cli
