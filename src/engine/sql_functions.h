// The functions of `clinical`, callable from SQL.
#pragma once

#include "base/result.h"
#include "engine/engine.h"

namespace vitalake::engine {

// Makes them known to all connections of `connection`'s engine. Once per engine; about 1 ms.
Status RegisterSqlFunctions(Connection& connection);

}  // namespace vitalake::engine
