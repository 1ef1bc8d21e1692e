// A search as SQL over silver.*: statements whose text is ours alone; every value of a request is a
// parameter.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "engine/engine.h"
#include "serve/fhir/relation.h"
#include "serve/fhir/search.h"

namespace vitalake::serve {

struct SqlQuery {
  std::string text;
  std::vector<engine::Parameter> parameters;  // of $1, $2, ...
  // Whether it looks at values of silver.vital_sign that are parts of blood pressures.
  bool reads_parts = true;
};

// Ids that all rows a statement can give have, where it names some.
struct FhirKeys {
  enum class Of {
    kPatients,      // the Patients themselves
    kObservations,  // the Observations themselves
    kSubjects,      // Observations of these Patients, or of those merged with them
  };
  Of of = Of::kObservations;
  std::vector<std::string> served_ids = {};
  bool include_subjects = false;  // of kObservations: whom they are of is asked for, too
};
// Whether the search's answer depends on whom Observations are of, besides the Patients it names.
bool AsksWhose(const FhirSearch& search);
// Of a search (and of its count and its newest); nullopt: it names none.
std::optional<FhirKeys> KeysOf(const FhirSearch& search);
FhirKeys KeysOf(FhirType type, std::vector<std::string> served_ids);

// A page of matches and more (one where the rows are not `few`): kRowColumns, then the parts of
// their cursors as text. `now` is what `ap` measures from. kInvalidArgument for a value that is
// none, a cursor of another search.
Result<SqlQuery> CompileFhirSearch(const FhirSearch& search, Micros now,
                                   const FhirTables& tables = {});
// Of the same page only the parts of cursors, of which the last two are id and id_space: out of few
// columns.
Result<SqlQuery> CompileFhirPlaces(const FhirSearch& search, Micros now);
// The number of all matches, in one cell.
Result<SqlQuery> CompileFhirCount(const FhirSearch& search, Micros now,
                                  const FhirTables& tables = {});
// Resources by their served ids, retracted and deleted ones too (a deleted one last).
SqlQuery CompileFhirRead(FhirType type, const std::vector<std::string>& served_ids,
                         const FhirTables& tables = {});
// Observations of Patients by their keys in one id_space, without retracted ones; at most `most`.
SqlQuery CompileObservationsOf(const std::vector<std::pair<std::string, std::string>>& patients,
                               size_t most, const FhirTables& tables = {});

// Versions of one resource out of a change feed (`changes_sql`, of one silver table): kRowColumns,
// then the time of their commit in microseconds; newest first.
SqlQuery CompileFhirVersions(FhirType type, std::string_view changes_sql, bool of_vital_signs,
                             const std::string& served_id);
// The newest `most` matches of every code, those of one moment together, newest first.
Result<SqlQuery> CompileFhirLast(const FhirSearch& search, size_t most, Micros now,
                                 const FhirTables& tables = {});

// What is measured of a Patient, and of those merged with it, under a code: one row per unit that
// values are kept in.
struct StatsRequest {
  std::string patient;  // served id
  std::string coding;   // "code" or "system|code"
  Micros begin = 0;     // of effective times: [begin, end)
  Micros end = 0;
};
// unit, first and last effective time (microseconds), then one column per statistic (SQL
// aggregates over v, a DOUBLE). Retracted and implausible values do not count.
SqlQuery CompileFhirStats(const StatsRequest& request, const std::vector<std::string>& statistics,
                          const FhirTables& tables = {});

}  // namespace vitalake::serve
