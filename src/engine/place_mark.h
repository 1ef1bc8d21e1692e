// The mark under a place of a statement, as the engine's own errors have it.
#pragma once

#include <string>
#include <string_view>

namespace vitalake::engine {

// "\n\nLINE 2:   nam\n          ^" for a byte of the statement; of a long line the part around it,
// with "..." for what is left out. The mark counts characters.
std::string PlaceMark(std::string_view sql, size_t byte);

}  // namespace vitalake::engine
