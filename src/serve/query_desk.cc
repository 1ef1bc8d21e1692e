#include "serve/query_desk.h"

#include <exception>
#include <utility>

#include "base/log.h"
#include "lake/queries.h"
#include "serve/http_problem.h"

namespace vitalake::serve {
namespace {

int StatusOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidArgument:
    case ErrorKind::kUnsupported:
      return 400;
    case ErrorKind::kPermission:
      return 403;
    case ErrorKind::kNotFound:
      return 404;
    case ErrorKind::kConflict:
      return 409;
    case ErrorKind::kLimit:
      return 422;
    case ErrorKind::kCancelled:
      return 503;
    case ErrorKind::kDeadline:
      return 504;
    default:
      return 500;
  }
}

Response Busy(const std::string& path) {
  return ProblemResponse(
      {503, "Too many statements wait: ask again later", path, {{"Retry-After", "1"}}});
}

}  // namespace

Response ErrorResponse(const Error& error, const std::string& path) {
  const int status = StatusOf(error.kind);
  if (status == 500) {
    log::Fault("http: {}: {}", path, error.ToString());
    return ProblemResponse({500, "The server could not do it; its log says why", path});
  }
  if (error.kind == ErrorKind::kCancelled) {
    return ProblemResponse({503, "The server is ending", path, {{"Retry-After", "5"}}});
  }
  if (error.kind == ErrorKind::kDeadline) {
    return ProblemResponse(
        {504, "The statement's time is up: ask for less, or for fewer rows", path});
  }
  return ProblemResponse({status, error.ToString(), path});
}

Result<std::unique_ptr<QueryDesk>> QueryDesk::Open(lake::Lake& lake,
                                                   const QueryDeskOptions& options) {
  std::unique_ptr<QueryDesk> desk(new QueryDesk(lake, options));
  VL_TRY(desk->engine_, lake::OpenReadingEngine(lake, options.memory_bytes));
  desk->pool_ = std::make_unique<WorkPool>(options.sessions, options.waiting);
  return desk;
}

QueryDesk::~QueryDesk() { Close(); }

void QueryDesk::Close() {
  ended_.request_stop();
  std::unique_ptr<WorkPool> pool;
  {
    const std::lock_guard lock(mutex_);
    pool = std::move(pool_);
  }
  pool.reset();
  const std::lock_guard lock(mutex_);
  idle_.clear();
}

void QueryDesk::Run(std::string path, Reply reply, Work work, WhenClientGoes when) {
  // The time runs from here: nobody waits for what would begin later.
  const auto until = lake_.clock().Steady() + options_.time;
  const std::lock_guard lock(mutex_);
  const bool taken =
      pool_ && pool_->TryAdd([this, path, reply, until, when, work = std::move(work)] {
        try {
          if (lake_.clock().Steady() >= until) return reply(Busy(path));
          auto answer =
              Do(work, until, when == WhenClientGoes::kStop ? reply.gone() : std::stop_token());
          reply(answer ? std::move(*answer) : ErrorResponse(answer.error(), path));
        } catch (const std::exception& fault) {
          reply(ErrorResponse({ErrorKind::kInternal, fault.what(), {}}, path));
        }
      });
  if (!taken) reply(Busy(path));
}

Result<Response> QueryDesk::Do(const Work& work, std::chrono::nanoseconds until,
                               const std::stop_token& gone) {
  std::stop_source stop;
  const std::stop_callback when_closed(ended_.get_token(), [&] { stop.request_stop(); });
  const std::stop_callback when_gone(gone, [&] { stop.request_stop(); });
  const Wait wait{until, stop.get_token()};
  VL_RETURN_IF_ERROR(wait.Check(lake_.clock(), "waiting for a session"));
  std::unique_ptr<engine::SqlSession> session;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      session = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!session) {
    VL_TRY(session, lake::OpenSqlSession(lake_, *engine_, {.files = false}));
  }
  auto answer = work(*session, wait);
  // After a fault of the engine nothing is known of a session.
  if (answer || StatusOf(answer.error().kind) != 500) {
    const std::lock_guard lock(mutex_);
    if (!ended_.stop_requested()) idle_.push_back(std::move(session));
  }
  return answer;
}

}  // namespace vitalake::serve
