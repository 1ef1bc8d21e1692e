// HeldValues: what stands in a statement for its parameters, so that it is planned once.
//
// DuckDB plans a statement with parameters anew each time it is run; one that calls functions for
// them it does not: held_text(1234, 1).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"

namespace vitalake::engine {

// Not thread-safe; while a statement runs its values must stay. Others cannot guess its number.
class HeldValues {
 public:
  HeldValues();
  ~HeldValues();
  HeldValues(HeldValues&&) = delete;
  HeldValues& operator=(HeldValues&&) = delete;

  // Whether all values can be held: NULL has no type.
  static bool CanHold(const std::vector<Parameter>& values);
  // `$1`, `$2`, ... in statements of `Text` mean these from now on.
  void Set(std::vector<Parameter> values);
  // What stands for the value of `$place`, one of those set.
  std::string Sql(size_t place) const;
  // The statement with functions for `$n`, of the types that the values have now. `sql` has no `$`
  // but those.
  std::string Text(std::string_view sql) const;

 private:
  const int64_t number_;
  std::vector<Parameter> values_;
};

// Makes the functions known to all connections of `connection`'s engine.
Status RegisterHeldValues(Connection& connection);

}  // namespace vitalake::engine
