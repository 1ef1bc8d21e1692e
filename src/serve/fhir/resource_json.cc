#include "serve/fhir/resource_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/json_writer.h"
#include "fhir/references.h"
#include "serve/fhir/served_id.h"

namespace vitalake::serve {
namespace {

constexpr std::string_view kSubsetted =
    "{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ObservationValue\","
    "\"code\":\"SUBSETTED\"}";

// Elements marked as summary (Source: FHIR R4, patient.html and observation.html); of a choice
// element what stands before its type.
constexpr std::array<std::string_view, 12> kPatientSummary = {
    "implicitRules", "identifier", "active",   "name",    "telecom",
    "gender",        "birthDate",  "deceased", "address", "managingOrganization",
    "link",          "language"};
constexpr std::array<std::string_view, 16> kObservationSummary = {
    "implicitRules", "identifier", "basedOn",     "partOf",    "status", "code",
    "subject",       "focus",      "encounter",   "effective", "issued", "performer",
    "value",         "hasMember",  "derivedFrom", "component"};
constexpr std::array<std::string_view, 2> kObservationMandatory = {"status", "code"};

// "effective" is the element of "effectiveDateTime" and "_effectiveDateTime".
bool IsElement(std::string_view member, std::string_view element) {
  if (member.starts_with('_')) member.remove_prefix(1);
  if (!member.starts_with(element)) return false;
  const std::string_view rest = member.substr(element.size());
  const bool choice = element == "effective" || element == "value" || element == "deceased";
  return rest.empty() || (choice && rest.front() >= 'A' && rest.front() <= 'Z');
}

template <class List>
bool IsOneOf(std::string_view member, const List& elements) {
  return std::ranges::any_of(elements,
                             [&](std::string_view one) { return IsElement(member, one); });
}

bool IsKept(std::string_view member, const ResourceRow& row, const ServedParts& parts) {
  const bool observation = row.type == FhirType::kObservation;
  const bool mandatory = observation && IsOneOf(member, kObservationMandatory);
  if (!parts.elements.empty()) {
    if (mandatory) return true;
    return std::ranges::any_of(parts.elements, [&](std::string_view path) {
      const size_t dot = path.find('.');
      if (dot != path.npos && path.substr(0, dot) == ToString(row.type))
        path.remove_prefix(dot + 1);
      return IsElement(member, path.substr(0, path.find('.')));
    });
  }
  switch (parts.summary) {
    case Summary::kYes:
      return observation ? IsOneOf(member, kObservationSummary) : IsOneOf(member, kPatientSummary);
    case Summary::kText:
      return mandatory || IsElement(member, "text");
    case Summary::kData:
      return !IsElement(member, "text");
    default:
      return true;
  }
}

// A JSON number by its grammar: what can stand where a text was.
bool IsJsonNumber(std::string_view text) {
  JsonParser parser;
  const auto tree = parser.Parse(text);
  return tree && tree->is_number() && tree->text() == text;
}

bool HoldsQuantity(std::string_view member) {
  return member.ends_with("Quantity") || member == "low" || member == "high";
}

class Copier {
 public:
  explicit Copier(const ResourceRow& row) : row_(row) {}

  void Value(JsonValue value, std::string_view inside) {
    switch (value.type()) {
      case JsonType::kObject:
        json_.BeginObject();
        for (const JsonValue member : value.children()) Member(member, inside);
        json_.EndObject();
        break;
      case JsonType::kArray:
        json_.BeginArray();
        for (const JsonValue item : value.children()) Value(item, inside);
        json_.EndArray();
        break;
      case JsonType::kString:
        json_.String(value.text());
        break;
      default:
        json_.Raw(value.text());
    }
  }

  void Member(JsonValue member, std::string_view inside) {
    json_.Key(member.key());
    if (member.is_string() && member.key() == "reference" && !row_.id_space.empty()) {
      json_.String(ServedReference(member.text()));
    } else if (member.is_string() && member.key() == "value" && HoldsQuantity(inside) &&
               IsJsonNumber(member.text())) {
      json_.Raw(member.text());
    } else {
      Value(member, member.key());
    }
  }

  void Meta(JsonValue meta, bool subsetted) {
    json_.Key("meta").BeginObject();
    bool tagged = false;
    for (const JsonValue member : meta.children()) {
      if (member.key() == "versionId" || member.key() == "lastUpdated") continue;
      if (subsetted && member.key() == "tag" && member.is_array()) {
        json_.Key("tag").BeginArray();
        for (const JsonValue tag : member.children()) Value(tag, "tag");
        json_.Raw(kSubsetted).EndArray();
        tagged = true;
        continue;
      }
      Member(member, "meta");
    }
    json_.Key("versionId").String(row_.ServedVersion());
    const std::string_view sent = meta ? meta.String("lastUpdated") : std::string_view();
    json_.Key("lastUpdated").String(row_.last_updated ? sent : FormatUtc(row_.received_at));
    if (subsetted && !tagged) json_.Key("tag").BeginArray().Raw(kSubsetted).EndArray();
    json_.EndObject();
  }

  JsonWriter& json() { return json_; }

 private:
  std::string ServedReference(std::string_view text) const {
    const fhir::ReferenceTarget target = fhir::ParseReference(text);
    const bool ours = target.type == "Patient" || target.type == "Observation";
    if (!ours || target.form != fhir::ReferenceForm::kRelative) return std::string(text);
    return fmt::format("{}/{}", target.type, ServedId(row_.id_space, target.id));
  }

  const ResourceRow& row_;
  JsonWriter json_;
};

}  // namespace

std::string ServedResource(JsonValue resource, const ResourceRow& row, const ServedParts& parts) {
  const bool subsetted = !parts.elements.empty() || parts.summary == Summary::kYes ||
                         parts.summary == Summary::kText || parts.summary == Summary::kData;
  Copier copier(row);
  JsonWriter& json = copier.json();
  json.BeginObject().Key("resourceType").String(ToString(row.type));
  json.Key("id").String(ServedId(row.id_space, row.id));
  copier.Meta(resource.Find("meta"), subsetted);
  for (const JsonValue member : resource.children()) {
    const std::string_view key = member.key();
    if (key == "resourceType" || key == "id" || key == "meta") continue;
    if (IsKept(key, row, parts)) copier.Member(member, "");
  }
  return json.EndObject().Take();
}

}  // namespace vitalake::serve
