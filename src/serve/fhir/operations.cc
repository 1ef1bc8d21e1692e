#include "serve/fhir/operations.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/percent.h"
#include "serve/fhir/exchange.h"
#include "serve/fhir/rows.h"
#include "serve/fhir/search_sql.h"
#include "serve/fhir/search_value.h"
#include "serve/fhir/stats.h"
#include "serve/fhir/versions.h"
#include "serve/query_number.h"

namespace vitalake::serve {
namespace {

constexpr size_t kMostOfACode = 1'000;

// Types by comma or in several parameters; without any all are wanted.
bool Wants(const Request& request, FhirType type) {
  bool any = false;
  for (const auto& [name, value] : request.query) {
    if (name != "_type") continue;
    for (const std::string_view named : SplitEscaped(value, ',')) {
      if (named == ToString(type)) return true;
      any = any || !named.empty();
    }
  }
  return !any;
}

// The Observations that $everything asks for.
Result<FhirSearch> ReadEverything(const Request& request, const std::string& id) {
  QueryList parameters = {{"patient", id}};
  QueryList known;
  for (const auto& [name, value] : request.query) {
    // Dates without a prefix: they get one.
    if (name == "start" || name == "end" || name == "_since") {
      VL_RETURN_IF_ERROR(ParseSearchDate(value));
    }
    if (name == "start") {
      parameters.emplace_back("date", "ge" + value);
    } else if (name == "end") {
      parameters.emplace_back("date", "le" + value);
    } else if (name == "_since") {
      parameters.emplace_back("_lastUpdated", "ge" + value);
    } else if (name == "_count" || name == "_cursor") {
      parameters.emplace_back(name, value);
    } else if (name != "_type" && name != "_format") {
      if (!IsStrict(request)) continue;
      return Fail(ErrorKind::kInvalidArgument, fmt::format("$everything takes no {}", name));
    }
    if (name != "_cursor") known.emplace_back(name, value);
  }
  const bool counted = request.Query("_count") != nullptr;
  if (!counted) parameters.emplace_back("_count", "1000");
  VL_TRY(FhirSearch search, ReadFhirSearch(FhirType::kObservation, parameters, true));
  search.known = std::move(known);
  return search;
}

Result<Response> Everything(const FhirPlace& place, const Request& request) {
  const std::string& id = request.parameters.at("id");
  VL_TRY(const auto patient, CurrentVersion(place, FhirType::kPatient, id));
  if (!patient) return FhirError(404, "There is no Patient of that id");
  if (patient->deleted) return FhirError(410, "The Patient was deleted");
  VL_TRY(const FhirSearch search, ReadEverything(request, id));
  FhirBundle bundle;
  const std::string path = fmt::format("Patient/{}/$everything", PercentEncoded(id));
  if (Wants(request, FhirType::kObservation)) {
    VL_TRY(bundle, SearchPage(place, search, path));
  } else {
    bundle.links.emplace_back("self",
                              fmt::format("{}/{}{}", place.base, path, QueryText(search.known)));
  }
  const bool with_patient = Wants(request, FhirType::kPatient);
  if (search.count == 0) bundle.total = bundle.total.value_or(0) + (with_patient ? 1 : 0);
  if (search.after.empty() && search.count > 0 && with_patient) {
    VL_TRY(auto first, LoadEntries(place, {*patient}, "match", {}));
    std::ranges::move(first, std::inserter(bundle.entries, bundle.entries.begin()));
  }
  return FhirAnswer(BundleJson(bundle, place.base));
}

// Of a search, but nothing that $lastn does: it has its own order and one page.
constexpr std::array<std::string_view, 6> kNotOfLastN = {"_count",      "_sort",   "_include",
                                                         "_revinclude", "_cursor", "_total"};

Result<Response> LastN(const FhirPlace& place, const Request& request) {
  VL_TRY(const size_t most, PositiveOf(request, "max", 1, kMostOfACode));
  QueryList parameters;
  bool patient = false, coded = false;
  for (const auto& [name, value] : request.query) {
    if (name == "max") continue;
    if (std::ranges::find(kNotOfLastN, name) != kNotOfLastN.end()) {
      if (!IsStrict(request)) continue;
      return FhirError(400, fmt::format("$lastn takes no {}", name));
    }
    parameters.emplace_back(name, value);
    const std::string_view plain = std::string_view(name).substr(0, name.find(':'));
    patient = patient || plain == "patient" || plain == "subject";
    coded = coded || plain == "category" || plain == "code";
  }
  if (!patient || !coded) {
    return FhirError(400, "$lastn needs patient or subject, and category or code");
  }
  VL_TRY(FhirSearch search, ReadFhirSearch(FhirType::kObservation, parameters, IsStrict(request)));
  const Micros now = place.lake.clock().NowMicros();
  const auto statement = [&](const FhirTables& tables) {
    return CompileFhirLast(search, most, now, tables);
  };
  VL_TRY(auto rows, RowsFound(place, FhirType::kObservation, statement, KeysOf(search)));
  FhirBundle bundle;
  bundle.total = static_cast<int64_t>(rows.size());
  if (const std::string* const max = request.Query("max")) search.known.emplace_back("max", *max);
  bundle.links.emplace_back(
      "self", fmt::format("{}/Observation/$lastn{}", place.base, QueryText(search.known)));
  if (search.summary != Summary::kCount) {
    VL_TRY(bundle.entries,
           LoadEntries(place, std::move(rows), "match", {search.summary, search.elements}));
  }
  return FhirAnswer(BundleJson(bundle, place.base));
}

}  // namespace

const std::vector<FhirOperation>& FhirOperations() {
  static const std::vector<FhirOperation> operations = {
      {"/fhir/Patient/{id}/$everything",
       "A Patient with the Observations",
       {{"start", "Observations from this day on"},
        {"end", "Observations up to this day"},
        {"_since", "Changed since"},
        {"_type", "Patient, Observation"},
        {"_count", "Observations of a page (1,000)", "integer"}},
       Everything},
      {"/fhir/Observation/$lastn",
       "The newest Observations of every code",
       {{"max", "Of each code, those of one moment together (1)", "integer"},
        {"patient", "Of this Patient"},
        {"category", "Of this category"},
        {"code", "Of this code"}},
       LastN},
      {"/fhir/Observation/$stats",
       "Statistics of what was measured of a Patient, a code each",
       {{"subject", "The Patient"},
        {"code", "Codes, by comma"},
        {"system", "Of the codes: http://loinc.org"},
        {"statistic", "average, count, maximum, median, minimum, std-dev, sum, variance, by comma"},
        {"duration", "Hours before now", "number"},
        {"start", "From this day on"},
        {"end", "Up to this day"}},
       FhirStats},
  };
  return operations;
}

}  // namespace vitalake::serve
