// Text for DuckDB, which trusts its vectors to hold UTF-8. For this module alone.
#pragma once

#include <string>
#include <string_view>

namespace vitalake::engine {

// `text` when it is UTF-8; else a copy in `scratch` with U+FFFD for each bad byte.
std::string_view CleanText(std::string_view text, std::string& scratch);

}  // namespace vitalake::engine
