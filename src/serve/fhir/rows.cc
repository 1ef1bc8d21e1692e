// Steps:
//  1. the Patients that a served id stands for: itself, and those merged with it;
//  2. of each table that the statement names, the rows of these ids are put into memory;
//  3. the statement, planned once, runs over them: what it asks for is decided by its text alone.
#include "serve/fhir/rows.h"

#include <algorithm>
#include <set>

namespace vitalake::serve {
namespace {

constexpr std::string_view kPatients = "silver.patient";
constexpr std::string_view kObservationTables[] = {"silver.observation", "silver.vital_sign"};

class HeldTables {
 public:
  HeldTables(const FhirPlace& place, std::string text) : place_(place), text_(std::move(text)) {}

  // False: they must be found by scan.
  Result<bool> Fill(const FhirKeys& keys) {
    if (keys.of == FhirKeys::Of::kPatients) return Take(kPatients, "id", IdsOf(keys.served_ids));
    std::vector<std::string> ids = IdsOf(keys.served_ids);
    if (keys.of == FhirKeys::Of::kSubjects && Names(kPatients)) {
      VL_TRY(const bool known, AddMerged(ids));
      if (!known) return false;
    }
    const std::string_view column = keys.of == FhirKeys::Of::kSubjects ? "patient_id" : "id";
    for (const std::string_view table : kObservationTables) {
      if (!Names(table)) continue;
      VL_TRY(const bool found, Take(table, column, ids));
      if (!found) return false;
    }
    return !Names("silver.");
  }
  const std::string& text() const { return text_; }

 private:
  bool Names(std::string_view table) const { return text_.find(table) != text_.npos; }

  static std::vector<std::string> IdsOf(const std::vector<std::string>& served_ids) {
    std::set<std::string> ids;
    for (const std::string& served : served_ids) {
      for (std::string& id : IdsServedAs(served)) ids.insert(std::move(id));
    }
    return {ids.begin(), ids.end()};
  }

  // Of silver.patient those whose person is meant; their own ids count, too.
  Result<bool> AddMerged(std::vector<std::string>& ids) {
    const auto snapshot = place_.lake.Latest(kPatients);
    if (!snapshot) return std::unexpected(snapshot.error());
    const auto fields = (*snapshot)->schema().fields();
    const auto id = std::ranges::find(fields, "id", &delta::Field::name) - fields.begin();
    if (id == std::ssize(fields)) return false;
    const std::vector<std::string> persons = ids;
    return Take(kPatients, "person_id", persons, [&](std::span<const view::Cell> cells) {
      const view::Cell& own = cells[static_cast<size_t>(id)];
      if (!own.is_null) ids.emplace_back(own.text);
    });
  }

  Result<bool> Take(
      std::string_view table, std::string_view column, const std::vector<std::string>& values,
      const lake::RowIndex::UseRow& also = [](std::span<const view::Cell>) {}) {
    auto snapshot = place_.lake.Latest(table);
    if (!snapshot) return std::unexpected(snapshot.error());
    engine::RowBuffer* const rows = place_.session.HeldRows(table, **snapshot);
    if (rows == nullptr) return false;
    rows->Clear();
    VL_TRY(const bool found, place_.lake.row_index().Read(
                                 {table, *snapshot, column, values},
                                 [&](std::span<const view::Cell> cells) {
                                   rows->Append(cells);
                                   also(cells);
                                 },
                                 place_.wait));
    if (!found) return false;
    const std::string sql = rows->sql();
    for (size_t at = text_.find(table); at != text_.npos; at = text_.find(table, at + sql.size())) {
      text_.replace(at, table.size(), sql);
    }
    return true;
  }

  const FhirPlace& place_;
  std::string text_;
};

}  // namespace

Result<engine::QueryResult> RunFhirQuery(const FhirPlace& place, const SqlQuery& query,
                                         const std::optional<FhirKeys>& keys) {
  if (keys) {
    HeldTables tables(place, query.text);
    VL_TRY(const bool filled, tables.Fill(*keys));
    if (filled) return place.session.QueryHeld(tables.text(), query.parameters, place.wait);
  }
  return place.session.Query(query.text, query.parameters, place.wait);
}

Result<std::vector<ResourceRow>> RowsFound(const FhirPlace& place, FhirType type,
                                           const SqlQuery& query,
                                           const std::optional<FhirKeys>& keys) {
  VL_TRY(engine::QueryResult found, RunFhirQuery(place, query, keys));
  std::vector<ResourceRow> rows;
  while (true) {
    VL_TRY(const bool more, found.Next());
    if (!more) return rows;
    rows.push_back(ResourceRowOf(type, found));
  }
}

}  // namespace vitalake::serve
