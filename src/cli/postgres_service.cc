#include "cli/postgres_service.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "lake/queries.h"
#include "serve/postgres_catalog.h"

namespace vitalake::cli {
namespace {

constexpr std::chrono::seconds kPostgresPatience{10};
constexpr int64_t kLeastStatementMemory = 64 << 20;
constexpr int64_t kPostgresShare = 4;  // of the process's memory one part in so many

}  // namespace

Result<std::unique_ptr<PostgresService>> PostgresService::Open(lake::Lake& lake, Metrics& metrics,
                                                               const PostgresSetup& setup) {
  std::unique_ptr<PostgresService> service(new PostgresService());
  VL_TRY(service->engine_,
         lake::OpenReadingEngine(
             lake, std::max(kLeastStatementMemory, lake.options().memory_bytes / kPostgresShare)));
  VL_TRY(const std::string built_ins, serve::InstallPostgresCatalog(*service->engine_));
  engine::Engine& engine = *service->engine_;
  VL_TRY(service->server_,
         serve::PostgresServer::Open(
             setup.options,
             [&lake, &engine, built_ins] {
               return lake::OpenSqlSession(lake, engine, serve::PostgresSqlOptions(built_ins));
             },
             lake.clock(),
             [&metrics](int64_t open) {
               metrics.Gauge("vitalake_postgres_sessions", "PostgreSQL clients that are connected.")
                   .Set(static_cast<double>(open));
             }));
  service->server_->Start();
  log::Info("postgres: listening at {}", service->server_->address());
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
