// Steps:
//  1. the Patients that a served id stands for: itself, those merged with it, those with these ...
//     and, where readings name their patient by an identifier, which ones are theirs;
//  2. of each table that the statement names, the rows of these ids and identifiers are put into
//     memory, the latter as if they had the patient's id;
//  3. the statement, planned once for what is among these rows, runs over them.
// Where readings name their patient by an identifier, and it is asked whom any of them are of, all
// are joined with their patients by scan.
#include "serve/fhir/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "lake/person_link.h"
#include "lake/subject_link.h"
#include "serve/fhir/served_id.h"

namespace vitalake::serve {
namespace {

constexpr std::string_view kPatients = "silver.patient";
constexpr std::string_view kObservations = "silver.observation";
constexpr std::string_view kVitalSigns = "silver.vital_sign";
constexpr std::string_view kPatientId = "patient_id";
constexpr std::string_view kSubjectIdentifier = "subject_identifier";
constexpr std::string_view kPanel = "panel";

class HeldTables {
 public:
  // `query`: over the tables at rest. `by_identifier`: readings may name their patient by one.
  HeldTables(const FhirPlace& place, const SqlQuery& query, bool by_identifier)
      : place_(place),
        text_(query.text),
        reads_parts_(query.reads_parts),
        by_identifier_(by_identifier) {
    tables_.few = true;
  }

  // False: they must be found by scan.
  Result<bool> Fill(const FhirKeys& keys) {
    std::vector<std::string> ids = IdsOf(keys.served_ids);
    if (keys.of == FhirKeys::Of::kPatients) {
      return Take(kPatients, "id", ids, tables_.patient);
    }
    const bool of_subjects = keys.of == FhirKeys::Of::kSubjects;
    if (of_subjects && Names(kPatients)) {
      VL_TRY(const bool known, AddMerged(ids));
      if (!known) return false;
    }
    if (of_subjects && by_identifier_) {
      VL_TRY(const bool known, FindIdentifiers(ids));
      if (!known) return false;
    }
    const std::string_view column = of_subjects ? kPatientId : "id";
    if (Names(kObservations)) {
      VL_TRY(const bool found, Take(kObservations, column, ids, tables_.observation));
      if (!found) return false;
    }
    if (!Names(kVitalSigns)) return true;
    return TakeVitalSigns(column, ids);
  }
  const FhirTables& tables() const { return tables_; }

 private:
  // Of a row, the cells of the columns that were asked for.
  using UseCells = std::function<void(std::span<const view::Cell* const>)>;

  bool Names(std::string_view table) const { return text_.find(table) != text_.npos; }

  static std::vector<std::string> IdsOf(const std::vector<std::string>& served_ids) {
    std::set<std::string> ids;
    for (const std::string& served : served_ids) {
      for (std::string& id : IdsServedAs(served)) ids.insert(std::move(id));
    }
    return {ids.begin(), ids.end()};
  }

  // Of silver.patient those whose person is meant; their own ids count, too, until no more are
  // found.
  Result<bool> AddMerged(std::vector<std::string>& ids) {
    std::set<std::string> found(ids.begin(), ids.end());
    tables_.merged = false;
    do {
      ids.assign(found.begin(), found.end());
      VL_TRY(const bool known,
             Take(kPatients, "person_id", ids, tables_.patient, {"id", "person_id"},
                  [&](std::span<const view::Cell* const> cells) {
                    if (cells[0]->is_null || cells[0]->text == cells[1]->text) return;
                    found.emplace(cells[0]->text);
                    tables_.merged = true;
                  }));
      if (!known) return false;
    } while (found.size() > ids.size());
    return true;
  }

  Result<bool> TakeVitalSigns(std::string_view column, const std::vector<std::string>& ids) {
    tables_.own_values = tables_.components = false;
    return Take(kVitalSigns, column, ids, tables_.vital_sign, {kPanel, "component"},
                [&](std::span<const view::Cell* const> cells) {
                  if (!cells[0]->is_null) return;
                  (cells[1]->is_null ? tables_.own_values : tables_.components) = true;
                });
  }

  // Which identifiers are those of the Patients, in identifiers_. Those who were merged with others
  // are not among the rows of persons, and rows may be there twice: statements ask for links alone.
  Result<bool> FindIdentifiers(const std::vector<std::string>& ids) {
    VL_TRY(const bool found, Names(kPatients) ? Add(kPatients, "id", ids)
                                              : Take(kPatients, "id", ids, tables_.patient));
    return found ? ReadIdentifiers(ids) : Result<bool>(false);
  }

