#include "serve/fhir/versions.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <limits>

#include "base/percent.h"
#include "engine/relation.h"
#include "serve/fhir/exchange.h"
#include "serve/fhir/rows.h"
#include "serve/fhir/search_sql.h"
#include "serve/fhir/search_value.h"
#include "serve/http/routes.h"
#include "serve/page_cursor.h"

namespace vitalake::serve {
namespace {

constexpr std::string_view kVitalSignTable = "silver.vital_sign";
constexpr int64_t kMostVersions = 1'000;  // of a page

std::vector<std::string_view> TablesOf(FhirType type) {
  if (type == FhirType::kPatient) return {"silver.patient"};
  return {"silver.observation", kVitalSignTable};
}

// The change files that a vacuum has left, from the oldest commit that is there. Without what only
// came in: before a row changes it is the current one, and of a change the feed has what was
// before.
Result<std::vector<delta::ChangeFile>> ChangesLeft(lake::Lake& lake, delta::Table& table,
                                                   const delta::SnapshotPtr& snapshot) {
  VL_TRY(const auto commits, table.History(std::numeric_limits<size_t>::max()));
  if (commits.empty()) return std::vector<delta::ChangeFile>{};
  VL_TRY(auto files, table.Changes(commits.back().version, snapshot->version()));
  std::erase_if(files, [&](const delta::ChangeFile& file) {
    return file.kind == delta::ChangeKind::kInsert ||
           !lake.store().LocalPath(table.root() + "/" + file.path);
  });
  return files;
}

struct Committed {
  Micros time = 0;
  ResourceRow row;
};

Status AddCommitted(engine::QueryResult& found, FhirType type, std::vector<Committed>& versions) {
  while (true) {
    VL_TRY(const bool more, found.Next());
    if (!more) return {};
    versions.push_back({found.GetInt64(kRowColumns), ResourceRowOf(type, found)});
  }
}

bool Holds(const std::vector<ResourceRow>& versions, const ResourceRow& row) {
  return std::ranges::any_of(versions, [&](const ResourceRow& one) {
    return one.deleted == row.deleted && one.ServedVersion() == row.ServedVersion();
  });
}

struct HistoryAsked {
  std::optional<Micros> since;
  int64_t count = kMostVersions;
  // How many of the oldest ones this page ends before: what comes in meanwhile is in front.
  std::optional<int64_t> left;
  QueryList known;  // for links, without the cursor
};

Result<int64_t> ReadNumber(std::string_view name, std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) {
    return Fail(ErrorKind::kInvalidArgument, fmt::format("{} is a number from 0", name));
  }
  return number;
}

Result<HistoryAsked> ReadHistory(const Request& request) {
  HistoryAsked asked;
  for (const auto& [name, value] : request.query) {
    if (name == "_cursor") {
      VL_TRY(const CursorParts parts, DecodeCursor(value, 1));
      VL_TRY(asked.left, ReadNumber(name, parts[0]));
      continue;
    }
    if (name == "_since") {
      VL_TRY(const TimeRange range, ParseSearchDate(value));
      asked.since = range.begin;
    } else if (name == "_count") {
      VL_TRY(asked.count, ReadNumber(name, value));
      asked.count = std::min(asked.count, kMostVersions);
    } else if (name != "_format") {
      if (!IsStrict(request)) continue;
      return Fail(ErrorKind::kInvalidArgument,
                  fmt::format("a history takes no {}", name.substr(0, 100)));
    }
    asked.known.emplace_back(name, value);
  }
  return asked;
}

// Versions whose bytes bronze has no longer are left out.
Status AddVersions(const FhirPlace& place, std::vector<ResourceRow> versions, FhirBundle& bundle) {
  std::vector<ResourceRow> there;
  std::ranges::remove_copy_if(versions, std::back_inserter(there), &ResourceRow::deleted);
  VL_TRY(auto loaded, LoadEntries(place, std::move(there), "", {}));
  auto next = loaded.begin();
  for (ResourceRow& row : versions) {
    if (row.deleted) {
      bundle.entries.push_back({std::move(row), "", ""});
    } else if (next != loaded.end() && next->row.ServedVersion() == row.ServedVersion()) {
      bundle.entries.push_back(std::move(*next++));
    }
  }
  *bundle.total -= static_cast<int64_t>(versions.size() - bundle.entries.size());
  return {};
}

}  // namespace

