// HeldPlans: statements over what is held in memory (row_buffer.h, held_values.h), planned once.
//
// Planning takes longer than running over a few rows; which rows and values there are is no part of
// the plan.
#pragma once

#include <map>
#include <string>

#include "base/deadline.h"
#include "base/result.h"
#include "engine/engine.h"

namespace vitalake::engine {

// Not thread-safe. Errors are those of the connection.
class HeldPlans {
 public:
  // The plan of the statement. Lives until the next call.
  Result<const PreparedQuery*> Plan(Connection& connection, const std::string& sql,
                                    const Wait& wait);
  // Runs it; it has no parameters. Any other statement on the connection ends the result.
  Result<QueryResult> Stream(Connection& connection, const std::string& sql, const Wait& wait);
  void Clear() { plans_.clear(); }

 private:
  Result<PreparedQuery*> Find(Connection& connection, const std::string& sql, const Wait& wait);

  std::map<std::string, PreparedQuery> plans_;  // by text, of one connection
};

}  // namespace vitalake::engine
