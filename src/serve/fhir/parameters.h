// The search parameters that are served: data, from which requests are read, SQL is compiled and
// the CapabilityStatement is written. What is not in here is not claimed. Source: FHIR R4,
// patient.html#search and observation.html#search.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vitalake::serve {

enum class FhirType : uint8_t { kPatient, kObservation };
std::string_view ToString(FhirType type);

// How a parameter compares; what `columns` and `detail` are, in brackets. Columns are SQL over the
// relation of the type (fhir/search_sql.cc).
enum class Match : uint8_t {
  kId,             // the served id
  kStart,          // text that begins with the value, in one of [columns]
  kWordStart,      // the same at any word, as given names are joined
  kCode,           // one code [column] of one code system [detail]
  kFlag,           // true or false [column]
  kIdentifiers,    // JSON array of Identifiers [column]
  kUri,            // value of an identifier whose system is urn:ietf:rfc:3986 [column]
  kContact,        // value of a contact: [columns] phones, the last one an e-mail address
  kRange,          // times [low, high), microseconds: two [columns]
  kPatient,        // id of a Patient, or of one merged with it [column]
  kReference,      // id of a resource of the first of [types], else the literal reference [column]
  kCodings,        // codings of measured values [detail: whose]
  kQuantity,       // measured values [detail: whose]
  kCodedQuantity,  // code$quantity of one measured value [detail: whose]
};

// The column of all given names, joined by a space.
inline constexpr std::string_view kGivenNames = "r.given_name";

// Whose codings and values: the Observation's own, its components', either's.
inline constexpr std::string_view kOwn = "own", kComponents = "components", kBoth = "both";

struct SearchParameter {
  FhirType type = FhirType::kPatient;
  std::string_view name;
  std::string_view kind;  // FHIR's: token, string, date, reference, quantity, composite
  Match match = Match::kId;
  std::vector<std::string_view> columns = {};
  std::string_view detail = {};
  std::string_view documentation = {};       // where it searches less than the specification says
  std::vector<std::string_view> types = {};  // what a kReference may refer to
};

const std::vector<SearchParameter>& SearchParameters();
// Null when it is not served.
const SearchParameter* FindSearchParameter(FhirType type, std::string_view name);

// The modifiers a parameter takes: "exact", "contains", "not", "missing", the types of a reference.
std::vector<std::string_view> ModifiersOf(const SearchParameter& parameter);

// What results can be sorted by: SQL over the relation, never null, BIGINT or VARCHAR. What is
// missing comes before everything else: as '', and as a time before all others.
struct SortKey {
  FhirType type = FhirType::kPatient;
  std::string_view name;
  std::string_view sql;
  bool number = false;
};
const SortKey* FindSortKey(FhirType type, std::string_view name);
const std::vector<SortKey>& SortKeys();
// "_id, _lastUpdated, ..."
std::string SortKeyNames(FhirType type);

}  // namespace vitalake::serve
