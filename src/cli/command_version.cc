#include <fmt/format.h>

#include "base/json_writer.h"
#include "cli/command.h"

namespace vitalake::cli {
namespace {

Result<int> Version(Context& context) {
  VL_TRY(auto engine, engine::Engine::Open());
  VL_TRY(engine::Connection connection, engine->Connect());
  VL_TRY(std::string duckdb, connection.Scalar("SELECT version()"));
  if (context.json()) {
    JsonWriter writer;
    writer.BeginObject().Key("vitalake").String(VITALAKE_VERSION).Key("duckdb").String(duckdb);
    writer.Key("compiler").String(__VERSION__).EndObject();
    VL_RETURN_IF_ERROR(WriteStdout(writer.Take() + "\n"));
  } else {
    VL_RETURN_IF_ERROR(WriteStdout(fmt::format("vitalake {}\nDuckDB {}, built with g++ {}\n",
                                               VITALAKE_VERSION, duckdb, __VERSION__)));
  }
  return kExitDone;
}

}  // namespace

void AddVersionCommand(CommandLine& line) {
  CLI::App* command =
      line.Add(nullptr, "version", "Versions of this program and its engine", Version);
  AddExamples(command, {"version --json"});
}

}  // namespace vitalake::cli
