// Limits of what one value of a statement may be.
#pragma once

#include <string>

#include "base/result.h"
#include "engine/engine.h"

namespace vitalake::engine {

// A value is made in one go, in memory that the engine's limit does not count, and no deadline
// reaches into it. Makes range, generate_series (as lists; in FROM they are something else) and
// repeat fail with kInvalidArgument, "too many ...", past a million items or 100 million
// characters. Returns where they are, for SqlOptions::built_ins. Once for an engine.
Result<std::string> InstallValueLimits(Engine& engine);

}  // namespace vitalake::engine