  // Always the same of a table: two versions together may say what neither does.
  Result<delta::SnapshotPtr> SnapshotOf(std::string_view table) {
    delta::SnapshotPtr& snapshot = snapshots_[table];
    if (!snapshot) {
      VL_TRY(snapshot, place_.lake.Latest(table));
    }
    return snapshot;
  }

  Result<bool> ReadIdentifiers(const std::vector<std::string>& ids) {
    VL_TRY(const delta::SnapshotPtr snapshot, SnapshotOf(kPatients));
    if (!lake::KeepIdentifiers(*snapshot)) return true;
    VL_TRY(const auto shared, place_.lake.subject_names().SharedIdentifiers(snapshot, place_.wait));
    if (shared == nullptr) return false;
    const std::string held = lake::HeldIdentifiersSql(
        fmt::format("SELECT * FROM {} WHERE retracted_at IS NULL", tables_.patient));
    VL_TRY(engine::QueryResult found, place_.session.QueryHeld(held, {}, place_.wait));
    while (true) {
      VL_TRY(const bool more, found.Next());
      if (!more) return true;
      std::pair identifier(std::string(found.GetString(0)), std::string(found.GetString(1)));
      std::string patient(found.GetString(2));
      if (!std::ranges::binary_search(ids, patient)) continue;
      if (const auto several = shared->find(identifier); several != shared->end()) {
        if (!several->second) continue;
        patient = *several->second;
      }
      identifiers_.emplace(std::move(identifier), std::move(patient));
    }
  }

  // Puts the rows where `held` then says. False where a column is none of the table's.
  Result<bool> Take(
      std::string_view table, std::string_view column, const std::vector<std::string>& values,
      std::string& held, const std::vector<std::string_view>& noted = {},
      const UseCells& use = [](std::span<const view::Cell* const>) {}) {
    VL_TRY(const delta::SnapshotPtr snapshot, SnapshotOf(table));
    engine::RowBuffer* const rows = place_.session.HeldRows(table, *snapshot);
    if (rows == nullptr) return false;
    rows->Clear();
    held = rows->sql();
    return Add(table, column, values, noted, use);
  }

  // Puts them behind those that are there.
  Result<bool> Add(
      std::string_view table, std::string_view column, const std::vector<std::string>& values,
      const std::vector<std::string_view>& noted = {},
      const UseCells& use = [](std::span<const view::Cell* const>) {}) {
    VL_TRY(const delta::SnapshotPtr snapshot, SnapshotOf(table));
    engine::RowBuffer* const rows = place_.session.HeldRows(table, *snapshot);
    const auto places = PlacesOf(*snapshot, noted);
    if (rows == nullptr || !places) return false;
    std::vector<const view::Cell*> cells_noted(places->size());
    const auto keep = [&](std::span<const view::Cell> cells) {
      rows->Append(cells);
      for (size_t i = 0; i < places->size(); ++i) cells_noted[i] = &cells[(*places)[i]];
      use(cells_noted);
      return rows->bytes() < lake::RowIndex::kMostHeldBytes;
    };
    const std::string_view unless = reads_parts_ ? "" : kPanel;
    VL_TRY(const bool found, place_.lake.row_index().Read({table, snapshot, column, values, unless},
                                                          keep, place_.wait));
    if (!found || column != kPatientId || identifiers_.empty()) return found;
    return TakeIdentified(table, snapshot, keep);
  }

  // The readings that name their patient by one of identifiers_, with its id.
  Result<bool> TakeIdentified(std::string_view table, const delta::SnapshotPtr& snapshot,
                              const lake::RowIndex::UseRow& keep) {
    const auto places = PlacesOf(*snapshot, {kPatientId, kSubjectIdentifier, "id_space"});
    if (!places) return true;  // a table that keeps none
    std::set<std::string> values;
    for (const auto& [identifier, _] : identifiers_) values.insert(identifier.second);
    const std::vector<std::string> wanted(values.begin(), values.end());
    std::vector<view::Cell> with_patient;
    return place_.lake.row_index().Read(
        {table, snapshot, kSubjectIdentifier, wanted},
        [&](std::span<const view::Cell> cells) {
          const view::Cell& identifier = cells[(*places)[1]];
          if (!cells[(*places)[0]].is_null || identifier.is_null) return true;
          const auto found = identifiers_.find(
              std::pair(std::string(cells[(*places)[2]].text), std::string(identifier.text)));
          if (found == identifiers_.end()) return true;
          with_patient.assign(cells.begin(), cells.end());
          with_patient[(*places)[0]].is_null = false;
          with_patient[(*places)[0]].text = found->second;
          return keep(with_patient);
        },
        place_.wait);
  }

