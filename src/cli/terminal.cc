#include "cli/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

#include "base/utf8.h"

namespace vitalake::cli {

Terminal DetectTerminal(int descriptor) {
  Terminal terminal;
  terminal.is_terminal = isatty(descriptor) == 1;
  const char* no_colour = std::getenv("NO_COLOR");
  const char* name = std::getenv("TERM");
  bool dumb = !name || std::string_view(name) == "dumb";
  terminal.colour = terminal.is_terminal && !dumb && (!no_colour || *no_colour == 0);
  winsize size{};
  if (terminal.is_terminal && ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    terminal.width = size.ws_col;
  }
  return terminal;
}

std::string Paint(const Terminal& terminal, Colour colour, std::string_view text) {
  if (!terminal.colour) return std::string(text);
  constexpr const char* kCodes[] = {"1", "2", "31", "32", "33", "34", "36"};
  return fmt::format("\x1b[{}m{}\x1b[0m", kCodes[static_cast<size_t>(colour)], text);
}

size_t DisplayWidth(std::string_view text) { return static_cast<size_t>(CharactersIn(text)); }

}  // namespace vitalake::cli
