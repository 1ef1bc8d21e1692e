// PostgreSQL's system catalogue over the engine's: views, macros and types from catalog/*.sql.
#pragma once

#include <string>

#include "base/result.h"
#include "engine/engine.h"
#include "engine/sql_session.h"

namespace vitalake::serve {

// Makes them in a database of their own. Returns where they are, for PostgresSqlOptions. Once per
// engine.
Result<std::string> InstallPostgresCatalog(engine::Engine& engine);

// How the session of a PostgreSQL client is opened.
engine::SqlOptions PostgresSqlOptions(const std::string& built_ins, engine::Engine& held_engine);

}  // namespace vitalake::serve