Result<std::optional<ResourceRow>> CurrentVersion(const FhirPlace& place, FhirType type,
                                                  const std::string& served_id) {
  const auto statement = [&](const FhirTables& tables) {
    return CompileFhirRead(type, {served_id}, tables);
  };
  VL_TRY(engine::QueryResult found, RunFhirQuery(place, statement, KeysOf(type, {served_id})));
  VL_TRY(const bool there, found.Next());
  if (!there) return std::nullopt;
  return ResourceRowOf(type, found);
}

Result<std::vector<ResourceRow>> VersionsOf(const FhirPlace& place, FhirType type,
                                            const std::string& served_id) {
  std::vector<ResourceRow> versions;
  VL_TRY(auto current, CurrentVersion(place, type, served_id));
  if (!current) return versions;
  versions.push_back(std::move(*current));
  std::vector<Committed> committed;
  for (const std::string_view name : TablesOf(type)) {
    VL_TRY(delta::Table * table, place.lake.OpenTable(name));
    VL_TRY(const delta::SnapshotPtr snapshot, table->Latest());
    VL_TRY(const auto files, ChangesLeft(place.lake, *table, snapshot));
    if (files.empty()) continue;
    VL_TRY(const std::string changes, engine::ChangesSql(place.lake.Files(snapshot, name), files));
    const SqlQuery query = CompileFhirVersions(type, changes, name == kVitalSignTable, served_id);
    VL_TRY(engine::QueryResult found,
           place.session.connection().Query(query.text, query.parameters, place.wait));
    VL_RETURN_IF_ERROR(AddCommitted(found, type, committed));
  }
  // A resource that became one of another kind went from table to table.
  std::ranges::stable_sort(committed, std::greater(), &Committed::time);
  for (Committed& one : committed) {
    if (!Holds(versions, one.row)) versions.push_back(std::move(one.row));
  }
  return versions;
}

Result<Response> FhirHistory(FhirType type, const FhirPlace& place, const Request& request) {
  const std::string& id = request.parameters.at("id");
  VL_TRY(const HistoryAsked asked, ReadHistory(request));
  VL_TRY(auto versions, VersionsOf(place, type, id));
  if (versions.empty()) {
    return FhirError(404, fmt::format("There is no {} of that id", ToString(type)));
  }
  std::erase_if(versions, [&](const ResourceRow& row) {
    return asked.since && row.Modified() < *asked.since;
  });
  FhirBundle bundle;
  bundle.type = "history";
  const auto total = static_cast<int64_t>(versions.size());
  bundle.total = total;
  const std::string url =
      fmt::format("{}/{}/{}/_history", place.base, ToString(type), PercentEncoded(id));
  const auto link = [&](std::string_view relation, std::optional<int64_t> left) {
    QueryList parameters = asked.known;
    if (left) parameters.emplace_back("_cursor", EncodeCursor({fmt::format("{}", *left)}));
    bundle.links.emplace_back(relation, url + QueryText(parameters));
  };
  link("self", asked.left);
  const int64_t begin = total - std::min(asked.left.value_or(total), total);
  const int64_t end = begin + std::min(asked.count, total - begin);
  if (asked.count > 0 && end < total) link("next", total - end);
  VL_RETURN_IF_ERROR(
      AddVersions(place, {versions.begin() + begin, versions.begin() + end}, bundle));
  return FhirAnswer(BundleJson(bundle, place.base));
}

}  // namespace vitalake::serve
