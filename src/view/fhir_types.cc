#include "view/fhir_types.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <vector>

namespace vitalake::view {
namespace {

constexpr auto kTypes = std::to_array<std::string_view>({"base64Binary",
                                                         "boolean",
                                                         "canonical",
                                                         "code",
                                                         "date",
                                                         "dateTime",
                                                         "decimal",
                                                         "id",
                                                         "instant",
                                                         "integer",
                                                         "integer64",
                                                         "markdown",
                                                         "oid",
                                                         "positiveInt",
                                                         "string",
                                                         "time",
                                                         "unsignedInt",
                                                         "uri",
                                                         "url",
                                                         "uuid",
                                                         "Address",
                                                         "Age",
                                                         "Annotation",
                                                         "Attachment",
                                                         "CodeableConcept",
                                                         "CodeableReference",
                                                         "Coding",
                                                         "ContactDetail",
                                                         "ContactPoint",
                                                         "Contributor",
                                                         "Count",
                                                         "DataRequirement",
                                                         "Distance",
                                                         "Dosage",
                                                         "Duration",
                                                         "Expression",
                                                         "HumanName",
                                                         "Identifier",
                                                         "Meta",
                                                         "Money",
                                                         "ParameterDefinition",
                                                         "Period",
                                                         "Quantity",
                                                         "Range",
                                                         "Ratio",
                                                         "RatioRange",
                                                         "Reference",
                                                         "RelatedArtifact",
                                                         "SampledData",
                                                         "Signature",
                                                         "Timing",
                                                         "TriggerDefinition",
                                                         "UsageContext"});

using Family = std::vector<std::string_view>;

const std::array<Family, 4>& Families() {
  static const std::array<Family, 4> families = {
      Family{"string", "code", "id", "markdown"}, Family{"uri", "url", "canonical", "oid", "uuid"},
      Family{"integer", "positiveInt", "unsignedInt"},
      Family{"Quantity", "Age", "Count", "Distance", "Duration", "SimpleQuantity"}};
  return families;
}

struct Table {
  std::unordered_map<std::string, Symbol> by_suffix;
  Table() {
    for (std::string_view type : kTypes) by_suffix[Capitalised(type)] = InternSymbol(type);
  }
};

}  // namespace

Symbol TypeOfSuffix(std::string_view suffix) {
  static const Table& table = *new Table;
  const auto at = table.by_suffix.find(std::string(suffix));
  return at == table.by_suffix.end() ? 0 : at->second;
}

bool IsDataType(std::string_view name) {
  return std::find(kTypes.begin(), kTypes.end(), name) != kTypes.end() || name == "SimpleQuantity";
}

std::string Capitalised(std::string_view name) {
  std::string out(name);
  if (!out.empty() && out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 32);
  return out;
}

std::span<const std::string_view> WithSubtypes(std::string_view type) {
  for (const Family& family : Families()) {
    if (family[0] == type) return family;
  }
  const auto at = std::find(kTypes.begin(), kTypes.end(), type);
  if (at == kTypes.end()) return {};
  return {&*at, 1};
}

bool IsSubtype(std::string_view actual, std::string_view wanted) {
  if (actual == wanted) return true;
  const auto family = WithSubtypes(wanted);
  return std::find(family.begin(), family.end(), actual) != family.end();
}

}  // namespace vitalake::view
