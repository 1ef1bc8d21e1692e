#include "cli/row_list.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/utf8.h"
#include "engine/engine.h"

namespace vitalake::cli {

void RowList::Add(std::vector<RowCell> cells) {
  VL_CHECK(cells.size() == columns_.size());
  rows_.push_back(std::move(cells));
}

std::string RowList::ToSql() const {
  std::string sql = "SELECT ";
  std::string names = "(_n";
  for (size_t i = 0; i < columns_.size(); ++i) {
    std::string name = engine::QuoteName(columns_[i].name);
    sql += fmt::format("{}CAST({} AS {}) AS {}", i ? ", " : "", name, columns_[i].type, name);
    names += ", " + name;
  }
  sql += " FROM (VALUES ";
  size_t row_number = 0;
  for (const std::vector<RowCell>& row : rows_) {
    sql += fmt::format("{}({}", row_number ? ", " : "", row_number);
    ++row_number;
    for (const RowCell& cell : row) {
      sql += cell ? ", " + engine::QuoteLiteral(ValidUtf8(*cell)) : ", NULL";
    }
    sql += ")";
  }
  if (rows_.empty()) {
    sql += "(0";
    for (size_t i = 0; i < columns_.size(); ++i) sql += ", NULL";
    sql += ")";
  }
  return sql + ") AS t" + names + ")" + (rows_.empty() ? " WHERE false" : " ORDER BY _n");
}

RowCell Cell(int64_t value) { return fmt::format("{}", value); }

}  // namespace vitalake::cli
