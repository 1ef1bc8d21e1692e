// From a FHIRPath item to a table cell.
#pragma once

#include <string>

#include "view/expr.h"
#include "view/view.h"

namespace vitalake::view {

// Fills `cell` from the single value of a column. False after env.Fail when the value is not of the
// column's type. Dates and timestamps: null when the text is none.
bool FillCell(const ColumnSpec& column, const Item& item, Env& env, Cell& cell);

// Appends the item as JSON: objects whole, numbers as written.
void AppendJson(const Item& item, std::string& out);

}  // namespace vitalake::view
