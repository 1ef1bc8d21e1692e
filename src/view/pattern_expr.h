// matches(), matchesFull(), replaceMatches(): regular expressions, compiled with the view.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "view/expr.h"

namespace vitalake::view {

enum class PatternJob : uint8_t { kSearch, kFull, kReplace };

// The pattern, arguments[0], must be a literal; '.' matches line ends too. kInvalidArgument when it
// is none or is no ECMAScript regular expression. Running takes time linear in the text.
Result<std::unique_ptr<Expr>> MakePattern(PatternJob job, std::unique_ptr<Expr> input,
                                          std::vector<ExprPtr> arguments);

}  // namespace vitalake::view
