// The JSON type and syntax of FHIR R4's primitive types.
// Source: https://hl7.org/fhir/R4/datatypes.html#primitive
#pragma once

#include <string_view>

#include "base/json_tree.h"
#include "fhir/issue.h"
#include "fhir/validate.h"
#include "fhir/validate_types.h"

namespace vitalake::fhir {

struct PrimitiveFault {
  Severity severity;
  std::string_view rule;
  std::string_view message;
  // Where the element is used.
  Effect effect;
};

// What is wrong with `value` as a primitive of that type; null when nothing is. JSON null is not
// for this function. The inside of an xhtml text is not looked at.
const PrimitiveFault* CheckPrimitive(Primitive primitive, JsonValue value);

// A JSON number (RFC 8259 section 6), whatever its size.
bool IsNumberText(std::string_view text);

}  // namespace vitalake::fhir
