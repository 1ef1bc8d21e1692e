// Limits of what one value of a statement may be.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/engine.h"

namespace vitalake::engine {

// A value is made in one go, in memory that the engine's limit does not count, and no deadline
// reaches into it. Makes range, generate_series (as lists; in FROM they are something else),
// list_resize, array_resize, repeat, lpad, rpad, bitstring, printf and format fail with
// kInvalidArgument, "too many ...", past a million items or 100 million characters (of printf and
// format, what the widths and the longest argument may come to); lpad and rpad pad with spaces when
// not told with what, and printf and format take up to 16 arguments. Returns where they are, for
// SqlOptions::built_ins. Once for an engine.
Result<std::string> InstallValueLimits(Engine& engine);

// Whether a function (in lower case) is one of those: with its schema before it, it is without.
bool HasValueLimit(std::string_view function);

}  // namespace vitalake::engine
