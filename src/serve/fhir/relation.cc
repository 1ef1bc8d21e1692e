#include "serve/fhir/relation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "base/check.h"
#include "clinical/codes.h"

namespace vitalake::serve {
namespace {

constexpr std::string_view kShared =
    "id_space, id, status, version_id, last_updated, received_at, content_hash, retracted_at, "
    "deleted, identifier, source_partition, source_offset, source_length, patient_id, device, "
    "encounter, category_code, "
    "coalesce(epoch_us(effective_time), epoch_us(CAST(effective_date AS TIMESTAMP))) AS begins, "
    "CASE WHEN effective_end IS NOT NULL THEN epoch_us(effective_end) + 1000000 "
    "WHEN effective_time IS NULL THEN epoch_us(CAST(effective_date AS TIMESTAMP)) + 86400000000 "
    "ELSE epoch_us(effective_time) + CASE effective_precision WHEN 'minute' THEN 60000000 "
    "WHEN 'second' THEN 1000000 ELSE 1 END END AS ends";

constexpr std::string_view kPanelSystem =
    "code AS panel_code, "
    "CASE WHEN code IN ('85354-9', '55284-4') THEN 'http://loinc.org' END AS panel_system";

// What a measured value is of: the vital sign by silver's code, else all its codings, else its
// text.
std::string KindOf(std::string_view row) {
  std::vector<std::string_view> known;
  for (const clinical::VitalCode& one : clinical::CodeTable::Builtin()->codes()) {
    known.push_back(one.code);
  }
  return fmt::format(
      "CASE WHEN {0}.code IN ('{1}') THEN {0}.code WHEN {0}.codings <> '[]' THEN CAST(list_sort("
      "list_distinct(list_transform(from_json({0}.codings, '[{{\"system\":\"VARCHAR\",\"code\":"
      "\"VARCHAR\"}}]'), lambda x: concat(x.system, '|', x.code)))) AS VARCHAR) ELSE "
      "concat('text ', {0}.display) END",
      row, fmt::join(known, "', '"));
}

// The same of a blood pressure, of which silver keeps one code; without any it is still one.
std::string KindOfPressure() {
  const auto& table = *clinical::CodeTable::Builtin();
  const auto panel =
      std::ranges::find(table.codes(), clinical::Role::kPressurePanel, &clinical::VitalCode::role);
  VL_CHECK(panel != table.codes().end());
  return fmt::format("CASE WHEN code IS NULL OR code IN ('{}') THEN '{}' ELSE code END",
                     fmt::join(table.CodesOf(*panel), "', '"), panel->code);
}

// The same of an Observation that has components alone: what these are of.
std::string KindOfComponents(const FhirTables& tables) {
  return fmt::format(
      "(SELECT concat('of ', CAST(list_sort(list(DISTINCT {})) AS VARCHAR)) FROM {} c WHERE "
      "c.id_space = v.id_space AND c.id = v.id)",
      KindOf("c"), tables.vital_sign);
}

enum class With { kNoKind, kKind };

std::string ObservationRelation(const FhirTables& tables, With with) {
  const auto kind = [&](const std::string& sql) {
    return with == With::kKind ? fmt::format(", {} AS kind", sql) : std::string();
  };
  std::string parts = fmt::format(
      "SELECT {}, practitioner AS performer, code, {}, CAST(NULL AS VARCHAR) AS codings, "
      "CAST(NULL AS DOUBLE) AS value, CAST(NULL AS VARCHAR) AS unit, "
      "CAST(NULL AS VARCHAR) AS unit_sent, CAST(NULL AS VARCHAR) AS comparator{} FROM {}",
      kShared, kPanelSystem, kind(KindOfPressure()), tables.observation);
  if (tables.own_values) {
    parts += fmt::format(
        " UNION ALL SELECT {}, performer, code, NULL, NULL, codings, value, unit, unit_sent, "
        "comparator{} FROM {} v WHERE panel IS NULL AND component IS NULL",
        kShared, kind(KindOf("v")), tables.vital_sign);
  }
  if (tables.components) {
    parts += fmt::format(
        " UNION ALL SELECT {0}, performer, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL{2} FROM "
        "{1} v "
        "WHERE panel IS NULL AND component = '0' AND NOT EXISTS (SELECT 1 FROM {1} o WHERE o.id = "
        "v.id "
        "AND o.id_space = v.id_space AND o.component IS NULL)",
        kShared, tables.vital_sign, kind(KindOfComponents(tables)));
  }
  return fmt::format("({}) r", parts);
}

}  // namespace

const std::string_view kRowList =
    "r.id_space, r.id, r.version_id, epoch_us(r.last_updated), epoch_us(r.received_at), "
    "r.content_hash, r.source_partition, r.source_offset, r.source_length, "
    "coalesce(r.deleted, false), r.patient_id, epoch_us(r.retracted_at)";

std::string RelationOf(FhirType type, const FhirTables& tables) {
  if (type == FhirType::kObservation) return ObservationRelation(tables, With::kNoKind);
  return fmt::format("(SELECT *, CAST(NULL AS VARCHAR) AS patient_id FROM {}) r", tables.patient);
}

std::string ObservationsWithKind(const FhirTables& tables) {
  return ObservationRelation(tables, With::kKind);
}

}  // namespace vitalake::serve
