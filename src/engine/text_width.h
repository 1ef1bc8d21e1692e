// How wide a text is on a terminal.
#pragma once

#include <string>
#include <string_view>

namespace vitalake::engine {

// Columns `text` (UTF-8) takes: 0 for combining marks, 2 for East Asian wide characters and emoji,
// 1 for all else (a byte that is no UTF-8 counts 1).
size_t DisplayWidth(std::string_view text);

// `text`, or its beginning with "…" behind it so that it takes at most `width` columns. width 0:
// no limit.
std::string CutToWidth(std::string_view text, size_t width);

}  // namespace vitalake::engine
