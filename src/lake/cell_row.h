// CellRow: one row of cells, built value by value. Texts must live until the row is appended.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "view/view.h"

namespace vitalake::lake {

class CellRow {
 public:
  CellRow& Null() {
    cells_.emplace_back();
    return *this;
  }
  CellRow& Text(std::string_view text) {
    view::Cell& cell = cells_.emplace_back();
    cell.is_null = false;
    cell.text = text;
    return *this;
  }
  // Null when empty.
  CellRow& TextOrNull(std::string_view text) { return text.empty() ? Null() : Text(text); }
  // Integers, days and microseconds alike.
  CellRow& Int(std::optional<int64_t> value) {
    view::Cell& cell = cells_.emplace_back();
    cell.is_null = !value.has_value();
    cell.integer = value.value_or(0);
    return *this;
  }
  CellRow& Double(std::optional<double> value) {
    view::Cell& cell = cells_.emplace_back();
    cell.is_null = !value.has_value();
    cell.number = value.value_or(0);
    return *this;
  }
  CellRow& Bool(bool value) {
    view::Cell& cell = cells_.emplace_back();
    cell.is_null = false;
    cell.boolean = value;
    return *this;
  }
  std::span<const view::Cell> cells() const { return cells_; }
  void Clear() { cells_.clear(); }

 private:
  std::vector<view::Cell> cells_;
};

}  // namespace vitalake::lake
