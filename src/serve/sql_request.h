// SqlRequest: what a client asks POST /sql for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "engine/result_format.h"
#include "serve/http/message.h"

namespace vitalake::serve {

struct SqlRequest {
  std::string query;
  std::vector<engine::Parameter> parameters;
  engine::ResultFormat format = engine::ResultFormat::kJson;
  std::optional<int64_t> limit;
};

// "application/x-ndjson" for kNdjson.
std::string_view MediaTypeOf(engine::ResultFormat format);

// The body's members; without `format`, the Accept header chooses. kInvalidArgument names what is
// wrong with them.
Result<SqlRequest> ReadSqlRequest(const Request& request);

}  // namespace vitalake::serve
