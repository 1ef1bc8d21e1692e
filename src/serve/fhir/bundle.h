// A Bundle of type searchset or history, written entry by entry.
// Source: FHIR R4, bundle.html.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "serve/fhir/resources.h"

namespace vitalake::serve {

// Of an entry that is an OperationOutcome, without a place of its own: its row is not looked at.
inline constexpr std::string_view kOutcomeMode = "outcome";

struct BundleEntry {
  ResourceRow row;
  std::string resource;   // JSON; empty: deleted, in a history
  std::string_view mode;  // match, include, kOutcomeMode; empty in a history
};

struct FhirBundle {
  std::string_view type = "searchset";
  std::optional<int64_t> total;
  std::vector<std::pair<std::string, std::string>> links;  // relation -> url
  std::vector<BundleEntry> entries;
};

// `base`: "http://host:port/fhir", what fullUrl begins with.
std::string BundleJson(const FhirBundle& bundle, std::string_view base);

}  // namespace vitalake::serve
