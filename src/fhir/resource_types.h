// The resource types of FHIR R4.
// Source: https://hl7.org/fhir/R4/resourcelist.html
#pragma once

#include <string>
#include <string_view>

namespace vitalake::fhir {

// Whether a resource can have this resourceType. Letter case counts.
bool IsResourceType(std::string_view name);

// For people: that it is none, and the one it may be meant for. Names no text that is no name.
std::string UnknownTypeMessage(std::string_view name);

}  // namespace vitalake::fhir
