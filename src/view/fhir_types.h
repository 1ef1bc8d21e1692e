// Names of the FHIR data types: which member names a choice element may have, and subtypes.
// Source: FHIR R4, Data Types, Choice of Data Types (https://hl7.org/fhir/R4/formats.html#choice).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/symbols.h"

namespace vitalake::view {

// The type whose capitalised name is `suffix` ("DateTime" -> symbol of "dateTime"); 0 when none is.
Symbol TypeOfSuffix(std::string_view suffix);

// Whether `name` is a type a choice element can have (as "Quantity", "code").
bool IsDataType(std::string_view name);

// `name` with its first letter in upper case.
std::string Capitalised(std::string_view name);

// `type` itself and all its subtypes, the type first ("uri" -> uri, url, canonical, oid, uuid).
std::span<const std::string_view> WithSubtypes(std::string_view type);

// Whether `actual` is `wanted` or a subtype of it.
bool IsSubtype(std::string_view actual, std::string_view wanted);

}  // namespace vitalake::view
