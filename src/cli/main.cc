#include <malloc.h>

#include <algorithm>

#include "base/parallel.h"
#include "cli/command.h"
#include "cli/signals.h"

int main(int argc, char** argv) {
  using namespace vitalake::cli;
  // The allocator keeps what was freed for the threads of each arena; by default there are eight
  // for each core.
  mallopt(M_ARENA_MAX, std::max(2, vitalake::MachineThreads()));
  Signals& signals = Signals::Install();
  CommandLine line;
  AddAllCommands(line);
  return line.Run(argc, argv, signals.stop());
}
