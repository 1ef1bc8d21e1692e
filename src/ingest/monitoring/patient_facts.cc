#include "ingest/monitoring/patient_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/json_tree.h"
#include "base/json_writer.h"
#include "engine/relation.h"
#include "engine/row_buffer.h"
#include "lake/cell_row.h"
#include "lake/person_link.h"
#include "lake/subject_link.h"
#include "lake/upsert_sql.h"

namespace vitalake::ingest {
namespace {

constexpr std::string_view kPatientTable = "silver.patient";

std::optional<int64_t> NumberOf(JsonValue json, std::string_view name) {
  const JsonValue value = json.Find(name);
  return value ? value.AsInt() : std::nullopt;
}

bool FlagOf(JsonValue json, std::string_view name) {
  const JsonValue value = json.Find(name);
  return value && value.type() == JsonType::kTrue;
}

// Of the current row of Find's query.
WatchedPatient PatientOf(const engine::QueryResult& row) {
  WatchedPatient patient;
  patient.id = row.GetString(0);
  monitor::VersionRank rank;
  if (!row.IsNull(1)) rank.version = row.GetInt64(1);
  if (!row.IsNull(2)) rank.last_updated = row.GetInt64(2);
  const bool retracted = row.GetBool(3);
  patient.rank = PatientRank::Of(rank, retracted);
  patient.facts.known = !retracted;
  if (retracted) return patient;
  if (!row.IsNull(4)) patient.facts.birth_day = static_cast<int32_t>(row.GetInt64(4));
  patient.facts.deceased = row.GetBool(5);
  if (!row.IsNull(6)) patient.facts.deceased_at = row.GetInt64(6);
  patient.facts.is_test = row.GetBool(7);
  patient.facts.replaced_by = row.GetString(8);
  patient.facts.replaces = IdsOf(row.GetString(9));
  return patient;
}

// Takes those out that are identifiers: they lie side by side.
std::set<std::string> TakeIdentifiers(std::set<std::string>& ids) {
  std::set<std::string> taken;
  auto at = ids.lower_bound(std::string(kByIdentifier));
  while (at != ids.end() && at->starts_with(kByIdentifier)) {
    taken.insert(taken.end(), *at);
    at = ids.erase(at);
  }
  return taken;
}

}  // namespace

std::vector<std::string> IdsOf(std::string_view text) {
  std::vector<std::string> ids;
  if (text.empty() || text == "[]") return ids;
  JsonParser parser;
  const auto json = parser.Parse(text);
  if (!json) return ids;
  for (const JsonValue id : json->children()) {
    if (id.is_string()) ids.emplace_back(id.text());
  }
  return ids;
}

std::string ToJson(const WatchedPatient& patient) {
  JsonWriter json;
  const monitor::PatientFacts& facts = patient.facts;
  json.BeginObject();
  if (!facts.known) json.Key("deleted").Bool(true);
  if (facts.birth_day) json.Key("birth_day").Int(*facts.birth_day);
  if (facts.deceased) json.Key("deceased").Bool(true);
  if (facts.deceased_at) json.Key("deceased_at_us").Int(*facts.deceased_at);
  if (facts.is_test) json.Key("test").Bool(true);
  if (!facts.replaced_by.empty()) json.Key("replaced_by").String(facts.replaced_by);
  if (!facts.replaces.empty()) {
    json.Key("replaces").BeginArray();
    for (const std::string& id : facts.replaces) json.String(id);
    json.EndArray();
  }
  const PatientRank none = {};
  if (patient.rank.version != none.version) json.Key("version").Int(patient.rank.version);
  if (patient.rank.last_updated != none.last_updated) {
    json.Key("last_updated_us").Int(patient.rank.last_updated);
  }
  json.EndObject();
  return json.Take();
}

Result<WatchedPatient> PatientFromJson(std::string_view id, std::string_view text) {
  JsonParser parser;
  const auto json = parser.Parse(text);
  if (!json || !json->is_object()) {
    return Fail(ErrorKind::kCorrupt, "a patient's facts in ops.action cannot be read");
  }
  WatchedPatient patient;
  patient.id = id;
  monitor::PatientFacts& facts = patient.facts;
  facts.known = !FlagOf(*json, "deleted");
  if (const auto day = NumberOf(*json, "birth_day")) facts.birth_day = static_cast<int32_t>(*day);
  facts.deceased = FlagOf(*json, "deceased");
  facts.deceased_at = NumberOf(*json, "deceased_at_us");
  facts.is_test = FlagOf(*json, "test");
  facts.replaced_by = json->String("replaced_by");
  for (const JsonValue replaced : json->Find("replaces").children()) {
    facts.replaces.emplace_back(replaced.text());
  }
  patient.rank.retraction = !facts.known;
  patient.rank.version = NumberOf(*json, "version").value_or(patient.rank.version);
  patient.rank.last_updated =
      NumberOf(*json, "last_updated_us").value_or(patient.rank.last_updated);
  return patient;
}

Result<std::vector<WatchedPatient>> PatientFacts::Find(const std::set<std::string>& ids,
                                                       const Wait& wait) {
  constexpr int kLongestChain = 16;
  std::map<std::string, WatchedPatient> found;
  if (ids.empty()) return std::vector<WatchedPatient>();
  VL_RETURN_IF_ERROR(ReadClaims(wait));
  std::set<std::string> asked = ids, next = ids;
  for (int i = 0; i < kLongestChain && !next.empty(); ++i) {
    std::set<std::string> survivors;
    for (const std::string& id : next) {
      const auto claims = claims_.find(id);
      if (claims != claims_.end()) survivors.insert(claims->second.begin(), claims->second.end());
    }
    VL_TRY(std::vector<WatchedPatient> rows, FindHolders(TakeIdentifiers(next), wait));
    VL_TRY(std::vector<WatchedPatient> known, FindRows(next, wait));
    std::ranges::move(known, std::back_inserter(rows));
    for (WatchedPatient& row : rows) {
      if (!row.facts.replaced_by.empty()) survivors.insert(row.facts.replaced_by);
      std::string id = row.id;
      found.insert_or_assign(std::move(id), std::move(row));
    }
    next.clear();
    std::ranges::set_difference(survivors, asked, std::inserter(next, next.end()));
    asked.insert(next.begin(), next.end());
  }
  std::vector<WatchedPatient> patients;
  for (auto& [_, patient] : found) patients.push_back(std::move(patient));
  return patients;
}

Status PatientFacts::ReadClaims(const Wait& wait) {
  VL_TRY(const delta::SnapshotPtr snapshot, lake_.Latest(kPatientTable));
  if (snapshot->version().value == claims_at_) return {};
  claims_.clear();
  claims_at_ = snapshot->version().value;
  if (snapshot->files().empty()) return {};
  VL_TRY(std::string rows,
         engine::RelationSql(
             lake_.Files(snapshot, kPatientTable),
             {.columns = lake::LinkColumns(*snapshot, {"id_space", "id", "retracted_at"})}));
  VL_TRY(engine::Connection connection, lake_.engine().Connect());
  VL_TRY(engine::QueryResult found,
         connection.Query(fmt::format("SELECT id, replaces FROM ({}) WHERE replaces IS NOT NULL "
                                      "AND retracted_at IS NULL AND coalesce(id_space, '') = ?",
                                      lake::LinkRows(*snapshot, std::move(rows))),
                          {id_space_}, wait));
  for (;;) {
    VL_TRY(const bool more, found.Next());
    if (!more) return {};
    for (const std::string& id : IdsOf(found.GetString(1))) claims_[id].emplace(found.GetString(0));
  }
}

Result<std::vector<WatchedPatient>> PatientFacts::FindRows(const std::set<std::string>& ids,
                                                           const Wait& wait) {
  using Op = engine::ColumnBound::Op;
  std::vector<WatchedPatient> patients;
  if (ids.empty()) return patients;
  VL_TRY(const delta::SnapshotPtr snapshot, lake_.Latest(kPatientTable));
  if (snapshot->files().empty()) return patients;
  VL_TRY(std::string rows,
         engine::RelationSql(
             lake_.Files(snapshot, kPatientTable),
             {.columns = lake::LinkColumns(
                  *snapshot, {"id_space", "id", "version_id", "last_updated", "retracted_at",
                              "birth_date", "deceased", "deceased_time", "is_test", "replaced_by"}),
              .bounds = {{"id", Op::kGreaterEqual, *ids.begin()},
                         {"id", Op::kLessEqual, *ids.rbegin()}}}));
  engine::RowBuffer wanted(lake_.engine(), {{"id", view::ColumnType::kVarchar, "", ""}});
  lake::CellRow row;
  for (const std::string& id : ids) {
    row.Clear();
    wanted.Append(row.Text(id).cells());
  }
  VL_TRY(engine::Connection connection, lake_.engine().Connect());
  VL_TRY(engine::QueryResult found,
         connection.Query(
             fmt::format("SELECT id, {}, last_updated, "
                         "retracted_at IS NOT NULL, birth_date, deceased, deceased_time, is_test, "
                         "replaced_by, replaces FROM ({}) WHERE coalesce(id_space, '') = ? "
                         "AND id IN (SELECT id FROM {}) ORDER BY id",
                         lake::upsert_sql::VersionNumber("version_id"),
                         lake::LinkRows(*snapshot, std::move(rows)), wanted.sql()),
             {id_space_}, wait));
  for (;;) {
    VL_TRY(const bool more, found.Next());
    if (!more) return patients;
    patients.push_back(PatientOf(found));
  }
}

// Who holds identifiers alone. Nobody does: as a patient who was deleted.
Result<std::vector<WatchedPatient>> PatientFacts::FindHolders(const std::set<std::string>& ids,
                                                              const Wait& wait) {
  std::map<std::string, WatchedPatient> found;
  if (ids.empty()) return std::vector<WatchedPatient>();
  VL_TRY(const delta::SnapshotPtr snapshot, lake_.Latest(kPatientTable));
  engine::RowBuffer wanted(lake_.engine(),
                           {{"subject_identifier", view::ColumnType::kVarchar, "", ""}});
  lake::CellRow row;
  for (const std::string& id : ids) {
    row.Clear();
    wanted.Append(row.Text(std::string_view(id).substr(kByIdentifier.size())).cells());
    WatchedPatient& patient = found[id];
    patient.id = id;
    patient.rank = {snapshot->version().value, PatientRank().last_updated, true};
    patient.facts.known = false;
  }
  if (!snapshot->files().empty() && lake::KeepIdentifiers(*snapshot)) {
    VL_TRY(const std::string links, SubjectLinks(snapshot, wanted.sql()));
    VL_TRY(engine::Connection connection, lake_.engine().Connect());
    VL_TRY(engine::QueryResult held, connection.Query(links, {}, wait));
    for (;;) {
      VL_TRY(const bool more, held.Next());
      if (!more) break;
      WatchedPatient& patient = found.at(std::string(kByIdentifier).append(held.GetString(0)));
      patient.rank.retraction = false;
      patient.facts.known = true;
      patient.facts.replaced_by = held.GetString(1);
    }
  }
  std::vector<WatchedPatient> patients;
  for (auto& [_, patient] : found) patients.push_back(std::move(patient));
  return patients;
}

// (subject_identifier, patient_id) of the identifiers in the relation `wanted` that one person of
// the stream's id_space holds.
Result<std::string> PatientFacts::SubjectLinks(const delta::SnapshotPtr& patients,
                                               const std::string& wanted) const {
  VL_TRY(std::string rows,
         engine::RelationSql(
             lake_.Files(patients, kPatientTable),
             {.columns = lake::LinkColumns(
                  *patients, {"id_space", "id", "identifiers", "retracted_at", "replaced_by"})}));
  const std::string space = engine::QuoteLiteral(id_space_);
  const std::string known =
      fmt::format("SELECT * FROM ({}) WHERE retracted_at IS NULL AND coalesce(id_space, '') = {}",
                  lake::LinkRows(*patients, std::move(rows)), space);
  return fmt::format(
      "SELECT subject_identifier, patient_id FROM ({})",
      lake::SubjectLinkSql(
          fmt::format("SELECT {} AS id_space, subject_identifier FROM {}", space, wanted),
          lake::HeldIdentifiersSql(known), lake::PersonLinkSql(known)));
}

Status PatientFacts::Begin() {
  if (seen_ >= 0) return {};
  VL_TRY(const delta::SnapshotPtr snapshot, lake_.Latest(kPatientTable));
  seen_ = snapshot->version().value;
  return {};
}

Result<std::optional<std::set<std::string>>> PatientFacts::Changed(const Wait& wait) {
  std::set<std::string> ids;
  VL_TRY(delta::Table* const table, lake_.OpenTable(kPatientTable));
  VL_TRY(const delta::SnapshotPtr snapshot, table->Latest());
  const int64_t latest = snapshot->version().value;
  if (latest == seen_) return ids;
  const int64_t first = std::max<int64_t>(seen_, 0) + 1;
  seen_ = latest;
  const auto changes = table->Changes(Version{first}, Version{latest});
  if (!changes) return std::nullopt;  // restored to an earlier version, or the log was cleaned up
  if (changes->empty()) return ids;
  std::vector<std::string> columns =
      lake::LinkColumns(*snapshot, {"id_space", "id", "replaced_by"});
  const bool keeps_identifiers = lake::KeepIdentifiers(*snapshot);
  if (keeps_identifiers) columns.emplace_back("identifiers");
  auto rows = engine::ChangesSql(lake_.Files(snapshot, kPatientTable), *changes, columns);
  if (!rows) return std::nullopt;  // vacuumed
  const std::string changed =
      fmt::format("SELECT * FROM ({}) WHERE coalesce(id_space, '') = {}",
                  lake::LinkRows(*snapshot, *std::move(rows)), engine::QuoteLiteral(id_space_));
  const std::string held =
      keeps_identifiers
          ? fmt::format(
                " UNION ALL SELECT {0} || identifier FROM ({1}) UNION ALL SELECT {0} FROM "
                "({2}) WHERE replaced_by IS NOT NULL OR replaces IS NOT NULL",
                engine::QuoteLiteral(kByIdentifier), lake::HeldIdentifiersSql(changed), changed)
          : "";
  VL_TRY(engine::Connection connection, lake_.engine().Connect());
  VL_TRY(engine::QueryResult found,
         connection.Query(fmt::format("SELECT DISTINCT unnest([id] || coalesce(from_json(replaces, "
                                      "'[\"VARCHAR\"]'), [])) FROM ({}){}",
                                      changed, held),
                          {}, wait));
  for (;;) {
    VL_TRY(const bool more, found.Next());
    if (!more) return ids;
    ids.emplace(found.GetString(0));
  }
}

}  // namespace vitalake::ingest
