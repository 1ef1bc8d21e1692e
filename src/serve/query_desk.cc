#include "serve/query_desk.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/log.h"
#include "engine/value_limits.h"
#include "lake/queries.h"
#include "serve/http/problem.h"

namespace vitalake::serve {
namespace {

Response Busy(const std::string& path) {
  return ProblemResponse(
      {503, "Too many statements wait: ask again later", path, {{"Retry-After", "1"}}});
}

}  // namespace

QueryTurn::QueryTurn(QueryDesk& desk, std::chrono::nanoseconds begun, std::stop_token gone)
    : desk_(desk),
      when_closed_(desk.ended_.get_token(), StopAll{stop_}),
      until_(begun + desk.options_.time),
      long_until_(begun + desk.options_.long_time) {
  when_gone_.emplace(std::move(gone), StopAll{stop_});
}

QueryTurn::~QueryTurn() { --(long_ ? desk_.long_ : desk_.asked_); }

Status QueryTurn::TakePlace() {
  VL_TRY(auto place, desk_.places_.Enter(desk_.lake_.clock(), wait()));
  place_.emplace(std::move(place));
  return {};
}

bool QueryTurn::TakeLongPlace() {
  if (desk_.long_.fetch_add(1) >= desk_.options_.long_answers) {
    --desk_.long_;
    return false;
  }
  --desk_.asked_;
  long_ = true;
  return true;
}

void QueryTurn::StopWith(std::stop_token gone) {
  when_gone_.reset();
  when_gone_.emplace(std::move(gone), StopAll{stop_});
}

Status QueryTurn::Rest(const std::function<Status(const Wait& sending)>& send) {
  const auto left = until_ - desk_.lake_.clock().Steady();
  place_.reset();
  until_ = long_until_;
  VL_RETURN_IF_ERROR(send(wait()));
  if (ended_) return {};
  VL_RETURN_IF_ERROR(TakePlace());
  until_ = std::min(long_until_, desk_.lake_.clock().Steady() + left);
  return {};
}

void QueryTurn::EndStatement() {
  ended_ = true;
  place_.reset();
  until_ = long_until_;
}

Result<std::unique_ptr<QueryDesk>> QueryDesk::Open(lake::Lake& lake,
                                                   const QueryDeskOptions& options) {
  std::unique_ptr<QueryDesk> desk(new QueryDesk(lake, options));
  VL_TRY(desk->engines_, lake::OpenReadingEngines(lake, options.memory_bytes));
  VL_TRY(desk->built_ins_, engine::InstallValueLimits(*desk->engines_.tables));
  VL_TRY([[maybe_unused]] const std::string same, engine::InstallValueLimits(*desk->engines_.held));
  // A long answer has a thread while it is sent, and those that wait for a place have none.
  desk->pool_ =
      std::make_unique<WorkPool>(options.sessions + options.long_answers, options.waiting);
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

void QueryDesk::Run(const std::string& path, const Reply& reply, Work work, WhenClientGoes when) {
  RunTelling(
      path, reply,
      [reply, work = std::move(work)](QueryTurn& turn) -> Status {
        VL_TRY(Response answer, work(turn.session(), turn.wait()));
        reply(std::move(answer));
        return {};
      },
      when);
}

void QueryDesk::RunTelling(const std::string& path, const Reply& reply, Telling work,
                           WhenClientGoes when) {
  // The time runs from here: nobody waits for what would begin later.
  const auto begun = lake_.clock().Steady();
  if (asked_.fetch_add(1) >= options_.sessions + options_.waiting) {
    --asked_;
    return reply(Busy(path));
  }
  const std::lock_guard lock(mutex_);
  const bool taken = pool_ && pool_->TryAdd([this, path, reply, begun, when,
                                             work = std::move(work)] {
    QueryTurn turn(*this, begun, when == WhenClientGoes::kStop ? reply.gone() : std::stop_token());
    try {
      if (lake_.clock().Steady() >= turn.wait().until) return reply(Busy(path));
      const Status done = Do(work, turn);
      if (done) return;
      // That a client left is its own affair.
      if (turn.is_long() && done.error().kind != ErrorKind::kCancelled) {
        log::Warn("http: {}: an answer was cut off before its end: {}", path,
                  ToString(done.error().kind));
      }
      reply(ErrorResponse(done.error(), path));
    } catch (const std::exception& fault) {
      reply(ErrorResponse({ErrorKind::kInternal, fault.what(), {}}, path));
    }
  });
  if (taken) return;
  --asked_;
  reply(Busy(path));
}

Status QueryDesk::Do(const Telling& work, QueryTurn& turn) {
  VL_RETURN_IF_ERROR(turn.TakePlace());
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      turn.session_ = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!turn.session_) {
    VL_TRY(turn.session_,
           lake::OpenSqlSession(
               lake_, *engines_.tables,
               {.files = false, .built_ins = built_ins_, .held_engine = engines_.held.get()}));
  }
  const Status done = work(turn);
  // After a fault of the engine nothing is known of a session.
  if (done || HttpStatusOf(done.error().kind) != 500) {
    const std::lock_guard lock(mutex_);
    if (!ended_.stop_requested()) idle_.push_back(std::move(turn.session_));
  }
  return done;
}

}  // namespace vitalake::serve
