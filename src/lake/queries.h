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

// An engine for statements of clients: with memory of its own, so that what they ask for takes none
// from taking in, and without a way to files outside the lake.
Result<std::unique_ptr<engine::Engine>> OpenReadingEngine(Lake& lake, int64_t memory_bytes);

}  // namespace vitalake::lake
