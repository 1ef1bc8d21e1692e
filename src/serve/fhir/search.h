// FhirSearch: what a search asks for, read from a request's parameters.
// Source: FHIR R4, search.html.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "serve/fhir/parameters.h"
#include "serve/http/message.h"
#include "serve/page_cursor.h"

namespace vitalake::serve {

using QueryList = std::vector<std::pair<std::string, std::string>>;

// One parameter of a request: all criteria must hold, of one's values any.
struct Criterion {
  const SearchParameter* parameter = nullptr;
  std::string modifier;             // "" or one of ModifiersOf
  std::vector<std::string> values;  // still escaped; never empty
};

enum class Summary : uint8_t { kNo, kYes, kText, kData, kCount };

struct SortBy {
  const SortKey* key = nullptr;
  bool descending = false;
};

struct FhirSearch {
  FhirType type = FhirType::kPatient;
  std::vector<Criterion> criteria;
  std::vector<SortBy> sort;
  int64_t count = 50;  // most matches of a page; 0: the total alone
  bool total = false;
  Summary summary = Summary::kNo;
  std::vector<std::string> elements;  // empty: all
  bool include_patient = false;       // _include=Observation:subject or :patient
  bool include_observations = false;  // _revinclude, of Patients
  CursorParts after;                  // empty: the first page
  QueryList known;                    // what was understood, for the self link, without the cursor
};

// `strict`: what is unknown is kInvalidArgument instead of left out. kInvalidArgument, too, for
// values that are none, unknown modifiers of known parameters, and a cursor of another search.
Result<FhirSearch> ReadFhirSearch(FhirType type, const QueryList& parameters, bool strict);

}  // namespace vitalake::serve
