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
  CLI::App* command = line.Add(
      nullptr, "demo", "A lake with sample patients, their readings and a live stream with alerts",
      [options](Context& context) { return RunDemo(context, *options); });
  command->add_option("--patients", options->patients, "How many sample patients [200]")
      ->type_name("N")
      ->check(CLI::Range(int64_t{1}, int64_t{1'000'000}));
  command->add_option("--rate", options->rate, "New readings a second [50]")
      ->type_name("N")
      ->check(CLI::Range(int64_t{1}, int64_t{10'000}));
  command->add_option("--port", options->port, "Of the HTTP server on this machine [8080]")
      ->type_name("N")
      ->check(CLI::Range(int64_t{0}, int64_t{65'535}));
  command
      ->add_option_function<int64_t>(
          "--postgres-port",
          [options](const int64_t& port) {
            options->postgres_port = port;
            options->postgres_port_asked_for = true;
          },
          "Of the PostgreSQL server on this machine [5439]")
      ->type_name("N")
      ->check(CLI::Range(int64_t{0}, int64_t{65'535}));
  command->add_option("--seconds", options->seconds, "End after this time [until it is stopped]")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  command->add_flag_function(
      "--no-serve", [options](int64_t) { options->serve = false; },
      "Serve nothing over HTTP and the PostgreSQL protocol");
  AddExamples(command, {"demo", "--lake ./demo-lake demo --patients 50"});
}

}  // namespace vitalake::cli
