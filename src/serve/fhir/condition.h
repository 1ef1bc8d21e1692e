// Criteria of a search as SQL conditions over the relation r of a type's resources (relation.h).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "engine/engine.h"
#include "fhir/references.h"
#include "serve/fhir/relation.h"
#include "serve/fhir/search.h"
#include "serve/fhir/search_value.h"

namespace vitalake::serve {

// Whether a reference in a search may be one to a Patient.
bool MayBePatient(const fhir::ReferenceTarget& target);
// The id in the value of a search for references, whatever it refers to.
std::string_view ReferencedId(std::string_view text, const fhir::ReferenceTarget& target);

// Conditions joined by OR.
std::string OneOf(const std::vector<std::string>& conditions);

// Writes the conditions of one statement; every value of a request becomes a parameter of it.
class ConditionCompiler {
 public:
  ConditionCompiler(Micros now, const FhirTables& tables) : now_(now), tables_(tables) {}

  // Each gives the parameter's name.
  std::string Bind(engine::Parameter value);
  std::string BindText(std::string_view text) { return Bind(engine::Parameter(std::string(text))); }

  Result<std::string> Where(const FhirSearch& search);
  Result<std::string> After(const FhirSearch& search);
  // Whether `column` of r holds the key of what is served under this id.
  std::string IsServed(std::string_view column, std::string_view served_id);
  // Whether `column` of r holds the key of a Patient served under this id, or of one merged with
  // it.
  std::string IsOfPatient(std::string_view column, std::string_view served_id);
  // Whether `codings` of a row has the token.
  std::string HasCoding(std::string_view row, std::string_view value);
  // The same of r and of a panel's one coding.
  std::string HasOwnCoding(std::string_view value);
  std::vector<engine::Parameter> Take() { return std::move(parameters_); }
  // Whether the conditions so far are about values of silver.vital_sign inside of Observations.
  bool reads_parts() const { return reads_parts_; }

 private:
  Result<std::string> Holds(const Criterion& criterion);
  Result<std::string> Matches(const SearchParameter& parameter, const std::string& modifier,
                              std::string_view value);
  Result<std::string> IsMissing(const Criterion& criterion);
  std::string Starts(const SearchParameter& parameter, const std::string& modifier,
                     std::string_view value);
  std::string HasIdentifier(std::string_view column, std::string_view value);
  std::string HasContact(const SearchParameter& parameter, std::string_view value);
  Result<std::string> InRange(const SearchParameter& parameter, std::string_view value);
  std::string RefersTo(const SearchParameter& parameter, std::string_view modifier,
                       std::string_view value);
  std::string NamesResource(std::string_view column, std::string_view type, std::string_view id);
  std::string HasCode(const SearchParameter& parameter, std::string_view system,
                      const SearchToken& token);
  Result<std::string> HasQuantity(std::string_view row, std::string_view value);
  Result<std::string> HasCodedQuantity(std::string_view row, std::string_view value);
  std::string Compared(std::string_view row, Prefix prefix, const NumberRange& range);
  std::string OpenCompared(std::string_view row, Prefix prefix, const NumberRange& range);
  std::string ExactCompared(std::string_view row, Prefix prefix, const NumberRange& range);
  template <class Of>
  Result<std::string> OfValues(std::string_view whose, const Of& of);

  const Micros now_;
  const FhirTables& tables_;
  std::vector<engine::Parameter> parameters_;
  bool reads_parts_ = false;
};

}  // namespace vitalake::serve
