#include "serve/fhir/search.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/utf8.h"
#include "serve/fhir/search_value.h"

namespace vitalake::serve {
namespace {

constexpr int64_t kMostMatches = 1'000;
constexpr std::array<std::string_view, 5> kSummaries = {"false", "true", "text", "data", "count"};
constexpr size_t kMostValues = 1'000;  // of all criteria together

std::unexpected<Error> WrongSearch(std::string message) {
  return Fail(ErrorKind::kInvalidArgument, std::move(message));
}

// What a control parameter does to the search; false when it is none of ours.
Result<bool> ReadControl(FhirSearch& search, const std::string& name, const std::string& value) {
  if (name == "_count") {
    const auto [end, error] =
        std::from_chars(value.data(), value.data() + value.size(), search.count);
    if (error != std::errc() || end != value.data() + value.size() || search.count < 0) {
      return WrongSearch("_count is a number from 0");
    }
    search.count = std::min(search.count, kMostMatches);
  } else if (name == "_total") {
    if (value != "none" && value != "estimate" && value != "accurate") {
      return WrongSearch("_total is none, estimate or accurate");
    }
    search.total = value != "none";
  } else if (name == "_summary") {
    const auto found = std::ranges::find(kSummaries, value);
    if (found == kSummaries.end()) {
      return WrongSearch(fmt::format("_summary is {}", fmt::join(kSummaries, ", ")));
    }
    search.summary = static_cast<Summary>(found - kSummaries.begin());
  } else if (name == "_elements") {
    for (const std::string_view element : SplitEscaped(value, ',')) {
      if (!element.empty()) search.elements.emplace_back(element);
    }
  } else if (name == "_format") {
    return true;  // judged with the Accept header
  } else {
    return false;
  }
  return true;
}

// The keys that are served, as text again.
Result<std::string> ReadSort(FhirSearch& search, const std::string& value, bool strict) {
  std::string served;
  for (const std::string_view sent : SplitEscaped(value, ',')) {
    const bool descending = sent.starts_with('-');
    const std::string_view name = sent.substr(descending ? 1 : 0);
    const SortKey* const key = FindSortKey(search.type, name);
    if (key == nullptr && strict) {
      return WrongSearch(fmt::format("{} cannot be sorted by {}", ToString(search.type), name));
    }
    if (key == nullptr) continue;
    search.sort.push_back({key, descending});
    served += fmt::format("{}{}", served.empty() ? "" : ",", sent);
  }
  return served;
}

bool ReadInclude(FhirSearch& search, std::string_view name, std::string_view value) {
  const bool patient = value == "Observation:subject" || value == "Observation:patient" ||
                       value == "Observation:subject:Patient" ||
                       value == "Observation:patient:Patient";
  if (!patient) return false;
  if (name == "_include" && search.type == FhirType::kObservation) {
    search.include_patient = true;
  } else if (name == "_revinclude" && search.type == FhirType::kPatient) {
    search.include_observations = true;
  } else {
    return false;
  }
  return true;
}

// False when the parameter is not served, or has no value.
Result<bool> ReadCriterion(FhirSearch& search, std::string_view name, const std::string& value) {
  const size_t colon = name.find(':');
  const SearchParameter* const parameter = FindSearchParameter(search.type, name.substr(0, colon));
  if (parameter == nullptr) return false;
  Criterion criterion{parameter, {}, {}};
  if (colon != name.npos) {
    criterion.modifier = name.substr(colon + 1);
    const auto modifiers = ModifiersOf(*parameter);
    if (std::ranges::find(modifiers, criterion.modifier) == modifiers.end()) {
      return WrongSearch(fmt::format("{} does not take the modifier :{}; it takes: {}",
                                     parameter->name, criterion.modifier.substr(0, 50),
                                     fmt::join(modifiers, ", ")));
    }
  }
  for (const std::string_view part : SplitEscaped(value, ',')) {
    if (!part.empty()) criterion.values.emplace_back(part);
  }
  // A parameter without a value says nothing (search.html, 3.1.1.4).
  if (criterion.values.empty()) return false;
  search.criteria.push_back(std::move(criterion));
  return true;
}

}  // namespace

Result<FhirSearch> ReadFhirSearch(FhirType type, const QueryList& parameters, bool strict) {
  FhirSearch search;
  search.type = type;
  size_t values = 0;
  for (const auto& [name, value] : parameters) {
    if (!IsValidUtf8(value)) {
      return WrongSearch(fmt::format("the value of {} is no text in UTF-8", ValidUtf8(name)));
    }
    if (name == "_cursor") {
      VL_TRY(search.after, DecodeCursor(value, 0));
      continue;
    }
    if (name == "_sort") {
      VL_TRY(std::string served, ReadSort(search, value, strict));
      if (!served.empty()) search.known.emplace_back(name, std::move(served));
      continue;
    }
    VL_TRY(bool known, ReadControl(search, name, value));
    if (!known && (name == "_include" || name == "_revinclude")) {
      known = ReadInclude(search, name, value);
    }
    if (!known) {
      VL_TRY(known, ReadCriterion(search, name, value));
      values += known ? search.criteria.back().values.size() : 0;
    }
    if (values > kMostValues) return WrongSearch("a search has at most 1,000 values");
    if (!known && strict) {
      return WrongSearch(fmt::format("{}={} is not served for {}", name.substr(0, 100),
                                     value.substr(0, 100), ToString(type)));
    }
    if (known) search.known.emplace_back(name, value);
  }
  if (search.summary == Summary::kCount) search.count = 0;
  if (search.count == 0) search.total = true;
  return search;
}

}  // namespace vitalake::serve
