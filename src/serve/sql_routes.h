// POST /sql: a SELECT over the lake.
#pragma once

#include "serve/http/routes.h"
#include "serve/query_desk.h"

namespace vitalake::serve {

struct SqlLimits {
  int64_t parquet_bytes = 1 << 30;  // of a file, which is made whole before it is sent
};

// The desk must outlive the server's requests.
void AddSqlRoutes(Routes& routes, QueryDesk& desk, const SqlLimits& limits = {});

}  // namespace vitalake::serve
