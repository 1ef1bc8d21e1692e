// FHIRPath operators as expressions.
// Source: FHIRPath 2.0, Operations.
#pragma once

#include <memory>
#include <string_view>

#include "view/expr.h"

namespace vitalake::view {

enum class Operator : uint8_t {
  kMultiply,
  kDivide,
  kDiv,
  kMod,
  kAdd,
  kSubtract,
  kConcatenate,
  kUnion,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kEqual,
  kNotEqual,
  kEquivalent,
  kNotEquivalent,
  kIn,
  kContains,
  kAnd,
  kOr,
  kXor,
  kImplies,
};

std::unique_ptr<Expr> MakeOperator(Operator op, std::unique_ptr<Expr> left,
                                   std::unique_ptr<Expr> right);
// `=`, or `!=` when negated.
std::unique_ptr<Expr> MakeEqual(ExprPtr left, ExprPtr right, bool negated = false);
// -x
std::unique_ptr<Expr> MakeNegation(ExprPtr input);
// input[index]; [0] is first().
std::unique_ptr<Expr> MakeIndexer(std::unique_ptr<Expr> input, ExprPtr index);
// first(). A path is shortened in place.
std::unique_ptr<Expr> MakeFirst(std::unique_ptr<Expr> input);
// `is` and is(): empty when there is no item, a fault when there are several.
std::unique_ptr<Expr> MakeIs(ExprPtr input, std::string_view type);
// ofType() and, with `single`, `as` and as(). A path is narrowed in place.
std::unique_ptr<Expr> MakeOfType(std::unique_ptr<Expr> input, std::string_view type, bool single);

// Whether `items` holds one equal to `item`.
bool Holds(const Items& items, const Item& item);

}  // namespace vitalake::view
