// The members of an Observation that Assess looks at, gathered in one pass.
#pragma once

#include <string_view>

#include "base/json_tree.h"
#include "base/symbols.h"

namespace vitalake::clinical {

// The symbols of the members. Made before main, so that every text parsed has them.
struct PartSymbols {
  Symbol resource_type, id, status, category, code, coding, system, subject, reference, identifier,
      value, unit, comparator, component, data_absent_reason, effective_date_time,
      effective_instant, effective_period, effective_timing, start, end, event, value_quantity;

  static const PartSymbols& Get();
};

// Null where absent. Of a component only code and what follows.
struct ObservationParts {
  explicit ObservationParts(JsonValue object);

  JsonValue id, status, category, subject, component;
  JsonValue effective;        // the value of effective[x]
  Symbol effective_name = 0;  // which of them
  JsonValue code, quantity, absent_reason;
  JsonValue other_value;  // a value[x] that is no Quantity
  bool has_value() const { return quantity || other_value; }
};

// The text of a string member; "" when absent or no string.
std::string_view TextOf(JsonValue object, Symbol member);

// Calls each(item) for the items of an array, or for the one value that stands for it.
template <class Each>
void ForEachItem(JsonValue value, Each each) {
  if (!value) return;
  if (!value.is_array()) return each(value);
  for (const JsonValue item : value.children()) each(item);
}

}  // namespace vitalake::clinical
