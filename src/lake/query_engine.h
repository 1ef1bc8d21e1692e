// An engine for other people's queries over a lake, apart from the one that ingestion works with.
#pragma once

#include <memory>

#include "base/result.h"
#include "engine/engine.h"
#include "lake/lake.h"

namespace vitalake::lake {

// It takes a quarter of the process's memory, spills beside the lake's own, has the lake's SQL
// functions, and opens no files but the lake's. Must not outlive the lake. kIo.
Result<std::unique_ptr<engine::Engine>> OpenQueryEngine(Lake& lake);

}  // namespace vitalake::lake
