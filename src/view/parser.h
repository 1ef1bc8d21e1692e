// Parser: FHIRPath text into an Expr.
// Source: FHIRPath 2.0, grammar (https://hl7.org/fhirpath/N1/grammar.html).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "view/expr.h"

namespace vitalake::view {

struct Constant {
  std::string text;  // what item.text refers to; see Constants
  Item item;
};
// By name. An entry's item.text must refer to its own text.
using Constants = std::map<std::string, Constant, std::less<>>;

struct Path {
  std::unique_ptr<const Expr> expr;
  bool uses_row_index = false;
};

// kInvalidArgument: bad syntax, unknown function or constant, wrong number of arguments. The
// message tells the character.
Result<Path> ParsePath(std::string_view expression, const Constants& constants);

}  // namespace vitalake::view
