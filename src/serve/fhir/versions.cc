#include "serve/fhir/versions.h"

#include <algorithm>
#include <limits>
#include <set>

#include "engine/relation.h"
#include "serve/fhir/rows.h"
#include "serve/fhir/search_sql.h"

namespace vitalake::serve {
namespace {

constexpr std::string_view kVitalSigns = "silver.vital_sign";

std::vector<std::string_view> TablesOf(FhirType type) {
  if (type == FhirType::kPatient) return {"silver.patient"};
  return {"silver.observation", kVitalSigns};
}

// The change files that a vacuum has left, from the oldest commit that is there; without those
// where the row index finds no such id.
Result<std::vector<delta::ChangeFile>> ChangesLeft(lake::Lake& lake, delta::Table& table,
                                                   const delta::SnapshotPtr& snapshot,
                                                   const std::string& served_id) {
  VL_TRY(const auto commits, table.History(std::numeric_limits<size_t>::max()));
  if (commits.empty()) return std::vector<delta::ChangeFile>{};
  VL_TRY(auto files, table.Changes(commits.back().version, snapshot->version()));
  std::erase_if(files, [&](const delta::ChangeFile& file) {
    return !lake.store().LocalPath(table.root() + "/" + file.path);
  });
  std::vector<std::string> paths;
  for (const delta::ChangeFile& file : files) {
    if (file.kind == delta::ChangeKind::kInsert) paths.push_back(file.path);
  }
  std::string name = table.root();
  std::ranges::replace(name, '/', '.');
  const std::vector<std::string> ids = IdsServedAs(served_id);
  const auto left = lake.row_index().FilesWith({name, snapshot, "id", ids}, paths);
  const std::set<std::string> wanted(left.begin(), left.end());
  std::erase_if(files, [&](const delta::ChangeFile& file) {
    return file.kind == delta::ChangeKind::kInsert && !wanted.contains(file.path);
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
    VL_TRY(const auto files, ChangesLeft(place.lake, *table, snapshot, served_id));
    if (files.empty()) continue;
    VL_TRY(const std::string changes, engine::ChangesSql(place.lake.Files(snapshot, name), files));
    const SqlQuery query = CompileFhirVersions(type, changes, name == kVitalSigns, served_id);
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

}  // namespace vitalake::serve
