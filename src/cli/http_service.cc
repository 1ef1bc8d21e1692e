#include "cli/http_service.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "base/json_writer.h"
#include "base/log.h"
#include "serve/alert_routes.h"
#include "serve/dashboard_routes.h"
#include "serve/fhir/routes.h"
#include "serve/http/open_api.h"
#include "serve/ingest_routes.h"
#include "serve/ledger_routes.h"
#include "serve/login_routes.h"
#include "serve/settings_routes.h"
#include "serve/sql_routes.h"
#include "serve/status_routes.h"
#include "serve/table_routes.h"

namespace vitalake::cli {
namespace {

constexpr std::chrono::milliseconds kLookEvery{500}, kLookPatience{2'000};
constexpr std::chrono::seconds kDrainPatience{10};

// A connection is an open file, and shells let a program have 1,024: as many as it may ask for.
void AllowManyFiles() {
  rlimit files = {};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == files.rlim_max) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

void CountRequest(Metrics& metrics, const serve::RequestDone& done) {
  const std::string route = done.route.empty() ? "none" : done.route;
  // What clients send as a method is theirs; as a label it must not grow.
  const std::string method = done.route.empty() ? "" : done.method;
  metrics
      .Counter("vitalake_http_requests_total", "HTTP requests answered.",
               {{"route", route}, {"method", method}, {"status", fmt::to_string(done.status)}})
      .Add();
  metrics
      .Histogram("vitalake_http_request_duration_seconds",
                 "Time from a request's header to the end of its answer.", DurationBounds(),
                 {{"route", route}})
      .Observe(done.seconds);
  if (done.whole) return;
  metrics
      .Counter("vitalake_http_answers_cut_total",
               "Answers in pieces that did not come to their end: an error, a client that left or "
               "was too slow.",
               {{"route", route}})
      .Add();
}

}  // namespace

std::vector<serve::HealthCheck> LakeChecks(lake::Lake& lake) {
  return {{"lake",
           [&lake](const Wait&) -> Status {
             VL_TRY(const auto names, lake.store().ListFolder("silver/patient/_delta_log/"));
             if (!names.empty()) return {};
             return Fail(ErrorKind::kNotFound, "silver.patient is gone");
           }},
          {"engine", [&lake](const Wait& wait) -> Status {
             VL_TRY(engine::Connection connection, lake.engine().Connect());
             VL_TRY(engine::QueryResult result, connection.Query("SELECT 1", {}, wait));
             VL_RETURN_IF_ERROR(result.Next());
             return {};
           }}};
}

Result<std::unique_ptr<HttpService>> HttpService::Open(lake::Lake& lake, Metrics& metrics,
                                                       const HttpSetup& setup,
                                                       const std::vector<StreamSetup>& streams,
                                                       std::vector<serve::HealthCheck> checks,
                                                       const LiveParts& live) {
  AllowManyFiles();
  std::unique_ptr<HttpService> service(new HttpService());
  serve::Routes routes;
  std::vector<serve::Intake> intakes;
  std::vector<std::string> id_spaces;
  for (const StreamSetup& stream : streams) {
    id_spaces.push_back(stream.settings.id_space);
    if (stream.source != StreamKind::kHttp) continue;
    auto& box = service->boxes_[stream.settings.name];
    box = std::make_unique<ingest::PostBox>(lake.clock(), ingest::PostBox::Limits{});
    intakes.push_back({stream.settings.name, box.get()});
  }
  service->health_ =
      std::make_unique<serve::Health>(lake.clock(), std::move(checks), kLookEvery, kLookPatience);
  serve::AddIngestRoutes(routes, std::move(intakes));
  const auto login = std::make_shared<const serve::HttpLogin>(setup.options.users);
  serve::AddStatusRoutes(routes, *service->health_, metrics, login, lake.clock());
  serve::AddDashboardRoutes(routes);
  serve::QueryDeskOptions desk;
  desk.memory_bytes = lake::MemoryShare::Of(lake.options().memory_bytes, lake::MemoryShare::kHttp);
  VL_TRY(service->desk_, serve::QueryDesk::Open(lake, desk));
  serve::AddSqlRoutes(routes, *service->desk_);
  serve::AddTableRoutes(routes, *service->desk_);
  serve::AddLedgerRoutes(routes, *service->desk_);
  serve::AddFhirRoutes(routes, *service->desk_);
  service->alerts_ = std::make_unique<serve::AlertStream>(live.board, lake.clock());
  service->events_ =
      std::make_unique<serve::LiveEvents>(live.board, live.readings, lake.clock(), live.status);
  serve::AddAlertRoutes(routes,
                        {lake, live.board, live.desk, *service->alerts_, *service->events_});
  serve::AddSettingsRoutes(routes, lake, live.desk, std::move(id_spaces));
  serve::AddLoginRoutes(routes, login, lake.clock());
  serve::AddOpenApiRoute(routes);
  VL_TRY(service->server_, serve::HttpServer::Open(setup.options, std::move(routes), lake.clock(),
                                                   [&metrics](const serve::RequestDone& done) {
                                                     CountRequest(metrics, done);
                                                   }));
  VL_RETURN_IF_ERROR(service->WriteAddress(lake));
  service->alerts_->Follow();
  service->events_->Follow();
  service->server_->Start();
  log::Info("http: listening at {}", service->server_->url());
  if (setup.on_listen) setup.on_listen(service->server_->url());
  return service;
}

HttpService::~HttpService() {
  // Neither box nor statement may answer to a server that is gone.
  for (const auto& [_, box] : boxes_) box->Close();
  if (desk_) desk_->Close();
  server_.reset();
  if (address_file_.empty()) return;
  std::ifstream file(address_file_);
  std::string there;
  std::error_code ignored;
  // Another process of this lake may have written its own meanwhile.
  if (std::getline(file, there) && there == address_) {
    std::filesystem::remove(address_file_, ignored);
  }
}

Status HttpService::WriteAddress(lake::Lake& lake) {
  VL_TRY(const std::filesystem::path staging, lake.store().StagingFolder());
  const std::filesystem::path file = staging.parent_path() / "http.json";
  std::filesystem::path fresh = file;
  fresh += fmt::format(".{}", getpid());
  JsonWriter json;
  json.BeginObject().Key("url").String(server_->url()).Key("pid").Int(getpid()).EndObject();
  address_ = json.Take();
  std::ofstream(fresh) << address_ << '\n';
  std::error_code failed;
  std::filesystem::rename(fresh, file, failed);
  if (failed) {
    return Fail(ErrorKind::kIo,
                fmt::format("cannot write {}: {}", file.string(), failed.message()));
  }
  address_file_ = file;
  return {};
}

void HttpService::Drain() {
  for (const auto& [_, box] : boxes_) box->Close();
  server_->Drain(kDrainPatience);
}

}  // namespace vitalake::cli
