// The demo: a lake with sample patients and two weeks of their readings, then a live stream of new
// ones, with the alerts it raises, shown in a terminal.
#pragma once

#include <string>

#include "base/deadline.h"
#include "base/result.h"
#include "cli/command.h"
#include "cli/run_settings.h"
#include "ingest/alerts/published_alert.h"

namespace vitalake::cli {

struct DemoOptions {
  int64_t patients = 200;
  double seconds = 0;   // most time it may take; 0: until it is stopped
  int64_t rate = 50;    // new readings a second
  int64_t port = 8080;  // of the HTTP server on loopback
  int64_t postgres_port = 5439;
  bool postgres_port_asked_for = false;
  bool serve = true;
};

// Makes or continues a demo lake. One that holds anything else is refused (kAlreadyExists): sample
// patients have no place among real ones. Repeating it on its own lake writes nothing new.
class Demo {
 public:
  Demo(Context& context, const DemoOptions& options);
  // kDeadline, kCancelled when it had to end before the stream began; what is in the lake then is
  // whole.
  Status Run();

 private:
  Status ChooseLake();
  // What was made is a function of these; kept in the lake so that a repeat makes the same.
  Status SettlePlan();
  Status Load();
  Status ShowCounts();
  Status ShowGold();
  Status ShowChart();
  Status ShowCommands();
  // Until the time is up or a stop.
  Status Stream();
  Result<RunSetup> StreamSettings();
  // Where it is served now, and lines to try there.
  void ShowHttp(const std::string& url);
  void ShowPostgres(const std::string& address);
  void Tell(const ingest::PublishedAlert& alert);
  Status MakeFiles(const std::filesystem::path& folder);
  Status Ingest(const std::filesystem::path& folder);
  std::string Heading(std::string_view text) const;

  Context& context_;
  DemoOptions options_;
  Wait wait_;
  lake::Lake* lake_ = nullptr;
  Micros end_ = 0;  // the last reading arrives before this
  std::unique_ptr<engine::SqlSession> session_;
};

}  // namespace vitalake::cli
