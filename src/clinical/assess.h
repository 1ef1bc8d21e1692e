// Assess: THE decision about one record: where it belongs, whether it can be used, what is
// remarked.
//
// 1. Scope first: what belongs in no silver table is out of scope, whatever else it lacks.
// 2. Quarantined is only what cannot be used:
//      reason        when
//      type          no resourceType or none of FHIR R4, or a wrong JSON type in an element that is
//                    used
//      duplicate-key a used member is there twice
//      choice        two types of one x[x] that is used
//      id, date, number, code   wrong syntax of an id, date or number, or an unknown code of a
//                    required element (status), where it is used
//      subject       no reference and no identifier of a patient
//      code          no coding with a code
//      value         no value that can be used and no dataAbsentReason
//      impossible    S <= 0 or > 350, D < 0, both 0; a negative rate, mass, length, share
//      unit          a unit that is unknown, or absent where none may be assumed
//      time          more than 26 hours ahead of the time of receipt
//    A retraction (entered-in-error, cancelled) needs no more than an id: of what it holds only
//    that, its status and its meta are looked at.
// 3. Everything else is kept, with quality tokens and issues.
//
// A coding without a system counts as LOINC's where the code table has it, with a remark; one of
// any other system does not. So says CodeTable::Find, to the silver views as well.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json_tree.h"
#include "clinical/codes.h"
#include "clinical/quality.h"
#include "fhir/issue.h"

namespace vitalake::clinical {

// The silver table that decides a record's outcome.
enum class Home : uint8_t {
  kPatient,        // silver.patient
  kBloodPressure,  // silver.observation
  kVitalSign,      // silver.vital_sign; single systolic or diastolic Observations too
  kOutOfScope,
};

// "patient", "blood-pressure", "vital-sign", "out-of-scope".
std::string_view ToString(Home home);

struct Rejection {
  std::string reason;        // one of the words above
  std::string element_path;  // "" = the whole record
  std::string message;       // for people; no patient data
};

struct AssessContext {
  std::shared_ptr<const CodeTable> codes = CodeTable::Builtin();
  std::optional<Micros> received;  // absent: no record is ahead of time
  bool underscore_in_id = true;    // accept `_` in ids, with an issue; else it is wrong syntax
  bool cgm_source = false;         // the source is declared a continuous glucose monitor
};

struct Assessment {
  Home home = Home::kOutOfScope;
  std::optional<Rejection> rejection;
  // Of the resource and the values it is home for: systolic and diastolic of a blood pressure, else
  // its own. Those of other components are in their rows of silver.vital_sign alone.
  QualitySet quality;
  std::vector<fhir::Issue> issues;  // what is kept with a remark; without the rejection's own
  bool retracted = false;           // entered-in-error or cancelled
  // A value that can be read and is certainly critical (codes.yaml), rejected or not.
  bool critical = false;
};

// Never fails. `resource`: any JSON value, parsed after the start of main. Thread-safe. About one
// look at each node; allocates only for issues.
Assessment Assess(JsonValue resource, const AssessContext& context);

}  // namespace vitalake::clinical
