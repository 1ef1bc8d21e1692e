#include "lake/subject_link.h"

#include <fmt/format.h>

#include "lake/lake.h"
#include "lake/person_link.h"

namespace vitalake::lake {

bool MayNameByIdentifier(const delta::Snapshot& readings) {
  return readings.schema().FindField("subject_identifier") != nullptr &&
         readings.schema().FindField("patient_id") != nullptr;
}

bool KeepIdentifiers(const delta::Snapshot& patients) {
  return patients.schema().FindField("identifiers") != nullptr;
}

std::string NamedByIdentifierSql(std::string_view readings) {
  return fmt::format(
      "SELECT DISTINCT coalesce(id_space, '') AS id_space, subject_identifier FROM ({}) "
      "WHERE patient_id IS NULL AND subject_identifier IS NOT NULL",
      readings);
}

Result<std::string> NamedByIdentifierSql(const engine::TableFiles& readings) {
  VL_TRY(const std::string rows,
         engine::RelationSql(readings,
                             {.columns = {"id_space", "patient_id", "subject_identifier"},
                              .bounds = {{"patient_id", engine::ColumnBound::Op::kIsNull, {}}}}));
  return NamedByIdentifierSql(rows);
}

std::string HeldIdentifiersSql(std::string_view patients) {
  return fmt::format(
      "SELECT DISTINCT id_space, unnest([concat(held.system, '|', held.value)] || "
      "  CASE WHEN contains(held.value, '|') THEN [] ELSE [held.value] END) AS identifier, "
      "  id AS patient_id "
      "FROM (SELECT coalesce(id_space, '') AS id_space, id, unnest(from_json(identifiers, "
      "  '[{{\"system\":\"VARCHAR\",\"value\":\"VARCHAR\"}}]')) AS held FROM ({})) "
      "WHERE held.value IS NOT NULL",
      patients);
}

std::string SubjectLinkSql(std::string_view named, std::string_view held, std::string_view links) {
  return fmt::format(
      "SELECT h.id_space, h.identifier AS subject_identifier, min(h.patient_id) AS patient_id "
      "FROM ({1}) h SEMI JOIN ({0}) n "
      "  ON n.id_space = h.id_space AND n.subject_identifier = h.identifier "
      "LEFT JOIN ({2}) l ON l.id_space = h.id_space AND l.patient_id = h.patient_id "
      "GROUP BY h.id_space, h.identifier "
      "HAVING count(DISTINCT coalesce(l.person_id, h.patient_id)) = 1",
      named, held, links);
}

std::string WithSubjectsSql(std::string_view rows, std::string_view subject_link) {
  return fmt::format(
      "SELECT r.* REPLACE (coalesce(r.patient_id, s.patient_id) AS patient_id) FROM ({}) r "
      "LEFT JOIN {} s ON r.patient_id IS NULL AND s.id_space = coalesce(r.id_space, '') "
      "AND s.subject_identifier = r.subject_identifier",
      rows, subject_link);
}

Result<bool> SubjectNames::Any(const Wait& wait) {
  for (const std::string_view table : {"silver.observation", "silver.vital_sign"}) {
    VL_TRY(const bool any, AnyIn(table, wait));
    if (any) return true;
  }
  return false;
}

Result<bool> SubjectNames::AnyIn(std::string_view table, const Wait& wait) {
  VL_TRY(const delta::SnapshotPtr snapshot, lake_.Latest(table));
  const int64_t version = snapshot->version().value;
  {
    const std::lock_guard lock(mutex_);
    const auto seen = seen_.find(table);
    if (seen != seen_.end() && seen->second.version == version) return seen->second.any;
  }
  bool any = false;
  if (MayNameByIdentifier(*snapshot)) {
    VL_TRY(const std::string named, NamedByIdentifierSql(lake_.Files(snapshot, table)));
    VL_TRY(engine::Connection connection, lake_.engine().Connect());
    VL_TRY(engine::QueryResult found,
           connection.Query(fmt::format("SELECT 1 FROM ({}) LIMIT 1", named), {}, wait));
    VL_TRY(any, found.Next());
  }
  const std::lock_guard lock(mutex_);
  seen_.insert_or_assign(std::string(table), Seen{version, any});
  return any;
}

Result<std::shared_ptr<const SubjectNames::Shared>> SubjectNames::SharedIdentifiers(
    const delta::SnapshotPtr& patients, const Wait& wait) {
  const int64_t version = patients->version().value;
  const std::lock_guard lock(sharing_);
  if (shared_at_ == version) return shared_;
  auto shared = std::make_shared<Shared>();
  if (KeepIdentifiers(*patients) && !patients->files().empty()) {
    VL_TRY(
        std::string rows,
        engine::RelationSql(lake_.Files(patients, "silver.patient"),
                            {.columns = LinkColumns(*patients, {"id_space", "id", "identifiers",
                                                                "retracted_at", "replaced_by"})}));
    rows = LinkRows(*patients, std::move(rows));
    VL_TRY(engine::Connection connection, lake_.engine().Connect());
    VL_TRY(
        engine::QueryResult found,
        connection.Query(
            fmt::format(
                "SELECT h.id_space, h.identifier, CASE WHEN count(DISTINCT coalesce(l.person_id, "
                "h.patient_id)) = 1 THEN min(h.patient_id) END FROM ({}) h LEFT JOIN ({}) l ON "
                "l.id_space = h.id_space AND l.patient_id = h.patient_id GROUP BY ALL "
                "HAVING count(*) > 1 LIMIT {}",
                HeldIdentifiersSql(
                    fmt::format("SELECT * FROM ({}) WHERE retracted_at IS NULL", rows)),
                PersonLinkSql(rows), kMostShared + 1),
            {}, wait));
    for (;;) {
      VL_TRY(const bool more, found.Next());
      if (!more) break;
      std::optional<std::string> whose;
      if (!found.IsNull(2)) whose = found.GetString(2);
      shared->emplace(std::pair(std::string(found.GetString(0)), std::string(found.GetString(1))),
                      std::move(whose));
    }
    if (shared->size() > kMostShared) shared = nullptr;
  }
  shared_ = std::move(shared);
  shared_at_ = version;
  return shared_;
}

}  // namespace vitalake::lake