  // nullopt: one is no column of the table.
  static std::optional<std::vector<size_t>> PlacesOf(const delta::Snapshot& table,
                                                     const std::vector<std::string_view>& columns) {
    const auto& fields = table.schema().fields();
    std::vector<size_t> places;
    for (const std::string_view name : columns) {
      const auto field = std::ranges::find(fields, name, &delta::Field::name);
      if (field == fields.end()) return std::nullopt;
      places.push_back(static_cast<size_t>(field - fields.begin()));
    }
    return places;
  }

  const FhirPlace& place_;
  const std::string_view text_;
  const bool reads_parts_;
  const bool by_identifier_;
  std::map<std::string_view, delta::SnapshotPtr> snapshots_;  // by the constants' names
  FhirTables tables_;
  // (id_space, identifier) -> the id of the Patient that it names.
  std::map<std::pair<std::string, std::string>, std::string> identifiers_;
};

// The tables with the patients of readings that name them by an identifier.
Result<FhirTables> TablesWithSubjects(const FhirPlace& place) {
  FhirTables tables;
  VL_TRY(const delta::SnapshotPtr patients, place.lake.Latest(kPatients));
  if (!lake::KeepIdentifiers(*patients)) return tables;
  const std::string rows = lake::LinkRows(*patients, fmt::format("FROM {}", kPatients));
  std::string named = "SELECT '' AS id_space, '' AS subject_identifier WHERE false";
  std::vector<std::pair<std::string_view, std::string*>> readings;
  for (const auto& [table, into] : {std::pair(kObservations, &tables.observation),
                                    std::pair(kVitalSigns, &tables.vital_sign)}) {
    VL_TRY(const delta::SnapshotPtr snapshot, place.lake.Latest(table));
    if (!lake::MayNameByIdentifier(*snapshot)) continue;
    readings.emplace_back(table, into);
    named += " UNION " + lake::NamedByIdentifierSql(fmt::format("FROM {}", table));
  }
  const std::string link = fmt::format(
      "({})", lake::SubjectLinkSql(named,
                                   lake::HeldIdentifiersSql(fmt::format(
                                       "FROM {} WHERE retracted_at IS NULL", kPatients)),
                                   lake::PersonLinkSql(rows)));
  for (const auto& [table, into] : readings) {
    *into = fmt::format("({})", lake::WithSubjectsSql(fmt::format("FROM {}", table), link));
  }
  return tables;
}

}  // namespace

Result<engine::QueryResult> RunFhirQuery(const FhirPlace& place, const FhirStatement& statement,
                                         const std::optional<FhirKeys>& keys) {
  VL_TRY(const SqlQuery query, statement(FhirTables{}));
  const bool of_subjects = keys && keys->of == FhirKeys::Of::kSubjects;
  const bool asks_whose = !keys || of_subjects || keys->include_subjects;
  bool by_identifier = false;
  if (asks_whose) {
    VL_TRY(by_identifier, place.lake.subject_names().Any(place.wait));
  }
  if (keys && (of_subjects || !by_identifier)) {
    HeldTables held(place, query, by_identifier);
    const auto filled = held.Fill(*keys);
    if (!filled && filled.error().kind != ErrorKind::kLimit) {
      return std::unexpected(filled.error());
    }
    if (filled.value_or(false)) {
      VL_TRY(const SqlQuery over, statement(held.tables()));
      auto found = place.session.QueryHeld(over.text, over.parameters, place.wait);
      if (found || found.error().kind != ErrorKind::kLimit) return found;
    }
  }
  if (!by_identifier) return place.session.Query(query.text, query.parameters, place.wait);
  VL_TRY(const FhirTables tables, TablesWithSubjects(place));
  VL_TRY(const SqlQuery over, statement(tables));
  return place.session.Query(over.text, over.parameters, place.wait);
}

Result<std::vector<ResourceRow>> RowsFound(const FhirPlace& place, FhirType type,
                                           const FhirStatement& statement,
                                           const std::optional<FhirKeys>& keys) {
  VL_TRY(engine::QueryResult found, RunFhirQuery(place, statement, keys));
  std::vector<ResourceRow> rows;
  while (true) {
    VL_TRY(const bool more, found.Next());
    if (!more) return rows;
    rows.push_back(ResourceRowOf(type, found));
  }
}

}  // namespace vitalake::serve
