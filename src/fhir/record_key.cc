#include "fhir/record_key.h"

#include <algorithm>
#include <charconv>

#include "fhir/content_hash.h"
#include "fhir/references.h"

namespace vitalake::fhir {
namespace {

constexpr std::string_view kUriSystem = "urn:ietf:rfc:3986";
constexpr std::string_view kUrnUuid = "urn:uuid:";

// effectiveDateTime, valueQuantity, ...: a member of the choice element `stem`[x].
bool IsChoice(std::string_view name, std::string_view stem) {
  return name.size() > stem.size() && name.starts_with(stem) && name[stem.size()] >= 'A' &&
         name[stem.size()] <= 'Z';
}

bool IsValue(std::string_view name) {
  return name == "code" || name == "dataAbsentReason" || IsChoice(name, "value");
}

Hash128 ComponentsHash(JsonValue components) {
  MemberHash all;
  for (const JsonValue component : components.children()) {
    MemberHash one;
    for (const JsonValue member : component.children()) {
      if (IsValue(member.key())) one.Add(member);
    }
    all.Add("component", one.Value());  // in whatever order they come
  }
  return all.Value();
}

Hash128 ObservationHash(JsonValue observation) {
  MemberHash hash;
  for (const JsonValue member : observation.children()) {
    const std::string_view name = member.key();
    if (name == "component") {
      hash.Add(name, ComponentsHash(member));
    } else if (name == "subject" || name == "device" || IsValue(name) ||
               IsChoice(name, "effective")) {
      hash.Add(member);
    }
  }
  return hash.Value();
}

}  // namespace

std::string_view ToString(KeyOrigin origin) {
  switch (origin) {
    case KeyOrigin::kId:
      return "id";
    case KeyOrigin::kIdentifier:
      return "identifier";
    case KeyOrigin::kFullUrl:
      return "fullUrl";
    case KeyOrigin::kHash:
      return "hash";
  }
  return "id";
}

std::string_view UriIdentifier(JsonValue resource) {
  for (const JsonValue identifier : resource.Find("identifier").children()) {
    if (identifier.String("system") != kUriSystem) continue;
    std::string_view value = identifier.String("value");
    if (value.starts_with(kUrnUuid)) value.remove_prefix(kUrnUuid.size());
    if (!value.empty()) return value;
  }
  return {};
}

RecordKey ReadingKey(JsonValue resource, KeyRule rule, std::string_view full_url) {
  const bool observation = resource.String("resourceType") == "Observation";
  const bool by_identifier = rule == KeyRule::kIdentifier && observation;
  const std::string_view own = by_identifier ? UriIdentifier(resource) : resource.String("id");
  if (!own.empty()) {
    return {std::string(own), by_identifier ? KeyOrigin::kIdentifier : KeyOrigin::kId};
  }
  if (!full_url.empty()) return {std::string(IdFromFullUrl(full_url)), KeyOrigin::kFullUrl};
  const Hash128 hash = observation ? ObservationHash(resource) : ContentHash(resource);
  return {hash.ToHex(), KeyOrigin::kHash};
}

std::optional<int64_t> VersionNumber(std::string_view version_id) {
  if (version_id.empty() || version_id.find_first_not_of("0123456789") != version_id.npos) {
    return std::nullopt;
  }
  int64_t number = 0;
  const auto [end, error] =
      std::from_chars(version_id.data(), version_id.data() + version_id.size(), number);
  return error == std::errc() ? std::min(number, kLargestVersion) : kLargestVersion;
}

}  // namespace vitalake::fhir
