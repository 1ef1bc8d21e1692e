// FHIRPath functions as expressions: the functions of FHIRPath 2.0, FHIR's and SQL on FHIR's own.
// Not there: what needs a clock (now, today), a server (resolve, memberOf, conformsTo) or unit
// arithmetic. trace() passes its input on and writes nothing.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "view/expr.h"

namespace vitalake::view {

// How a function is called.
struct FunctionShape {
  size_t min_arguments = 0;
  size_t max_arguments = 0;
  bool takes_type = false;  // its argument is a type name, not an expression
};

// Null when there is no such function.
const FunctionShape* FindFunction(std::string_view name);

// `type` is the type argument, empty when none was given. kInvalidArgument for an argument that can
// be seen to be wrong without data (a bad regular expression).
Result<std::unique_ptr<Expr>> MakeFunction(std::string_view name, std::unique_ptr<Expr> input,
                                           std::vector<ExprPtr> arguments, std::string_view type);

// A function of one item and single arguments. False: empty, or env.failed().
using ScalarFunction = bool (*)(Env& env, const Item& input, std::span<const Item> arguments,
                                Item& out);
struct ScalarEntry {
  std::string_view name;
  FunctionShape shape;
  ScalarFunction function;
  StaticKind kind;
};
std::span<const ScalarEntry> TextFunctions();
std::span<const ScalarEntry> NumberFunctions();
std::span<const ScalarEntry> ConversionFunctions();

// A function of a whole collection, and maybe of a second one.
using CollectionFunction = bool (*)(Env& env, Items items, const Items& argument, Sink sink);
struct CollectionEntry {
  std::string_view name;
  FunctionShape shape;
  CollectionFunction function;
  StaticKind kind;
};
std::span<const CollectionEntry> CollectionFunctions();

// The id at the end of a literal reference ("Patient/x", absolute, with or without /_history/n);
// empty for others ("#x", "urn:uuid:...", "Patient?...") and when `type` is given and differs.
std::string_view ReferenceKey(std::string_view reference, std::string_view type);

}  // namespace vitalake::view
