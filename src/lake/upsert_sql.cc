#include "lake/upsert_sql.h"

#include <fmt/format.h>

#include "fhir/record_key.h"

namespace vitalake::lake::upsert_sql {
namespace {

// What a row has of the version it holds.
constexpr std::string_view kHead =
    "version_id, last_updated, content_hash, retraction, received_at, source, source_partition, "
    "source_offset, source_length, status";

// Of staged rows, but for what their table knows of them.
std::string StagedColumns(const SilverView& view) {
  return fmt::format(
      "id_space, id, resource_id, version_id, last_updated, content_hash, identifier, "
      "retracted_at IS NOT NULL AS retraction, deleted, received_at, source, source_partition, "
      "source_offset, source_length, {} AS status, "
      "bool_or(retracted_at IS NOT NULL AND ({})) AS bare",
      view.has_status ? "status" : "NULL::VARCHAR", view.bare);
}

// Whether the version that a row holds is a retraction itself; of a deleted row its time tells
// (DeletionTime).
constexpr std::string_view kStoredRetraction =
    "retracted_at IS NOT NULL AND (NOT coalesce(deleted, false) OR (epoch_us(retracted_at) & 1) = "
    "1)";

// Step 1 of a rank: a retraction without versionId above all, absent or unreadable versions lowest.
std::string RankVersion() {
  return fmt::format(
      "CASE WHEN retraction AND version_id IS NULL THEN 9223372036854775807 "
      "ELSE coalesce({}, -1) END",
      VersionNumber("version_id"));
}

std::string EvenMicros(std::string_view time) { return fmt::format("(epoch_us({}) & -2)", time); }

}  // namespace

std::string VersionNumber(std::string_view version_id) {
  // A cast alone takes 1.9, 1e3 and 0x1F, too.
  return fmt::format(
      "CASE WHEN regexp_full_match({0}, '[0-9]+') "
      "THEN least(coalesce(TRY_CAST({0} AS BIGINT), {1}), {1}) END",
      version_id, fhir::kLargestVersion);
}

std::string DeletionTime(std::string_view deleted_at, std::string_view retraction) {
  return fmt::format("make_timestamptz({} + CASE WHEN {} THEN 1 ELSE 0 END)",
                     EvenMicros(deleted_at), retraction);
}

std::string CreateStaged(std::string_view staged_rows, const SilverView& view) {
  return fmt::format(
      "CREATE OR REPLACE TEMP TABLE staged AS "
      "SELECT {}, bool_or({}) AS home, NULL::VARCHAR AS refused, false AS dropped, "
      "  false AS elsewhere FROM ({}) GROUP BY ALL",
      StagedColumns(view), view.home, staged_rows);
}

std::string AddStagedElsewhere(std::string_view staged_rows, const SilverView& other) {
  return fmt::format(
      "INSERT INTO staged SELECT {}, false, NULL, false, true FROM ({}) "
      "WHERE NOT deleted AND ({}) GROUP BY ALL",
      StagedColumns(other), staged_rows, other.home);
}

std::string ResolveDeletes(std::string_view table_keys, std::string_view other_keys) {
  return fmt::format(
      "CREATE OR REPLACE TEMP TABLE delete_target AS "
      "WITH live AS (SELECT id_space, resource_id, id FROM ({0}) WHERE live "
      "  UNION SELECT id_space, resource_id, id FROM staged WHERE NOT deleted AND NOT retraction "
      "    AND NOT elsewhere), "
      "known AS (SELECT id_space, id FROM ({0}) UNION "
      "  SELECT id_space, id FROM staged WHERE NOT deleted AND NOT elsewhere), "
      "elsewhere AS (SELECT id_space, resource_id FROM ({1}) "
      "  UNION SELECT id_space, resource_id FROM staged WHERE elsewhere) "
      "SELECT d.id_space, d.resource_id, "
      "  list(DISTINCT live.id) FILTER (live.id IS NOT NULL) AS ids, "
      "  bool_or(elsewhere.resource_id IS NOT NULL) "
      "    AND NOT bool_or(live.id IS NOT NULL OR known.id IS NOT NULL) AS dropped "
      "FROM (SELECT DISTINCT id_space, resource_id FROM staged WHERE deleted) d "
      "LEFT JOIN live USING (id_space, resource_id) "
      "LEFT JOIN known ON known.id_space = d.id_space AND known.id = d.resource_id "
      "LEFT JOIN elsewhere ON elsewhere.id_space = d.id_space "
      "  AND elsewhere.resource_id = d.resource_id "
      "GROUP BY d.id_space, d.resource_id;\n"
      "UPDATE staged SET id = coalesce(t.ids[1], staged.id), dropped = t.dropped, "
      "  refused = CASE WHEN len(t.ids) > 1 THEN 'ambiguous-delete' END "
      "FROM delete_target t WHERE staged.deleted AND t.id_space = staged.id_space "
      "  AND t.resource_id = staged.resource_id",
      table_keys, other_keys);
}

std::string CreatePresent(std::string_view table_rows, const SilverView& view) {
  return fmt::format(
      "CREATE OR REPLACE TEMP TABLE present AS "
      "SELECT coalesce(id_space, '') AS id_space, id, any_value(version_id) AS version_id, "
      "  any_value(last_updated) AS last_updated, any_value(content_hash) AS content_hash, "
      "  any_value(identifier) AS identifier, "
      "  bool_or({0}) AS retraction, "
      "  bool_or(coalesce(deleted, false)) AS deleted, any_value(received_at) AS received_at, "
      "  any_value(source) AS source, any_value(source_partition) AS source_partition, "
      "  any_value(source_offset) AS source_offset, any_value(source_length) AS source_length, "
      "  {2} AS status, bool_or({0}) AND bool_or({3}) AS bare, "
      "  min(ingestion_date) AS ingestion_date, "
      "  min(retracted_at) FILTER (coalesce(deleted, false)) AS deleted_at, min(_file) AS file "
      "FROM ({1}) GROUP BY 1, 2",
      kStoredRetraction, table_rows, view.has_status ? "any_value(status)" : "NULL::VARCHAR",
      view.bare);
}

std::string CreateElsewhere(std::string_view table_rows, const SilverView& other) {
  return fmt::format(
      "CREATE OR REPLACE TEMP TABLE elsewhere AS "
      "SELECT coalesce(id_space, '') AS id_space, id, any_value(version_id) AS version_id, "
      "  any_value(last_updated) AS last_updated, any_value(content_hash) AS content_hash, "
      "  any_value(identifier) AS identifier, "
      "  bool_or({0}) AS retraction, "
      "  any_value(received_at) AS received_at, any_value(source) AS source, "
      "  any_value(source_partition) AS source_partition, any_value(source_offset) AS "
      "source_offset, any_value(source_length) AS source_length, {3} AS status, "
      "  bool_or({0}) AND bool_or({4}) AS bare, "
      "  bool_or(content_hash IS NOT NULL AND ({2})) AS home, "
      "  bool_or(coalesce(deleted, false)) AS deleted, "
      "  min(retracted_at) FILTER (coalesce(deleted, false)) AS deleted_at "
      "FROM ({1}) GROUP BY 1, 2",
      kStoredRetraction, table_rows, other.home,
      other.has_status ? "any_value(status)" : "NULL::VARCHAR", other.bare);
}

std::string MarkKeyConflicts() {
  return "UPDATE staged SET refused = 'key-conflict' FROM ("
         "  SELECT id_space, id, coalesce(any_value(p.identifier), "
         "    any_value(e.identifier) FILTER (e.home), "
         "    arg_min(s.identifier, (s.received_at, split_part(s.source_partition, '#', 1), "
         "      s.source_offset, s.source_partition)) "
         "      FILTER (s.identifier IS NOT NULL)) AS known_by "
         "  FROM staged s LEFT JOIN present p USING (id_space, id) "
         "  LEFT JOIN elsewhere e USING (id_space, id) WHERE NOT s.deleted "
         "  GROUP BY id_space, id) k "
         "WHERE NOT staged.deleted AND k.id_space = staged.id_space AND k.id = staged.id "
         "  AND staged.identifier <> k.known_by";
}

std::string CreateDecision() {
  // Records of one message share its offset and are told apart behind the partition's '#'.
  const std::string highest_first = fmt::format(
      "QUALIFY row_number() OVER (PARTITION BY id_space, id "
      "  ORDER BY {} DESC, last_updated DESC NULLS LAST, retraction DESC, "
      "    received_at DESC NULLS LAST, split_part(source_partition, '#', 1) DESC NULLS LAST, "
      "    source_offset DESC NULLS LAST, source_partition DESC NULLS LAST, origin DESC) = 1",
      RankVersion());
  return fmt::format(
      "CREATE OR REPLACE TEMP TABLE decision AS "
      "WITH usable AS (SELECT * FROM staged WHERE refused IS NULL AND NOT dropped), "
      "version AS ("
      "  SELECT 'T' AS origin, id_space, id, bare, {0} FROM present "
      "  WHERE content_hash IS NOT NULL "
      "  UNION ALL "
      "  SELECT CASE WHEN elsewhere THEN 'E' ELSE 'S' END, id_space, id, bare, {0} FROM usable "
      "  WHERE NOT deleted "
      "  UNION ALL "
      // There a retraction may have been put on rows that are not at home there.
      "  SELECT 'E', id_space, id, bare OR NOT home, {0} FROM elsewhere "
      "  WHERE home OR (retraction AND content_hash IS NOT NULL)), "
      "best AS (SELECT * FROM version {1}), "
      "kept AS (SELECT * FROM version WHERE NOT bare {1}), "
      "first_delete AS (SELECT * FROM usable WHERE deleted QUALIFY row_number() OVER ("
      "  PARTITION BY id_space, id ORDER BY received_at, split_part(source_partition, '#', 1), "
      "    source_offset, source_partition) = 1), "
      "key AS (SELECT id_space, id FROM usable UNION "
      "  SELECT id_space, id FROM elsewhere SEMI JOIN present USING (id_space, id)), "
      "joined AS (SELECT k.id_space, k.id, b.origin AS winner, "
      "    coalesce(b.bare AND c.id IS NOT NULL, false) AS marked, "
      "    CASE WHEN b.bare THEN coalesce(c.origin, b.origin) ELSE b.origin END AS origin, "
      "    b.content_hash, b.version_id, b.last_updated, b.received_at, b.source, "
      "    b.source_length, b.status, coalesce(b.retraction, false) AS retraction, "
      "    coalesce(b.source_partition, d.source_partition) AS source_partition, "
      "    coalesce(b.source_offset, d.source_offset) AS source_offset, "
      "    CASE WHEN b.bare AND c.id IS NOT NULL THEN c.source_partition "
      "      ELSE coalesce(b.source_partition, d.source_partition) END AS row_partition, "
      "    CASE WHEN b.bare AND c.id IS NOT NULL THEN c.source_offset "
      "      ELSE coalesce(b.source_offset, d.source_offset) END AS row_offset, "
      "    p.id IS NOT NULL AS known, p.content_hash AS old_hash, p.version_id AS old_version, "
      "    p.last_updated AS old_updated, p.source_partition AS old_partition, "
      "    p.source_offset AS old_offset, p.ingestion_date, p.file, "
      "    coalesce(p.deleted, false) AS was_deleted, "
      "    coalesce(p.deleted, false) OR d.id IS NOT NULL OR coalesce(e.deleted, false) "
      "      AS deleted, "
      "    least(p.deleted_at, d.received_at, e.deleted_at) AS deleted_at, "
      // By another order of arrival: the row's time is to be that of its first deletion.
      "    {2} < {3} AS deleted_before, "
      "    d.source_partition AS delete_partition, d.source_offset AS delete_offset "
      "  FROM key k LEFT JOIN best b USING (id_space, id) LEFT JOIN kept c USING (id_space, id) "
      "  LEFT JOIN present p USING (id_space, id) "
      "  LEFT JOIN first_delete d USING (id_space, id) LEFT JOIN elsewhere e USING (id_space, id)) "
      "SELECT *, CASE WHEN origin = 'E' THEN CASE WHEN known THEN 'remove' ELSE 'none' END "
      "  WHEN NOT known THEN 'insert' "
      "  WHEN deleted AND (NOT was_deleted OR deleted_before) THEN 'update' "
      "  WHEN (marked OR origin = 'S') AND (winner = 'T' "
      "    OR content_hash IS DISTINCT FROM old_hash OR version_id IS DISTINCT FROM old_version "
      "    OR last_updated IS DISTINCT FROM old_updated) THEN 'update' "
      "  ELSE 'none' END AS change FROM joined",
      kHead, highest_first, EvenMicros("d.received_at"), EvenMicros("p.deleted_at"));
}

std::string SelectExceptions(Per per) {
  return fmt::format(
      "SELECT source_partition, outcome, count(*)::BIGINT, source_offset FROM ("
      "  SELECT s.source_partition, {} AS source_offset, CASE "
      "    WHEN s.refused IS NOT NULL THEN 'refused' "
      "    WHEN s.deleted THEN CASE WHEN d.was_deleted OR d.delete_partition <> "
      "s.source_partition "
      "      OR d.delete_offset <> s.source_offset THEN 'duplicate' ELSE 'written' END "
      "    WHEN s.source_partition = d.old_partition AND s.source_offset = d.old_offset "
      "      THEN 'written' "
      "    WHEN s.content_hash = d.old_hash AND s.content_hash = d.content_hash THEN "
      "'duplicate' "
      "    WHEN d.deleted THEN 'superseded' "
      "    WHEN d.winner = 'S' AND d.source_partition = s.source_partition "
      "      AND d.source_offset = s.source_offset THEN 'written' "
      "    WHEN s.content_hash = d.content_hash THEN 'duplicate' "
      "    ELSE 'superseded' END AS outcome "
      "  FROM staged s LEFT JOIN decision d USING (id_space, id) WHERE s.home) "
      "WHERE outcome <> 'written' GROUP BY 1, 2, 4",
      per == Per::kPlace ? "s.source_offset" : "0::BIGINT");
}

std::string SelectRefused() {
  return "SELECT source_partition, source_offset, refused FROM staged "
         "WHERE refused IS NOT NULL AND NOT elsewhere "
         "ORDER BY source_partition, source_offset";
}

}  // namespace vitalake::lake::upsert_sql
