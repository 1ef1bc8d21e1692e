#include "serve/fhir/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>

#include "base/json_writer.h"
#include "serve/fhir/exchange.h"
#include "serve/fhir/rows.h"
#include "serve/fhir/search_sql.h"
#include "serve/fhir/served_id.h"

namespace vitalake::serve {
namespace {

constexpr size_t kPageBytes = 64 << 20;
constexpr size_t kMostIncluded = 1'000;

struct FoundPage {
  std::vector<ResourceRow> rows;
  std::vector<CursorParts> places;  // of the rows
  bool more = false;                // there are more behind these
};

CursorParts PlaceOf(const engine::QueryResult& found, size_t first_column) {
  CursorParts parts;
  for (size_t i = first_column; i < found.columns().size(); ++i) parts.push_back(found.Text(i));
  return parts;
}

// The places of the page's resources and of the one behind, out of narrow columns of the whole
// table. nullopt: rows are not found by them.
Result<std::optional<std::vector<CursorParts>>> FindPlaces(const FhirPlace& place,
                                                           const FhirSearch& search, Micros now) {
  const std::string_view table =
      search.type == FhirType::kPatient ? "silver.patient" : "silver.observation";
  if (!place.lake.row_index().IsReady(table)) return std::nullopt;
  VL_TRY(const SqlQuery query, CompileFhirPlaces(search, now));
  VL_TRY(engine::QueryResult found, place.session.Query(query.text, query.parameters, place.wait));
  std::vector<CursorParts> places;
  while (true) {
    VL_TRY(const bool more, found.Next());
    if (!more) return places;
    places.push_back(PlaceOf(found, 0));
  }
}

FhirKeys KeysAt(const FhirSearch& search, std::span<const CursorParts> places) {
  std::vector<std::string> served_ids;
  for (const CursorParts& parts : places) {
    served_ids.push_back(ServedId(parts.back(), parts[parts.size() - 2]));
  }
  FhirKeys keys = KeysOf(search.type, std::move(served_ids));
  keys.include_subjects = AsksWhose(search);
  return keys;
}

Result<FoundPage> ReadPage(const FhirPlace& place, const FhirSearch& search, Micros now,
                           const std::optional<FhirKeys>& keys) {
  const auto statement = [&](const FhirTables& tables) {
    return CompileFhirSearch(search, now, tables);
  };
  VL_TRY(engine::QueryResult found, RunFhirQuery(place, statement, keys));
  FoundPage page;
  while (true) {
    VL_TRY(const bool more, found.Next());
    if (!more) return page;
    if (static_cast<int64_t>(page.rows.size()) == search.count) {
      page.more = true;
      return page;
    }
    page.rows.push_back(ResourceRowOf(search.type, found));
    page.places.push_back(PlaceOf(found, kRowColumns));
  }
}

// Where the search names no ids but rows are found by them, the page's ids are found first. That is
// an older version of the tables than the rows are read of: where these are not at the same places
// any more, others may belong between them or follow them.
Result<FoundPage> FindPage(const FhirPlace& place, const FhirSearch& search) {
  const Micros now = place.lake.clock().NowMicros();
  if (const auto keys = KeysOf(search)) return ReadPage(place, search, now, keys);
  if (AsksWhose(search)) {
    VL_TRY(const bool by_identifier, place.lake.subject_names().Any(place.wait));
    if (by_identifier) return ReadPage(place, search, now, std::nullopt);
  }
  VL_TRY(const auto places, FindPlaces(place, search, now));
  if (places) {
    VL_TRY(FoundPage page, ReadPage(place, search, now, KeysAt(search, *places)));
    const size_t wanted = std::min(places->size(), static_cast<size_t>(search.count));
    const bool same = page.more == (places->size() > wanted) &&
                      std::ranges::equal(page.places, std::span(*places).first(wanted));
    if (same) return page;
  }
  return ReadPage(place, search, now, std::nullopt);
}

Result<int64_t> CountAll(const FhirPlace& place, const FhirSearch& search) {
  const Micros now = place.lake.clock().NowMicros();
  const auto statement = [&](const FhirTables& tables) {
    return CompileFhirCount(search, now, tables);
  };
  VL_TRY(engine::QueryResult found, RunFhirQuery(place, statement, KeysOf(search)));
  VL_TRY([[maybe_unused]] const bool one, found.Next());
  return found.GetInt64(0);
}

// What stands in a Bundle for what is not included any more.
BundleEntry NotIncluded() {
  JsonWriter json;
  json.BeginObject().Key("resourceType").String("OperationOutcome").Key("issue").BeginArray();
  json.BeginObject().Key("severity").String("warning").Key("code").String("too-costly");
  json.Key("diagnostics");
  json.String(
      fmt::format("There are more Observations of these Patients than the {} included: ask "
                  "for a lower _count, or by Observation?patient=",
                  kMostIncluded));
  json.EndObject().EndArray().EndObject();
  return {{}, json.Take(), kOutcomeMode};
}

Status AddIncluded(const FhirPlace& place, const FhirSearch& search,
                   const std::vector<ResourceRow>& matches, FhirBundle& bundle) {
  std::vector<ResourceRow> included;
  if (search.include_patient) {
    std::set<std::string> ids;
    for (const ResourceRow& row : matches) {
      if (!row.patient_id.empty()) ids.insert(ServedId(row.id_space, row.patient_id));
    }
    const std::vector<std::string> served(ids.begin(), ids.end());
    const auto statement = [&](const FhirTables& tables) {
      return CompileFhirRead(FhirType::kPatient, served, tables);
    };
    VL_TRY(included,
           RowsFound(place, FhirType::kPatient, statement, KeysOf(FhirType::kPatient, served)));
  } else if (search.include_observations) {
    std::vector<std::pair<std::string, std::string>> patients;
    FhirKeys keys{FhirKeys::Of::kSubjects};
    for (const ResourceRow& row : matches) {
      patients.emplace_back(row.id_space, row.id);
      keys.served_ids.push_back(ServedId(row.id_space, row.id));
    }
    const auto statement = [&](const FhirTables& tables) {
      return CompileObservationsOf(patients, kMostIncluded + 1, tables);
    };
    VL_TRY(included, RowsFound(place, FhirType::kObservation, statement, keys));
  }
  std::erase_if(included, [](const ResourceRow& row) { return row.deleted; });
  const bool cut = included.size() > kMostIncluded;
  if (cut) included.resize(kMostIncluded);
  VL_TRY(auto entries, LoadEntries(place, std::move(included), "include",
                                   {.summary = search.summary, .elements = {}}));
  std::ranges::move(entries, std::back_inserter(bundle.entries));
  if (cut) bundle.entries.push_back(NotIncluded());
  return {};
}

}  // namespace

Result<std::vector<BundleEntry>> LoadEntries(const FhirPlace& place, std::vector<ResourceRow> rows,
                                             std::string_view mode, const ServedParts& parts) {
  std::vector<std::string> texts(rows.size());
  size_t bytes = 0;
  ResourceLoader loader(place.lake, place.session, place.wait);
  VL_RETURN_IF_ERROR(
      loader.Load(rows, [&](size_t i, JsonValue resource, std::string_view) -> Status {
        texts[i] = ServedResource(resource, rows[i], parts);
        bytes += texts[i].size();
        if (bytes <= kPageBytes) return {};
        return Fail(ErrorKind::kLimit, "the page is larger than 64 MiB: ask for a lower _count");
      }));
  std::vector<BundleEntry> entries;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (texts[i].empty()) continue;
    entries.push_back({std::move(rows[i]), std::move(texts[i]), mode});
  }
  return entries;
}

Result<FhirBundle> SearchPage(const FhirPlace& place, const FhirSearch& search,
                              const std::string& path) {
  FhirBundle bundle;
  if (search.total) {
    VL_TRY(bundle.total, CountAll(place, search));
  }
  const std::string url = fmt::format("{}/{}", place.base, path);
  QueryList here = search.known;
  if (!search.after.empty()) here.emplace_back("_cursor", EncodeCursor(search.after));
  bundle.links.emplace_back("self", url + QueryText(here));
  if (search.count == 0) return bundle;
  VL_TRY(FoundPage page, FindPage(place, search));
  if (page.more) {
    QueryList there = search.known;
    there.emplace_back("_cursor", EncodeCursor(page.places.back()));
    bundle.links.emplace_back("next", url + QueryText(there));
  }
  const ServedParts parts = {search.summary, search.elements};
  VL_TRY(bundle.entries, LoadEntries(place, page.rows, "match", parts));
  VL_RETURN_IF_ERROR(AddIncluded(place, search, page.rows, bundle));
  return bundle;
}

}  // namespace vitalake::serve
