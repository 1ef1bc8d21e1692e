#include "ingest/alerts/owners.h"

#include <fmt/format.h>

#include "engine/relation.h"
#include "ingest/alerts/log.h"
#include "ingest/monitoring/watched_record.h"
#include "lake/person_link.h"
#include "lake/subject_link.h"

namespace vitalake::ingest {
namespace {

using engine::QuoteLiteral;

constexpr std::string_view kPatients = "silver.patient";

// (id_space, subject_identifier) of alerts raised for an identifier; "" when there are none.
Result<std::string> NamedInAlerts(lake::Lake& lake, engine::Connection& connection,
                                  const Wait& wait) {
  VL_TRY(const delta::SnapshotPtr alerts, lake.Latest(kAlerts));
  VL_TRY(const std::string rows,
         engine::RelationSql(lake.Files(alerts, kAlerts), {.columns = {"id_space", "patient_id"}}));
  const std::string named = fmt::format(
      "SELECT DISTINCT coalesce(id_space, '') AS id_space, substr(patient_id, {}) AS "
      "subject_identifier FROM ({}) WHERE starts_with(patient_id, {})",
      kByIdentifier.size() + 1, rows, QuoteLiteral(kByIdentifier));
  VL_TRY(const int64_t count,
         connection.ScalarInt(fmt::format("SELECT count(*) FROM ({})", named), {}, wait));
  return count == 0 ? std::string() : named;
}

}  // namespace

Result<std::vector<AlertOwner>> OtherOwners(lake::Lake& lake, const std::string& patient,
                                            const Wait& wait) {
  VL_TRY(const delta::SnapshotPtr patients, lake.Latest(kPatients));
  VL_TRY(engine::Connection connection, lake.engine().Connect());
  std::string named;
  std::vector<std::string> columns = {"id_space", "id", "replaced_by", "retracted_at"};
  if (lake::KeepIdentifiers(*patients)) {
    columns.emplace_back("identifiers");
    VL_TRY(named, NamedInAlerts(lake, connection, wait));
  }
  VL_TRY(std::string rows,
         engine::RelationSql(lake.Files(patients, kPatients),
                             {.columns = lake::LinkColumns(*patients, std::move(columns))}));
  rows = lake::LinkRows(*patients, std::move(rows));
  const std::string links = lake::PersonLinkSql(rows), person = QuoteLiteral(patient);
  std::string sql =
      fmt::format("SELECT id_space, patient_id FROM ({}) WHERE person_id = {}", links, person);
  if (!named.empty()) {
    const std::string held = lake::HeldIdentifiersSql(
        fmt::format("SELECT * FROM ({}) WHERE retracted_at IS NULL", rows));
    sql += fmt::format(
        " UNION SELECT s.id_space, {} || s.subject_identifier FROM ({}) s LEFT JOIN ({}) l ON "
        "l.id_space = s.id_space AND l.patient_id = s.patient_id "
        "WHERE coalesce(l.person_id, s.patient_id) = {}",
        QuoteLiteral(kByIdentifier), lake::SubjectLinkSql(named, held, links), links, person);
  }
  VL_TRY(engine::QueryResult found, connection.Query(sql + " ORDER BY ALL", {}, wait));
  std::vector<AlertOwner> owners;
  for (;;) {
    VL_TRY(const bool more, found.Next());
    if (!more) return owners;
    owners.push_back({std::string(found.GetString(0)), std::string(found.GetString(1))});
  }
}

std::string OwnedSql(const std::string& patient, const std::vector<AlertOwner>& others) {
  std::string sql = fmt::format("(patient_id = {}", QuoteLiteral(patient));
  for (const AlertOwner& owner : others) {
    sql += fmt::format(" OR (coalesce(id_space, '') = {} AND patient_id = {})",
                       QuoteLiteral(owner.id_space), QuoteLiteral(owner.id));
  }
  return sql + ")";
}

}  // namespace vitalake::ingest
