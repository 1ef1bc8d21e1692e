// UTF-8 made valid, for bytes of unknown origin that must be shown or stored as text.
#pragma once

#include <string>
#include <string_view>

namespace vitalake {

// `bytes` with every byte that belongs to no well-formed sequence replaced by U+FFFD, and NUL too.
std::string ValidUtf8(std::string_view bytes);

// Whether all of it is well-formed UTF-8 without NUL. Cost: about 0.1 ns a byte.
bool IsValidUtf8(std::string_view bytes);

}  // namespace vitalake
