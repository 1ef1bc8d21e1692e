#include "serve/fhir/search_sql.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "serve/fhir/condition.h"

namespace vitalake::serve {

FhirKeys KeysOf(FhirType type, std::vector<std::string> served_ids) {
  return {.of = type == FhirType::kPatient ? FhirKeys::Of::kPatients : FhirKeys::Of::kObservations,
          .served_ids = std::move(served_ids)};
}

bool AsksWhose(const FhirSearch& search) {
  const auto by_patient = [](const SortBy& by) {
    return by.key->name == "patient" || by.key->name == "subject";
  };
  const auto missing = [](const Criterion& criterion) {
    return criterion.parameter->match == Match::kPatient && criterion.modifier == "missing";
  };
  return search.include_patient || std::ranges::any_of(search.sort, by_patient) ||
         std::ranges::any_of(search.criteria, missing);
}

std::optional<FhirKeys> KeysOf(const FhirSearch& search) {
  FhirKeys subjects{FhirKeys::Of::kSubjects};
  std::optional<FhirKeys> own;
  bool by_subject = false;
  for (const Criterion& criterion : search.criteria) {
    const Match match = criterion.parameter->match;
    if (match == Match::kPatient && criterion.modifier != "missing") {
      by_subject = true;
      for (const std::string& value : criterion.values) {
        const std::string text = Unescaped(value);
        const fhir::ReferenceTarget target = fhir::ParseReference(text);
        if (MayBePatient(target)) subjects.served_ids.emplace_back(ReferencedId(text, target));
      }
    } else if (match == Match::kId && criterion.modifier.empty() && !own) {
      own = KeysOf(search.type, {});
      own->include_subjects = AsksWhose(search);
      for (const std::string& value : criterion.values) own->served_ids.push_back(Unescaped(value));
    }
  }
  // Every subject's Patients are needed, where it names Patients at all.
  if (by_subject) return subjects;
  return own;
}

namespace {

struct PageSql {
  std::string places, text;  // the parts of cursors; from FROM on
};

Result<PageSql> CompilePage(ConditionCompiler& compiler, const FhirSearch& search,
                            const FhirTables& tables) {
  VL_TRY(const std::string where, compiler.Where(search));
  VL_TRY(const std::string after, compiler.After(search));
  std::string places, order;
  for (const SortBy& by : search.sort) {
    places += fmt::format("CAST({} AS VARCHAR), ", by.key->sql);
    order += fmt::format("{}{}, ", by.key->sql, by.descending ? " DESC" : "");
  }
  return PageSql{places + "r.id, r.id_space",
                 fmt::format("FROM {} WHERE {} AND {} ORDER BY {}r.id, r.id_space{}",
                             RelationOf(search.type, tables), where, after, order,
                             tables.few ? "" : fmt::format(" LIMIT {}", search.count + 1))};
}

}  // namespace

Result<SqlQuery> CompileFhirSearch(const FhirSearch& search, Micros now, const FhirTables& tables) {
  ConditionCompiler compiler(now, tables);
  VL_TRY(const PageSql page, CompilePage(compiler, search, tables));
  return SqlQuery{fmt::format("SELECT {}, {} {}", kRowList, page.places, page.text),
                  compiler.Take(), compiler.reads_parts()};
}

Result<SqlQuery> CompileFhirPlaces(const FhirSearch& search, Micros now) {
  const FhirTables tables;
  ConditionCompiler compiler(now, tables);
  VL_TRY(const PageSql page, CompilePage(compiler, search, tables));
  return SqlQuery{fmt::format("SELECT {} {}", page.places, page.text), compiler.Take(),
                  compiler.reads_parts()};
}

Result<SqlQuery> CompileFhirCount(const FhirSearch& search, Micros now, const FhirTables& tables) {
  ConditionCompiler compiler(now, tables);
  VL_TRY(const std::string where, compiler.Where(search));
  return SqlQuery{
      fmt::format("SELECT count(*) FROM {} WHERE {}", RelationOf(search.type, tables), where),
      compiler.Take(), compiler.reads_parts()};
}

SqlQuery CompileFhirRead(FhirType type, const std::vector<std::string>& served_ids,
                         const FhirTables& tables) {
  ConditionCompiler compiler(0, tables);
  std::vector<std::string> conditions = {"false"};
  for (const std::string& id : served_ids) conditions.push_back(compiler.IsServed("r.id", id));
  return {fmt::format("SELECT {} FROM {} WHERE {} ORDER BY coalesce(r.deleted, false), r.id",
                      kRowList, RelationOf(type, tables), OneOf(conditions)),
          compiler.Take(), compiler.reads_parts()};
}

SqlQuery CompileFhirVersions(FhirType type, std::string_view changes_sql, bool of_vital_signs,
                             const std::string& served_id) {
  const FhirTables tables;
  ConditionCompiler compiler(0, tables);
  const std::string which = compiler.IsServed("r.id", served_id);
  return {fmt::format(
              "SELECT {}, epoch_us(r._commit_timestamp) - CASE WHEN r._change_type IN ('insert', "
              "'update_postimage') THEN 0 ELSE 1 END AS since FROM (SELECT *{} FROM ({})) r "
              "WHERE {}{} ORDER BY r._commit_version DESC, since DESC",
              kRowList, type == FhirType::kPatient ? ", CAST(NULL AS VARCHAR) AS patient_id" : "",
              changes_sql, which, of_vital_signs ? " AND r.panel IS NULL" : ""),
          compiler.Take()};
}

Result<SqlQuery> CompileFhirLast(const FhirSearch& search, size_t most, Micros now,
                                 const FhirTables& tables) {
  ConditionCompiler compiler(now, tables);
  VL_TRY(const std::string where, compiler.Where(search));
  return SqlQuery{
      fmt::format("SELECT {0} FROM (SELECT r.*, rank() OVER (PARTITION BY r.kind ORDER BY r.begins "
                  "DESC NULLS LAST) AS place FROM {1} WHERE {2}) r WHERE r.place <= {3} "
                  "ORDER BY r.begins DESC NULLS LAST, r.id, r.id_space",
                  kRowList, ObservationsWithKind(tables), where, most),
      compiler.Take(), compiler.reads_parts()};
}

SqlQuery CompileFhirStats(const StatsRequest& request, const std::vector<std::string>& statistics,
                          const FhirTables& tables) {
  ConditionCompiler compiler(0, tables);
  const std::string patient = compiler.IsOfPatient("r.patient_id", request.patient);
  const std::string coding = compiler.HasCoding("r", request.coding);
  return {fmt::format(
              "SELECT r.unit, min(r.begins), max(r.begins), {} FROM (SELECT *, value AS v, "
              "coalesce(epoch_us(effective_time), epoch_us(CAST(effective_date AS TIMESTAMP))) AS "
              "begins FROM {} WHERE value IS NOT NULL AND retracted_at IS NULL AND "
              "NOT coalesce(deleted, false) AND quality NOT LIKE '%implausible%') r WHERE {} AND "
              "{} AND r.begins >= {} AND r.begins < {} GROUP BY 1 ORDER BY 1",
              fmt::join(statistics, ", "), tables.vital_sign, patient, coding,
              compiler.Bind(engine::Parameter(request.begin)),
              compiler.Bind(engine::Parameter(request.end))),
          compiler.Take()};
}

SqlQuery CompileObservationsOf(const std::vector<std::pair<std::string, std::string>>& patients,
                               size_t most, const FhirTables& tables) {
  ConditionCompiler compiler(0, tables);
  std::vector<std::string> conditions = {"false"};
  for (const auto& [space, id] : patients) {
    conditions.push_back(fmt::format("(r.patient_id = {} AND r.id_space = {})",
                                     compiler.BindText(id), compiler.BindText(space)));
  }
  return {
      fmt::format("SELECT {} FROM {} WHERE NOT coalesce(r.deleted, false) AND r.retracted_at "
                  "IS NULL AND {} ORDER BY r.id, r.id_space LIMIT {}",
                  kRowList, RelationOf(FhirType::kObservation, tables), OneOf(conditions), most),
      compiler.Take(), compiler.reads_parts()};
}

}  // namespace vitalake::serve
