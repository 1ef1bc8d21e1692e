// QueryDesk: where what clients ask the tables is run.
//
// A few threads, each with one SQL session at a time, over an engine with memory of its own; before
// them a bounded queue. So statements wait for each other, and taking in for none of them.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "engine/sql_session.h"
#include "lake/lake.h"
#include "serve/http_message.h"
#include "serve/work_pool.h"

namespace vitalake::serve {

struct QueryDeskOptions {
  int64_t memory_bytes = 256 << 20;        // of all statements together
  size_t sessions = 2;                     // statements that run at once
  size_t waiting = 16;                     // more are refused with 503
  std::chrono::milliseconds time{30'000};  // of one, its waiting included
};

enum class WhenClientGoes { kStop, kGoOn };

// Thread-safe.
class QueryDesk {
 public:
  // What engine::Engine::Open says. `lake` must outlive the desk.
  static Result<std::unique_ptr<QueryDesk>> Open(lake::Lake& lake, const QueryDeskOptions& options);
  ~QueryDesk();

  // Gives the answer, or why there is none. `wait` ends when the statement's time is up, the client
  // has gone or the desk closes.
  using Work = std::function<Result<Response>(engine::SqlSession& session, const Wait& wait)>;
  // Has `work` done on a thread of the desk and answers `reply`: with 503 and Retry-After when too
  // many wait, else with what it gives, its error as ErrorResponse says.
  void Run(std::string path, Reply reply, Work work, WhenClientGoes when = WhenClientGoes::kStop);

  lake::Lake& lake() { return lake_; }
  // Cancels what runs and waits for its end; what waits gets an error. Run then refuses.
  void Close();

 private:
  QueryDesk(lake::Lake& lake, const QueryDeskOptions& options) : lake_(lake), options_(options) {}
  // `gone`: of the client.
  Result<Response> Do(const Work& work, std::chrono::nanoseconds until,
                      const std::stop_token& gone);

  lake::Lake& lake_;
  const QueryDeskOptions options_;
  std::stop_source ended_;
  std::unique_ptr<engine::Engine> engine_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<engine::SqlSession>> idle_;  // guarded by mutex_
  std::unique_ptr<WorkPool> pool_;                         // guarded by mutex_; null once closed
};

// What a client is told of an error: 400 (its words), 403, 404, 422 (memory), 503, 504; 500 without
// details, which are logged.
Response ErrorResponse(const Error& error, const std::string& path);

}  // namespace vitalake::serve
