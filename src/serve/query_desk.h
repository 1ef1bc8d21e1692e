// QueryDesk: where what clients ask the tables is run.
//
// A few threads, each with one SQL session at a time, over an engine with memory of its own; before
// them a bounded queue. So statements wait for each other, and taking in for none of them. A
// statement whose client is slow to take its rows gives its place to another meanwhile.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "engine/sql_session.h"
#include "lake/lake.h"
#include "lake/queries.h"
#include "serve/http/message.h"
#include "serve/work_gate.h"
#include "serve/work_pool.h"

namespace vitalake::serve {

struct QueryDeskOptions {
  int64_t memory_bytes = 256 << 20;        // of all statements together
  size_t sessions = 2;                     // statements that run at once
  size_t waiting = 16;                     // more are refused with 503
  std::chrono::milliseconds time{30'000};  // of one, its waiting included
  // Answers that may be sent in pieces at once: more get a 503.
  size_t long_answers = 8;
  // Of one of these, from the request to its last byte: the statement's own time stands still while
  // the client takes no more.
  std::chrono::milliseconds long_time{600'000};
};

enum class WhenClientGoes { kStop, kGoOn };

class QueryDesk;

// A statement's turn at the desk: its session, its time, and its place among those that run. Of the
// thread that does the work.
class QueryTurn {
 public:
  ~QueryTurn();
  QueryTurn(const QueryTurn&) = delete;
  QueryTurn& operator=(const QueryTurn&) = delete;

  engine::SqlSession& session() { return *session_; }
  // Ends when the statement's time is up, the client has gone or the desk closes.
  Wait wait() const { return {until_, stop_.get_token()}; }

  // Once, before the answer goes out in pieces. False: as many as may be are being sent already.
  bool TakeLongPlace();
  bool is_long() const { return long_; }
  // From now on this tells that the client left.
  void StopWith(std::stop_token gone);
  // Runs `send`, which waits for the client, in nobody's way and in nobody's time but that of the
  // whole answer, which it is given. Afterwards `wait()` is another.
  Status Rest(const std::function<Status(const Wait& sending)>& send);
  // The statement is done: what is still to be sent needs no place.
  void EndStatement();

 private:
  friend class QueryDesk;
  QueryTurn(QueryDesk& desk, std::chrono::nanoseconds begun, std::stop_token gone);
  Status TakePlace();

  struct StopAll {
    std::stop_source& stop;
    void operator()() const { stop.request_stop(); }
  };
  QueryDesk& desk_;
  std::stop_source stop_;
  std::stop_callback<StopAll> when_closed_;
  std::optional<std::stop_callback<StopAll>> when_gone_;
  std::chrono::nanoseconds until_, long_until_;
  std::optional<WorkGate::Pass> place_;
  std::unique_ptr<engine::SqlSession> session_;
  bool long_ = false;
  bool ended_ = false;  // the statement
};

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
  void Run(const std::string& path, const Reply& reply, Work work,
           WhenClientGoes when = WhenClientGoes::kStop);
  // The same for work that answers by itself. Its error is the answer where it has not begun one;
  // else its body in pieces goes without an end, and the log says so.
  using Telling = std::function<Status(QueryTurn& turn)>;
  void RunTelling(const std::string& path, const Reply& reply, Telling work,
                  WhenClientGoes when = WhenClientGoes::kStop);

  lake::Lake& lake() { return lake_; }
  // Cancels what runs and waits for its end; what waits gets an error. Run then refuses.
  void Close();

 private:
  friend class QueryTurn;
  QueryDesk(lake::Lake& lake, const QueryDeskOptions& options)
      : lake_(lake), options_(options), places_(options.sessions) {}
  Status Do(const Telling& work, QueryTurn& turn);

  lake::Lake& lake_;
  const QueryDeskOptions options_;
  std::stop_source ended_;
  WorkGate places_;
  std::atomic<size_t> asked_ = 0;  // statements that wait or run, but those that are long
  std::atomic<size_t> long_ = 0;
  lake::ReadingEngines engines_;
  std::string built_ins_;  // of the sessions
  std::mutex mutex_;
  std::vector<std::unique_ptr<engine::SqlSession>> idle_;  // guarded by mutex_
  std::unique_ptr<WorkPool> pool_;                         // guarded by mutex_; null once closed
};

}  // namespace vitalake::serve
