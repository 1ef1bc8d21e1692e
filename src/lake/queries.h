// SQL over a lake, for people: the session behind `vitalake sql` and the table commands.
#pragma once

#include <memory>

#include "base/result.h"
#include "engine/sql_session.h"
#include "lake/lake.h"

namespace vitalake::lake {

// A session that knows every table and view of the lake. One per thread; must not outlive the lake.
Result<std::unique_ptr<engine::SqlSession>> OpenSqlSession(Lake& lake);
// The same in another engine, whose functions are registered (engine/sql_functions.h).
Result<std::unique_ptr<engine::SqlSession>> OpenSqlSession(Lake& lake, engine::Engine& engine,
                                                           engine::SqlOptions options);

// Engines for statements of clients: with memory of their own, so that what they ask for takes none
// from taking in, and without a way to files outside the lake.
struct ReadingEngines {
  std::unique_ptr<engine::Engine> tables;
  std::unique_ptr<engine::Engine> held;  // of one thread, for SqlOptions::held_engine
};
// The memory is that of both; each gets at least 16 MiB.
Result<ReadingEngines> OpenReadingEngines(Lake& lake, int64_t memory_bytes);

}  // namespace vitalake::lake
