// Lines a person types into the SQL shell.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

namespace vitalake::cli {

enum class LineEvent {
  kLine,
  kInterrupt,  // Ctrl-C: the line is thrown away
  kEnd,        // Ctrl-D, the end of a piped input, or a stop request
};

struct InputLine {
  LineEvent event = LineEvent::kEnd;
  std::string text;  // without its line end
};

// Not thread-safe, but Interrupt may come from any thread.
class ShellInput {
 public:
  virtual ~ShellInput() = default;
  virtual InputLine ReadLine(const std::string& prompt) = 0;
  // Keeps a statement for the arrow keys and the next session.
  virtual void Remember(const std::string& statement) = 0;
  // Ctrl-C arrived while a line is read: ReadLine gives kInterrupt (or kEnd after a stop request).
  virtual void Interrupt() = 0;
};

// With line editing and a history file when standard input is a terminal, else plain lines.
std::unique_ptr<ShellInput> OpenShellInput(std::stop_token stop);

// $XDG_STATE_HOME/vitalake/history, else ~/.local/state/vitalake/history; "" when
// there is no home. The folder is made.
std::string HistoryFile();

}  // namespace vitalake::cli
