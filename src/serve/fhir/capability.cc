#include "serve/fhir/capability.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/json_writer.h"
#include "serve/fhir/parameters.h"

namespace vitalake::serve {
namespace {

// The day this description last changed.
constexpr std::string_view kDate = "2026-11-28";

// How a route below /fhir/<type> is called.
struct KnownRoute {
  std::string_view method, rest, code;
};
constexpr std::array kInteractions = {
    KnownRoute{"GET", "/{id}", "read"},
    KnownRoute{"GET", "/{id}/_history/{version}", "vread"},
    KnownRoute{"GET", "/{id}/_history", "history-instance"},
    KnownRoute{"GET", "", "search-type"},
};
constexpr std::array kOperations = {
    KnownRoute{"GET", "/{id}/$everything", "everything"},
    KnownRoute{"GET", "/$lastn", "lastn"},
    KnownRoute{"GET", "/$stats", "stats"},
};

bool Has(const Routes& routes, FhirType type, const KnownRoute& known) {
  const std::string path = fmt::format("/fhir/{}{}", ToString(type), known.rest);
  return std::ranges::any_of(routes.all(), [&](const Route& route) {
    return route.method == known.method && route.path == path;
  });
}

void AddSearchParameters(JsonWriter& json, FhirType type) {
  json.Key("searchParam").BeginArray();
  for (const SearchParameter& parameter : SearchParameters()) {
    if (parameter.type != type) continue;
    json.BeginObject().Key("name").String(parameter.name).Key("type").String(parameter.kind);
    std::string text(parameter.documentation);
    const auto modifiers = ModifiersOf(parameter);
    for (const std::string_view modifier : modifiers) {
      text += fmt::format("{}:{}",
                          text.empty()                    ? ""
                          : modifier == modifiers.front() ? "; "
                                                          : " ",
                          modifier);
    }
    if (!text.empty()) json.Key("documentation").String(text);
    json.EndObject();
  }
  json.EndArray();
}

void AddResource(JsonWriter& json, const Routes& routes, FhirType type) {
  json.BeginObject().Key("type").String(ToString(type));
  json.Key("profile").String(
      fmt::format("http://hl7.org/fhir/StructureDefinition/{}", ToString(type)));
  json.Key("documentation").String("_sort: " + SortKeyNames(type));
  json.Key("interaction").BeginArray();
  for (const KnownRoute& known : kInteractions) {
    if (Has(routes, type, known)) json.BeginObject().Key("code").String(known.code).EndObject();
  }
  json.EndArray().Key("versioning").String("versioned").Key("readHistory").Bool(true);
  json.Key("updateCreate").Bool(false);
  if (type == FhirType::kObservation) {
    json.Key("searchInclude").BeginArray();
    json.String("Observation:patient").String("Observation:subject").EndArray();
  } else {
    json.Key("searchRevInclude").BeginArray();
    json.String("Observation:patient").String("Observation:subject").EndArray();
  }
  AddSearchParameters(json, type);
  std::string operations;
  for (const KnownRoute& known : kOperations) {
    if (!Has(routes, type, known)) continue;
    JsonWriter one;
    one.BeginObject().Key("name").String(known.code).Key("definition");
    one.String(
        fmt::format("http://hl7.org/fhir/OperationDefinition/{}-{}", ToString(type), known.code));
    operations += (operations.empty() ? "" : ",") + one.EndObject().Take();
  }
  if (!operations.empty()) json.Key("operation").Raw("[" + operations + "]");
  json.EndObject();
}

}  // namespace

std::string CapabilityJson(const Routes& routes, std::string_view base) {
  JsonWriter json;
  json.BeginObject().Key("resourceType").String("CapabilityStatement");
  json.Key("status").String("active").Key("date").String(kDate);
  json.Key("kind").String("instance").Key("software").BeginObject();
  json.Key("name").String("Vitalake").EndObject();
  json.Key("implementation").BeginObject().Key("description");
  json.String("Patients and their vital signs, read-only").Key("url").String(base).EndObject();
  json.Key("fhirVersion").String("4.0.1").Key("format").BeginArray();
  json.String("application/fhir+json").String("json").EndArray();
  json.Key("rest").BeginArray().BeginObject().Key("mode").String("server");
  json.Key("resource").BeginArray();
  AddResource(json, routes, FhirType::kPatient);
  AddResource(json, routes, FhirType::kObservation);
  return json.EndArray().EndObject().EndArray().EndObject().Take();
}

}  // namespace vitalake::serve
