// What a statement of the FHIR API reads: one row per resource.
//   Patient       silver.patient
//   Observation   silver.observation (blood pressure), and of silver.vital_sign what is at home
//                 there: the row of the Observation's own value, else that of its first component
// An Observation's own codings and value are columns of it; its components are looked up in
// silver.vital_sign. A blood-pressure panel has one coding, and no JSON of it is made for each row:
// `panel_code` and `panel_system`, null where silver keeps a code without its system.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "serve/fhir/parameters.h"

namespace vitalake::serve {

// Where a statement reads, and what it need not look for there.
struct FhirTables {
  std::string patient = "silver.patient";
  std::string observation = "silver.observation";
  std::string vital_sign = "silver.vital_sign";
  bool merged = true;  // there may be Patients that were merged with others
  // Of vital_sign: Observations at home there, by where their row is that stands for them.
  bool own_values = true;
  bool components = true;
  bool few = false;  // rows: they are sorted whole, and who reads takes as many as are asked for
};

// What a statement over resources gives of each, in this order: id_space, id, version_id,
// last_updated, received_at (both microseconds), content_hash, source_partition, source_offset,
// source_length, deleted, patient_id, retracted_at (microseconds).
inline constexpr size_t kRowColumns = 12;
// The same as SQL over a relation r.
extern const std::string_view kRowList;

// A relation of a type's resources as SQL for FROM, named r.
std::string RelationOf(FhirType type, const FhirTables& tables);
// The same of Observations with r.kind: what they are of, never null.
std::string ObservationsWithKind(const FhirTables& tables);

}  // namespace vitalake::serve
