#include "serve/postgres/catalog.h"

#include <span>

#include "base/embedded.h"
#include "engine/value_limits.h"

namespace vitalake::embedded {
std::span<const EmbeddedFile> catalog();
}  // namespace vitalake::embedded

namespace vitalake::serve {

Result<std::string> InstallPostgresCatalog(engine::Engine& engine) {
  VL_TRY(const std::string limits, engine::InstallValueLimits(engine));
  VL_TRY(engine::Connection connection, engine.Connect());
  VL_TRY([[maybe_unused]] auto made,
         connection.Execute("ATTACH ':memory:' AS postgres; CREATE SCHEMA postgres.pg; "
                            "CREATE SCHEMA postgres.info; "
                            "USE postgres.pg"));
  for (const EmbeddedFile& file : embedded::catalog()) {
    auto done = connection.Execute(std::string(file.text));
    if (!done) return Because(std::move(done).error(), std::string(file.name));
  }
  return "postgres.pg," + limits;
}

engine::SqlOptions PostgresSqlOptions(const std::string& built_ins, engine::Engine& held_engine) {
  return {.dialect = engine::SqlDialect::kPostgres,
          .files = false,
          .built_ins = built_ins,
          .held_engine = &held_engine};
}

}  // namespace vitalake::serve
