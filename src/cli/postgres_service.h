// PostgresService: the lake over the PostgreSQL protocol.
#pragma once

#include <memory>

#include "base/metrics.h"
#include "base/result.h"
#include "cli/run_settings.h"
#include "lake/lake.h"
#include "lake/queries.h"
#include "serve/postgres/server.h"

namespace vitalake::cli {

class PostgresService {
 public:
  // Listens and answers from now on; the address is logged. What serve::PostgresServer::Open says.
  static Result<std::unique_ptr<PostgresService>> Open(lake::Lake& lake, Metrics& metrics,
                                                       const PostgresSetup& setup);
  // Answers what is under way and ends.
  void Drain();

 private:
  PostgresService() = default;

  lake::ReadingEngines engines_;
  std::unique_ptr<serve::PostgresServer> server_;  // goes before its engines
};

// The same, but null where it is off, or where the port is taken that nobody asked for: that is
// logged.
Result<std::unique_ptr<PostgresService>> OpenPostgres(lake::Lake& lake, Metrics& metrics,
                                                      const std::optional<PostgresSetup>& setup);

}  // namespace vitalake::cli
