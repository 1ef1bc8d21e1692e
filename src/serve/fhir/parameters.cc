#include "serve/fhir/parameters.h"

#include <algorithm>

namespace vitalake::serve {
namespace {

constexpr FhirType kPat = FhirType::kPatient, kObs = FhirType::kObservation;
constexpr std::string_view kObservationStatus = "http://hl7.org/fhir/observation-status";
constexpr std::string_view kCategorySystem =
    "http://terminology.hl7.org/CodeSystem/observation-category";
constexpr std::string_view kUpdatedLow = "epoch_us(coalesce(r.last_updated, r.received_at))";
constexpr std::string_view kUpdatedHigh = "epoch_us(coalesce(r.last_updated, r.received_at)) + 1";
constexpr std::string_view kBirth = "epoch_us(CAST(r.birth_date AS TIMESTAMP))";
constexpr std::string_view kBirthEnd = "epoch_us(CAST(r.birth_date AS TIMESTAMP) + INTERVAL 1 DAY)";

std::vector<SearchParameter> MakeParameters() {
  return {
      {kPat, "_id", "token", Match::kId},
      {kPat,
       "_lastUpdated",
       "date",
       Match::kRange,
       {kUpdatedLow, kUpdatedHigh},
       {},
       "meta.lastUpdated, without one the time of arrival"},
      {kPat, "identifier", "token", Match::kIdentifiers, {"nullif(r.identifiers, '[]')"}},
      {kPat,
       "name",
       "string",
       Match::kWordStart,
       {"r.family_name", kGivenNames},
       {},
       "family and given names of the official name, else of the first that is not old"},
      {kPat,
       "family",
       "string",
       Match::kStart,
       {"r.family_name"},
       {},
       "of the official name, else of the first that is not old"},
      {kPat,
       "given",
       "string",
       Match::kWordStart,
       {kGivenNames},
       {},
       "of the official name, else of the first that is not old"},
      {kPat,
       "birthdate",
       "date",
       Match::kRange,
       {kBirth, kBirthEnd},
       {},
       "of patients whose day of birth is known"},
      {kPat,
       "gender",
       "token",
       Match::kCode,
       {"r.gender"},
       "http://hl7.org/fhir/administrative-gender"},
      {kPat,
       "address",
       "string",
       Match::kStart,
       {"r.line", "r.city", "r.district", "r.state", "r.postal_code", "r.country"},
       {},
       "the home address, else the first that is not old; its first line"},
      {kPat,
       "telecom",
       "token",
       Match::kContact,
       {"r.work_phone", "r.mobile_phone", "r.email"},
       {},
       "the first work phone, mobile phone and e-mail address by rank"},
      {kPat, "active", "token", Match::kFlag, {"r.active"}},
      {kPat,
       "death-date",
       "date",
       Match::kRange,
       {"epoch_us(r.deceased_time)", "epoch_us(r.deceased_time) + 1000000"},
       {},
       "of patients whose time of death is known to the second"},
      {kObs, "_id", "token", Match::kId},
      {kObs,
       "_lastUpdated",
       "date",
       Match::kRange,
       {kUpdatedLow, kUpdatedHigh},
       {},
       "meta.lastUpdated, without one the time of arrival"},
      {kObs,
       "identifier",
       "token",
       Match::kUri,
       {"r.identifier"},
       {},
       "the first identifier whose system is urn:ietf:rfc:3986"},
      {kObs, "patient", "reference", Match::kPatient, {"r.patient_id"}},
      {kObs, "subject", "reference", Match::kPatient, {"r.patient_id"}, {}, "Patients"},
      {kObs,
       "device",
       "reference",
       Match::kReference,
       {"r.device"},
       {},
       {},
       {"Device", "DeviceMetric"}},
      {kObs,
       "performer",
       "reference",
       Match::kReference,
       {"r.performer"},
       {},
       "the first Practitioner, else the first performer",
       {"Practitioner", "PractitionerRole", "Organization", "CareTeam", "Patient",
        "RelatedPerson"}},
      {kObs, "encounter", "reference", Match::kReference, {"r.encounter"}, {}, {}, {"Encounter"}},
      {kObs, "code", "token", Match::kCodings, {}, kOwn},
      {kObs, "component-code", "token", Match::kCodings, {}, kComponents},
      {kObs, "combo-code", "token", Match::kCodings, {}, kBoth},
      {kObs,
       "category",
       "token",
       Match::kCode,
       {"r.category_code"},
       kCategorySystem,
       "the first category's code"},
      {kObs,
       "date",
       "date",
       Match::kRange,
       {"r.begins", "r.ends"},
       {},
       "of Observations with a day at least; of a Timing its first event; a Period without end is "
       "its start"},
      {kObs,
       "status",
       "token",
       Match::kCode,
       {"r.status"},
       kObservationStatus,
       "without it entered-in-error and cancelled are left out"},
      {kObs, "value-quantity", "quantity", Match::kQuantity, {}, kOwn, "in canonical units"},
      {kObs,
       "component-value-quantity",
       "quantity",
       Match::kQuantity,
       {},
       kComponents,
       "in canonical units"},
      {kObs, "combo-value-quantity", "quantity", Match::kQuantity, {}, kBoth, "in canonical units"},
      {kObs,
       "code-value-quantity",
       "composite",
       Match::kCodedQuantity,
       {},
       kOwn,
       "in canonical units"},
      {kObs,
       "combo-code-value-quantity",
       "composite",
       Match::kCodedQuantity,
       {},
       kBoth,
       "in canonical units"},
  };
}

std::vector<SortKey> MakeSortKeys() {
  constexpr std::string_view kServedId =
      "CASE WHEN r.id_space = '' THEN r.id ELSE concat(r.id_space, '.', r.id) END";
  constexpr std::string_view kUpdated =
      "coalesce(epoch_us(coalesce(r.last_updated, r.received_at)), -9000000000000000000)";
  return {
      {kPat, "_id", kServedId},
      {kPat, "_lastUpdated", kUpdated, true},
      {kPat, "family", "coalesce(strip_accents(lower(r.family_name)), '')"},
      {kPat, "given", "coalesce(strip_accents(lower(r.given_name)), '')"},
      {kPat, "name",
       "coalesce(strip_accents(lower(concat(r.family_name, ' ', r.given_name))), '')"},
      {kPat, "birthdate",
       "coalesce(epoch_us(CAST(r.birth_date AS TIMESTAMP)), -9000000000000000000)", true},
      {kPat, "gender", "coalesce(r.gender, '')"},
      {kPat, "death-date", "coalesce(epoch_us(r.deceased_time), -9000000000000000000)", true},
      {kObs, "_id", kServedId},
      {kObs, "_lastUpdated", kUpdated, true},
      {kObs, "date", "coalesce(r.begins, -9000000000000000000)", true},
      {kObs, "status", "coalesce(r.status, '')"},
      {kObs, "category", "coalesce(r.category_code, '')"},
      {kObs, "patient", "coalesce(r.patient_id, '')"},
      {kObs, "subject", "coalesce(r.patient_id, '')"},
  };
}

}  // namespace

std::string_view ToString(FhirType type) {
  return type == FhirType::kPatient ? "Patient" : "Observation";
}

const std::vector<SearchParameter>& SearchParameters() {
  static const std::vector<SearchParameter> parameters = MakeParameters();
  return parameters;
}

const SearchParameter* FindSearchParameter(FhirType type, std::string_view name) {
  const auto found = std::ranges::find_if(SearchParameters(), [&](const SearchParameter& one) {
    return one.type == type && one.name == name;
  });
  return found == SearchParameters().end() ? nullptr : &*found;
}

std::vector<std::string_view> ModifiersOf(const SearchParameter& parameter) {
  switch (parameter.match) {
    case Match::kStart:
    case Match::kWordStart:
      return {"exact", "contains", "missing"};
    case Match::kPatient:
      return {"Patient", "missing"};
    case Match::kId:
      return {"not"};
    case Match::kCodedQuantity:
      return {};
    case Match::kReference: {
      std::vector<std::string_view> modifiers = parameter.types;
      modifiers.emplace_back("missing");
      return modifiers;
    }
    case Match::kRange:
    case Match::kQuantity:
      return {"missing"};
    default:
      return {"not", "missing"};
  }
}

const std::vector<SortKey>& SortKeys() {
  static const std::vector<SortKey> keys = MakeSortKeys();
  return keys;
}

std::string SortKeyNames(FhirType type) {
  std::string names;
  for (const SortKey& key : SortKeys()) {
    if (key.type != type) continue;
    names += (names.empty() ? "" : ", ") + std::string(key.name);
  }
  return names;
}

const SortKey* FindSortKey(FhirType type, std::string_view name) {
  const auto found = std::ranges::find_if(
      SortKeys(), [&](const SortKey& one) { return one.type == type && one.name == name; });
  return found == SortKeys().end() ? nullptr : &*found;
}

}  // namespace vitalake::serve
