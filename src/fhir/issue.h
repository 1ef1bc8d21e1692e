// Issue: what is wrong with a record, where in it, and where the record came from.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vitalake::fhir {

enum class Severity {
  kFatal,        // the record cannot be read at all
  kError,        // breaks a rule of FHIR R4 or of the domain
  kWarning,      // usable, but something was assumed or looks wrong
  kInformation,  // usable and right; noted
};

// "fatal", "error", "warning", "information": the codes of FHIR's OperationOutcome.
std::string_view ToString(Severity severity);

struct Issue {
  Severity severity = Severity::kError;
  // A short fixed token for grouping: "json", "required", "type", "cardinality", "code", "id",
  // "date", "unit", "unknown-property", "obs-6", "vs-1", ...
  std::string rule;
  std::string element_path;  // "Observation.component[1].valueQuantity.value"; "" = whole record
  std::string message;       // for people: what is wrong and what was done; no patient data
};

}  // namespace vitalake::fhir
