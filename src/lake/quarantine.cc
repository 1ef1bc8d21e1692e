#include "lake/quarantine.h"

#include <fmt/format.h>

#include "engine/relation.h"

namespace vitalake::lake {

Result<engine::QueryResult> ListQuarantine(Lake& lake, engine::Connection& connection,
                                           const QuarantineFilter& filter) {
  VL_TRY(const delta::SnapshotPtr snapshot, lake.Latest("ops.quarantine"));
  VL_TRY(const std::string rows, engine::RelationSql(lake.Files(snapshot, "ops.quarantine")));
  std::string where = "true";
  std::vector<engine::Parameter> parameters;
  if (!filter.reason.empty()) {
    where += " AND reason = ?";
    parameters.emplace_back(filter.reason);
  }
  if (!filter.id.empty()) {
    where += " AND id = ?";
    parameters.emplace_back(filter.id);
  }
  if (!filter.include_replayed && filter.id.empty()) where += " AND replayed_at IS NULL";
  return connection.Query(
      fmt::format("SELECT id, run, source, position, reason, element_path, message, received_at, "
                  "replayed_at{} FROM ({}) WHERE {} ORDER BY received_at DESC, position",
                  filter.id.empty() ? "" : ", payload", rows, where),
      parameters);
}

}  // namespace vitalake::lake
