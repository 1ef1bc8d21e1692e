// POST /ingest and its aliases: FHIR in, an answer once it is durable.
#pragma once

#include <string>
#include <vector>

#include "ingest/post_box.h"
#include "serve/http/routes.h"

namespace vitalake::serve {

// A stream that takes posts; the box must outlive the server's requests.
struct Intake {
  std::string stream;
  ingest::PostBox* box = nullptr;
};

// Most bytes of a body: as sent, and without its compression.
inline constexpr int64_t kIngestBytes = 16 << 20;
inline constexpr int64_t kIngestPlainBytes = 64 << 20;

// Adds POST /ingest, /ingest/{stream}, /fhir, /fhir/Observation and /fhir/Patient. The first intake
// is the default one; without any the routes answer 404.
void AddIngestRoutes(Routes& routes, std::vector<Intake> intakes);

}  // namespace vitalake::serve
