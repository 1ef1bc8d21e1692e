// What the terminal behind a file descriptor can do.
#pragma once

#include <string>
#include <string_view>

namespace vitalake::cli {

struct Terminal {
  bool is_terminal = false;
  bool colour = false;  // a terminal, and neither NO_COLOR is set nor TERM is "dumb"
  int width = 80;       // columns
};

// Of descriptor 1 (standard output) or 2 (standard error).
Terminal DetectTerminal(int descriptor);

enum class Colour { kBold, kDim, kRed, kGreen, kYellow, kBlue, kCyan };

// `text` in that colour, or as it is when the terminal has none.
std::string Paint(const Terminal& terminal, Colour colour, std::string_view text);

// Columns a UTF-8 text takes: one per code point (none of ours is wider).
size_t DisplayWidth(std::string_view text);

}  // namespace vitalake::cli
