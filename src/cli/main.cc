#include "cli/command.h"
#include "cli/signals.h"

int main(int argc, char** argv) {
  using namespace vitalake::cli;
  Signals& signals = Signals::Install();
  CommandLine line;
  AddAllCommands(line);
  return line.Run(argc, argv, signals.stop());
}
