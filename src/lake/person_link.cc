#include "lake/person_link.h"

#include <fmt/format.h>

#include <utility>

namespace vitalake::lake {
namespace {

bool HasReplaces(const delta::Snapshot& patients) {
  return patients.schema().FindField("replaces") != nullptr;
}

}  // namespace

std::vector<std::string> LinkColumns(const delta::Snapshot& patients,
                                     std::vector<std::string> columns) {
  if (HasReplaces(patients)) columns.emplace_back("replaces");
  return columns;
}

std::string LinkRows(const delta::Snapshot& patients, std::string rows) {
  if (HasReplaces(patients)) return rows;
  return fmt::format("SELECT *, NULL::VARCHAR AS replaces FROM ({})", rows);
}

std::string PersonLinkSql(std::string_view patients) {
  return fmt::format(
      "WITH RECURSIVE said AS (SELECT coalesce(id_space, '') AS id_space, id, replaced_by, "
      "replaces "
      "  FROM ({}) WHERE retracted_at IS NULL AND "
      "    (replaced_by IS NOT NULL OR replaces IS NOT NULL)), "
      "own AS (SELECT id_space, id, replaced_by FROM said "
      "  WHERE replaced_by IS NOT NULL AND replaced_by <> id), "
      "claim AS (SELECT id_space, replaced AS id, min(id) AS replaced_by FROM ("
      "  SELECT id_space, id, unnest(from_json(replaces, '[\"VARCHAR\"]')) AS replaced FROM said "
      "  WHERE replaces IS NOT NULL) WHERE replaced <> id GROUP BY ALL), "
      "link AS (FROM own UNION ALL "
      "  FROM claim c WHERE NOT EXISTS (FROM own o WHERE o.id_space = c.id_space AND o.id = "
      "c.id)), "
      "chain(id_space, patient_id, tail_id) AS (SELECT id_space, id, replaced_by FROM link "
      "  UNION SELECT c.id_space, c.patient_id, l.replaced_by FROM chain c "
      "    JOIN link l ON l.id_space = c.id_space AND l.id = c.tail_id), "
      "tail AS (SELECT c.*, l.id IS NULL AS is_end, r.patient_id IS NOT NULL AS is_round "
      "  FROM chain c "
      "  LEFT JOIN link l ON l.id_space = c.id_space AND l.id = c.tail_id "
      "  LEFT JOIN chain r ON r.id_space = c.id_space AND r.patient_id = c.tail_id "
      "    AND r.tail_id = r.patient_id) "
      "SELECT id_space, patient_id, "
      "  coalesce(min(tail_id) FILTER (is_end), min(tail_id) FILTER (is_round)) AS person_id "
      "FROM tail GROUP BY id_space, patient_id",
      patients);
}

}  // namespace vitalake::lake
