#include "serve/fhir/bundle.h"

#include <fmt/format.h>

#include "base/json_writer.h"
#include "serve/fhir/served_id.h"

namespace vitalake::serve {
namespace {

void AddHistoryParts(JsonWriter& json, const BundleEntry& entry, std::string_view place) {
  const bool gone = entry.resource.empty();
  json.Key("request").BeginObject().Key("method").String(gone ? "DELETE" : "PUT");
  json.Key("url").String(place).EndObject();
  json.Key("response").BeginObject().Key("status").String(gone ? "204" : "200");
  if (!gone) json.Key("etag").String(fmt::format("W/\"{}\"", entry.row.ServedVersion()));
  json.Key("lastModified").String(FormatUtc(entry.row.Modified())).EndObject();
}

}  // namespace

std::string BundleJson(const FhirBundle& bundle, std::string_view base) {
  JsonWriter json;
  json.BeginObject().Key("resourceType").String("Bundle").Key("type").String(bundle.type);
  if (bundle.total) json.Key("total").Int(*bundle.total);
  json.Key("link").BeginArray();
  for (const auto& [relation, url] : bundle.links) {
    json.BeginObject().Key("relation").String(relation).Key("url").String(url).EndObject();
  }
  json.EndArray();
  // An empty array is no FHIR.
  if (!bundle.entries.empty()) json.Key("entry").BeginArray();
  for (const BundleEntry& entry : bundle.entries) {
    const std::string place =
        fmt::format("{}/{}", ToString(entry.row.type), ServedId(entry.row.id_space, entry.row.id));
    json.BeginObject();
    if (entry.mode != kOutcomeMode) json.Key("fullUrl").String(fmt::format("{}/{}", base, place));
    if (!entry.resource.empty()) json.Key("resource").Raw(entry.resource);
    if (bundle.type == "history") AddHistoryParts(json, entry, place);
    if (!entry.mode.empty()) {
      json.Key("search").BeginObject().Key("mode").String(entry.mode).EndObject();
    }
    json.EndObject();
  }
  if (!bundle.entries.empty()) json.EndArray();
  return json.EndObject().Take();
}

}  // namespace vitalake::serve
