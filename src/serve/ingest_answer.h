// What a client of POST /ingest is told.
#pragma once

#include <string>

#include "ingest/post_box.h"
#include "serve/http/message.h"

namespace vitalake::serve {

// 202 with position, counts and an OperationOutcome; or 422, 429, 503. `path` is the request's.
Response IngestAnswer(const ingest::PostAnswer& answer, const std::string& path);

}  // namespace vitalake::serve
