// The inside of a narrative: txt-1 (harmless elements and attributes only) and txt-2 (some
// content). Source: https://hl7.org/fhir/R4/narrative.html
#pragma once

#include <string_view>

namespace vitalake::fhir {

enum class NarrativeFault { kNone, kNotDiv, kForbidden, kEmpty };

// O(length). Looks at tags and attribute names; does not check that tags are closed.
NarrativeFault CheckNarrative(std::string_view div);

}  // namespace vitalake::fhir
