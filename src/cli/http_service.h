// HttpService: what `run` serves over HTTP, and the boxes that posts come through.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "cli/run_settings.h"
#include "ingest/alerts/action_desk.h"
#include "ingest/alerts/board.h"
#include "ingest/monitoring/reading_feed.h"
#include "ingest/post_box.h"
#include "lake/lake.h"
#include "serve/alert_stream.h"
#include "serve/health.h"
#include "serve/http/server.h"
#include "serve/live_events.h"
#include "serve/query_desk.h"

namespace vitalake::cli {

// What happens in the process, to be watched and acted on. All must outlive the service.
struct LiveParts {
  ingest::AlertBoard& board;  // open, and not running yet
  ingest::ActionDesk& desk;
  ingest::ReadingFeed& readings;
  std::function<std::string()> status;  // as serve::LiveEvents
};

class HttpService {
 public:
  // Listens and answers from now on, posts with 503 until their boxes are opened. The address is
  // logged, and written to <lake>/_vitalake/http.json. `checks` as in serve::Health. What
  // serve::HttpServer::Open says.
  static Result<std::unique_ptr<HttpService>> Open(lake::Lake& lake, Metrics& metrics,
                                                   const HttpSetup& setup,
                                                   const std::vector<StreamSetup>& streams,
                                                   std::vector<serve::HealthCheck> checks,
                                                   const LiveParts& live);
  ~HttpService();

  // Of a stream with the source `http`.
  ingest::PostBox& box(const std::string& stream) { return *boxes_.at(stream); }
  // Answers what is under way and ends.
  void Drain();

 private:
  HttpService() = default;
  Status WriteAddress(lake::Lake& lake);

  std::map<std::string, std::unique_ptr<ingest::PostBox>> boxes_;
  std::unique_ptr<serve::Health> health_;
  std::unique_ptr<serve::QueryDesk> desk_;
  std::unique_ptr<serve::AlertStream> alerts_;
  std::unique_ptr<serve::LiveEvents> events_;
  std::unique_ptr<serve::HttpServer> server_;
  std::filesystem::path address_file_;
  std::string address_;  // what we wrote there
};

// Whether the lake can be read and the engine answers.
std::vector<serve::HealthCheck> LakeChecks(lake::Lake& lake);

}  // namespace vitalake::cli
