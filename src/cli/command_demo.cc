#include <signal.h>

#include "cli/command.h"
#include "cli/demo.h"
#include "cli/signals.h"

namespace vitalake::cli {
namespace {

Result<int> RunDemo(Context& context, const DemoOptions& options) {
  Status done = Demo(context, options).Run();
  if (done) return kExitDone;
  const Error& error = done.error();
  if (error.kind == ErrorKind::kDeadline) {
    Say("vitalake: the demo's time is up; what is in the lake is whole");
    return kExitDone;
  }
  if (error.kind == ErrorKind::kCancelled && Signals::Install().received() == SIGTERM) {
    Say("vitalake: demo ended");
    return kExitDone;
  }
  return std::unexpected(error);
}

}  // namespace

void AddDemoCommand(CommandLine& line) {
  auto options = std::make_shared<DemoOptions>();
  CLI::App* command =
      line.Add(nullptr, "demo", "A lake with sample patients and two weeks of their readings",
               [options](Context& context) { return RunDemo(context, *options); });
  command->add_option("--patients", options->patients, "How many sample patients [200]")
      ->type_name("N")
      ->check(CLI::Range(int64_t{1}, int64_t{1'000'000}));
  command->add_option("--seconds", options->seconds, "End after this time at the latest [no limit]")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  command->add_flag_function(
      "--no-serve", [](int64_t) {}, "Serve nothing (this version serves nothing yet)");
  AddExamples(command, {"demo", "--lake ./demo-lake demo --patients 50"});
}

}  // namespace vitalake::cli
