// Structural checks of FHIR R4 Patients and Observations.
//
// What is checked: known properties, JSON types, cardinality, required elements, the codes of
// required bindings, the syntax of primitives, `_name` members, choice types, empty values, and the
// invariants that concern what the lake reads (obs-6, obs-7, ext-1, per-1, ...; for vital signs
// vs-1 to vs-3 of the vital-signs profile). Terminology, profiles and the inside of other resources
// are out of reach.
//
// Source: FHIR R4 (4.0.1), the pages Patient, Observation, Data Types, Extensibility, Narrative,
// JSON (https://hl7.org/fhir/R4/json.html) and the Vital Signs profile.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/json_tree.h"
#include "fhir/issue.h"

namespace vitalake::fhir {

// What a finding means for whoever reads the element. Only elements that the silver tables are made
// from ("used") have an effect; a fault elsewhere is a remark.
enum class Effect : uint8_t {
  kRemark,      // the record can be used as it is
  kTextNumber,  // a number given as a JSON string; read it as a number
  // A wrong JSON type; an id, date or number that is none; a member given twice; or a code outside
  // the value set of a required element (Observation.status, Patient.link.type).
  kUnusable,
};

struct Finding {
  Issue issue;
  Effect effect = Effect::kRemark;
  JsonValue element;  // the faulty element; for a missing one the object that lacks it
};

// The findings about one resource, in document order. Empty when nothing is wrong, and for every
// resourceType but Patient and Observation. `resource` must be an object.
//
// Contained resources are only looked at from outside. Objects deeper than the parser expanded them
// (JsonType::kRaw) are not entered. Thread-safe. O(nodes); allocates only when something is found.
std::vector<Finding> Validate(JsonValue resource);

// Whether a coding of Observation.category says that it is a vital sign: in FHIR's code system, in
// the name that had before R4, or without any.
bool IsVitalSignsCategory(std::string_view system, std::string_view code);

}  // namespace vitalake::fhir
