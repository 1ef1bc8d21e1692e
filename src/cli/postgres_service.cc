#include "cli/postgres_service.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "lake/queries.h"
#include "serve/postgres/catalog.h"

namespace vitalake::cli {
namespace {

constexpr std::chrono::seconds kPostgresPatience{10};
constexpr int64_t kLeastStatementMemory = 64 << 20;

std::string NameOf(serve::PostgresOutcome outcome) {
  switch (outcome) {
    case serve::PostgresOutcome::kAnswered:
      return "answered";
    case serve::PostgresOutcome::kFailed:
      return "failed";
    case serve::PostgresOutcome::kCancelled:
      return "cancelled";
    case serve::PostgresOutcome::kTimedOut:
      return "timed_out";
  }
  return "failed";
}

serve::PostgresHooks HooksOf(Metrics& metrics) {
  return {
      .sessions =
          [&metrics](int64_t open) {
            metrics.Gauge("vitalake_postgres_sessions", "PostgreSQL clients that are connected.")
                .Set(static_cast<double>(open));
          },
      .statement =
          [&metrics](serve::PostgresOutcome outcome, std::chrono::nanoseconds time, int64_t rows) {
            metrics
                .Counter("vitalake_postgres_statements_total",
                         "Statements over the PostgreSQL protocol, by how they ended.",
                         {{"outcome", NameOf(outcome)}})
                .Add();
            metrics
                .Histogram("vitalake_postgres_statement_duration_seconds",
                           "Time of a statement over the PostgreSQL protocol, until its last "
                           "row is handed to the client.",
                           DurationBounds())
                .Observe(std::chrono::duration<double>(time).count());
            metrics
                .Counter("vitalake_postgres_rows_total", "Rows given over the PostgreSQL protocol.")
                .Add(rows);
          }};
}

}  // namespace

Result<std::unique_ptr<PostgresService>> PostgresService::Open(lake::Lake& lake, Metrics& metrics,
                                                               const PostgresSetup& setup) {
  std::unique_ptr<PostgresService> service(new PostgresService());
  VL_TRY(service->engines_,
         lake::OpenReadingEngines(
             lake,
             std::max(kLeastStatementMemory, lake::MemoryShare::Of(lake.options().memory_bytes,
                                                                   lake::MemoryShare::kPostgres))));
  const lake::ReadingEngines& engines = service->engines_;
  VL_TRY(const std::string built_ins, serve::InstallPostgresCatalog(*engines.tables));
  VL_TRY([[maybe_unused]] const std::string same, serve::InstallPostgresCatalog(*engines.held));
  VL_TRY(service->server_, serve::PostgresServer::Open(
                               setup.options,
                               [&lake, &engines, built_ins] {
                                 return lake::OpenSqlSession(
                                     lake, *engines.tables,
                                     serve::PostgresSqlOptions(built_ins, *engines.held));
                               },
                               lake.clock(), HooksOf(metrics)));
  service->server_->Start();
  log::Info("postgres: listening at {}", service->server_->address());
  if (setup.on_listen) setup.on_listen(service->server_->address());
  return service;
}

void PostgresService::Drain() { server_->Drain(kPostgresPatience); }

Result<std::unique_ptr<PostgresService>> OpenPostgres(lake::Lake& lake, Metrics& metrics,
                                                      const std::optional<PostgresSetup>& setup) {
  if (!setup) return nullptr;
  auto opened = PostgresService::Open(lake, metrics, *setup);
  if (opened) return opened;
  Error error = std::move(opened).error();
  error.context.push_back("serve.postgres");
  if (setup->asked_for || error.kind != ErrorKind::kAlreadyExists) {
    return std::unexpected(std::move(error));
  }
  log::Warn("nothing is served over the PostgreSQL protocol: {}", error.ToString());
  return nullptr;
}

}  // namespace vitalake::cli
