// Timestamps as logs, partition values and SQL literals write them. For this module alone.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"

namespace vitalake::engine {

// "2026-11-22", "2026-11-22 17:00:00[.fraction]", with T or a space, and nothing, Z or an offset
// (+hh, +hh:mm, -hhmm) behind; without one it is UTC. A fraction past six digits is cut. nullopt
// for anything else.
std::optional<Micros> ParseTimestampText(std::string_view text);

}  // namespace vitalake::engine
