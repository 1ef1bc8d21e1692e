#include "lake/query_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "engine/sql_functions.h"

namespace vitalake::lake {

Result<std::unique_ptr<engine::Engine>> OpenQueryEngine(Lake& lake) {
  constexpr int64_t kLeast = 64 << 20;
  engine::EngineOptions options = lake.engine().options();
  options.memory_bytes = std::max(kLeast, lake.options().memory_bytes / 4);
  VL_TRY(auto opened, engine::Engine::Open(options));
  VL_TRY(engine::Connection connection, opened->Connect());
  VL_RETURN_IF_ERROR(engine::RegisterSqlFunctions(connection));
  std::error_code failed;
  const auto root = std::filesystem::absolute(lake.options().location, failed);
  if (failed) {
    return Fail(ErrorKind::kIo, fmt::format("cannot find {}", lake.options().location));
  }
  const std::string allowed = fmt::format("[{}, {}]", engine::QuoteLiteral(root.string() + "/"),
                                          engine::QuoteLiteral(lake.options().location + "/"));
  // Statements are checked before they run; this holds even where that has a gap.
  VL_TRY([[maybe_unused]] auto done,
         connection.Execute(fmt::format("SET GLOBAL allowed_directories = {}; "
                                        "SET GLOBAL enable_external_access = false",
                                        allowed)));
  return opened;
}

}  // namespace vitalake::lake
