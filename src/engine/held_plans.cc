#include "engine/held_plans.h"

namespace vitalake::engine {
namespace {

constexpr size_t kMostPlans = 8;  // each holds memory of its last run

}  // namespace

Result<PreparedQuery*> HeldPlans::Find(Connection& connection, const std::string& sql,
                                       const Wait& wait) {
  auto plan = plans_.find(sql);
  if (plan == plans_.end()) {
    if (plans_.size() >= kMostPlans) plans_.clear();
    VL_TRY(PreparedQuery prepared, connection.Prepare(sql, wait));
    plan = plans_.emplace(sql, std::move(prepared)).first;
  }
  return &plan->second;
}

Result<const PreparedQuery*> HeldPlans::Plan(Connection& connection, const std::string& sql,
                                             const Wait& wait) {
  return Find(connection, sql, wait);
}

Result<QueryResult> HeldPlans::Stream(Connection& connection, const std::string& sql,
                                      const Wait& wait) {
  VL_TRY(PreparedQuery* const plan, Find(connection, sql, wait));
  auto found = plan->Stream({}, wait);
  if (found || found.error().kind != ErrorKind::kLimit) return found;
  plans_.clear();
  return connection.Stream(sql, {}, wait);
}

}  // namespace vitalake::engine
