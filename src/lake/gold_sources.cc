#include "lake/gold_sources.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "engine/relation.h"
#include "lake/person_link.h"
#include "lake/sql_text.h"
#include "lake/subject_link.h"
#include "lake/table_writer.h"

namespace vitalake::lake {
namespace {

constexpr std::string_view kPatients = "silver.patient";

// More touched rows of a table than this are read where they are, by each model for itself.
constexpr int64_t kManyRows = 2'000'000;

// So many days lie in a small part of a table's row groups, whatever its size.
constexpr int64_t kFewDays = 3;

// Fewer ids than this are looked up in any table; more may be most of a small one.
constexpr int64_t kFewIds = 2'000;

// A smaller share of all patients than this has a smaller share of the readings than would count,
// unless they are ill beyond measure; then looking up is slower, not wrong.
constexpr int64_t kFewOfAll = 4;

// One look at each feed: whoever wants no days is content with those named for a day.
std::map<GoldSource, int64_t> FeedsOf(const std::map<GoldSource, int64_t>& seen) {
  std::map<GoldSource, int64_t> feeds = seen;
  for (const auto& [source, version] : seen) {
    if (!source.day_column.empty()) continue;
    const auto dated = std::ranges::find_if(feeds, [&](const auto& feed) {
      return feed.first.table == source.table && feed.first.person_column == source.person_column &&
             !feed.first.day_column.empty();
    });
    if (dated == feeds.end()) continue;
    dated->second = std::min(dated->second, version);
    feeds.erase(source);
  }
  return feeds;
}

}  // namespace

GoldSources::GoldSources(Lake& lake, engine::Connection& connection, const Wait& wait)
    : lake_(lake),
      connection_(connection),
      wait_(wait),
      schema_(engine::QuoteName("gold " + lake.random().Uuid())) {}

GoldSources::~GoldSources() {
  const auto gone = connection_.Execute(fmt::format("DROP SCHEMA IF EXISTS {} CASCADE", schema_));
  if (!gone) log::Warn("tables of a gold refresh stay: {}", gone.error().ToString());
}

Result<std::unique_ptr<GoldSources>> GoldSources::Open(Lake& lake, engine::Connection& connection,
                                                       const std::vector<GoldModel>& models,
                                                       const Wait& wait) {
  std::unique_ptr<GoldSources> sources(new GoldSources(lake, connection, wait));
  auto& snapshots = sources->snapshots_;
  VL_TRY(snapshots[std::string(kPatients)], lake.Latest(kPatients));
  for (const GoldModel& model : models) {
    for (const GoldSource& source : model.sources) {
      if (!snapshots.contains(source.table)) {
        VL_TRY(snapshots[source.table], lake.Latest(source.table));
      }
    }
  }
  return sources;
}

std::string GoldSources::Relation(std::string_view name) const {
  return fmt::format("{}.{}", schema_, engine::QuoteName(name));
}

engine::TableFiles GoldSources::Files(const std::string& table) const {
  return lake_.Files(snapshots_.at(table), table);
}

int64_t GoldSources::Version(const std::string& table) const {
  return snapshots_.at(table)->version().value;
}

Status GoldSources::FindLinks() {
  VL_RETURN_IF_ERROR(RunSql(connection_, fmt::format("CREATE SCHEMA {}", schema_), wait_));
  VL_RETURN_IF_ERROR(FindPersonLinks());
  return FindSubjects();
}

Status GoldSources::FindPersonLinks() {
  const delta::Snapshot& snapshot = *snapshots_.at(std::string(kPatients));
  VL_TRY(std::string rows,
         engine::RelationSql(Files(std::string(kPatients)),
                             {.columns = LinkColumns(
                                  snapshot, {"id_space", "id", "replaced_by", "retracted_at"})}));
  const std::string patients = LinkRows(snapshot, std::move(rows));
  // Mostly there is none, which the files' own statistics tell.
  VL_TRY(const int64_t links, connection_.ScalarInt(fmt::format(
                                  "SELECT count(*) FROM ({}) WHERE replaced_by IS NOT NULL "
                                  "OR replaces IS NOT NULL",
                                  patients)));
  has_links_ = links > 0;
  if (!has_links_) return {};
  VL_RETURN_IF_ERROR(RunSql(
      connection_,
      fmt::format("CREATE TABLE {} AS SELECT coalesce(id_space, '') AS id_space, id AS claimant, "
                  "unnest(from_json(replaces, '[\"VARCHAR\"]')) AS id FROM ({}) "
                  "WHERE replaces IS NOT NULL AND retracted_at IS NULL",
                  Relation("claim"), patients),
      wait_));
  return RunSql(
      connection_,
      fmt::format("CREATE TABLE {} AS {}", Relation("person_link"), PersonLinkSql(patients)),
      wait_);
}

// Makes `subject`, the identifiers by which readings name patients, and `subject_link`, whom they
// mean.
Status GoldSources::FindSubjects() {
  if (!KeepIdentifiers(*snapshots_.at(std::string(kPatients)))) return {};
  VL_RETURN_IF_ERROR(
      RunSql(connection_,
             fmt::format("CREATE TABLE {} (id_space VARCHAR, subject_identifier VARCHAR)",
                         Relation("subject")),
             wait_));
  for (const auto& [table, snapshot] : snapshots_) {
    if (!MayNameByIdentifier(*snapshot)) continue;
    VL_TRY(const std::string named, NamedByIdentifierSql(Files(table)));
    VL_TRY(
        const int64_t found,
        connection_.Execute(fmt::format("INSERT INTO {} {}", Relation("subject"), named), wait_));
    if (found > 0) by_identifier_.insert(table);
  }
  if (by_identifier_.empty()) return {};
  VL_RETURN_IF_ERROR(ReadHeld());
  return RunSql(connection_,
                fmt::format("CREATE TABLE {} AS {}", Relation("subject_link"),
                            SubjectLinkSql("FROM " + Relation("subject"),
                                           "FROM " + Relation("held"), LinksSql())),
                wait_);
}

// Makes `held`: the identifiers of all patients.
Status GoldSources::ReadHeld() {
  if (held_is_read_) return {};
  held_is_read_ = true;
  VL_TRY(const std::string patients,
         engine::RelationSql(Files(std::string(kPatients)),
                             {.columns = {"id_space", "id", "identifiers", "retracted_at"}}));
  return RunSql(connection_,
                fmt::format("CREATE TABLE {} AS {}", Relation("held"),
                            HeldIdentifiersSql(fmt::format(
                                "SELECT * FROM ({}) WHERE retracted_at IS NULL", patients))),
                wait_);
}

std::string GoldSources::LinksSql() const {
  return has_links_ ? "FROM " + Relation("person_link") : std::string(kNoLinks);
}

Result<bool> GoldSources::CollectNamed(const GoldSource& source, int64_t seen) {
  if (seen >= Version(source.table)) return true;
  VL_TRY(delta::Table* const table, lake_.OpenTable(source.table));
  auto changes =
      table->Changes(vitalake::Version{seen + 1}, vitalake::Version{Version(source.table)});
  if (!changes && changes.error().kind == ErrorKind::kNotFound) return false;
  if (!changes) return std::unexpected(std::move(changes).error());
  std::vector<std::string> paths;
  for (const delta::ChangeFile& file : *changes) {
    auto path = lake_.store().LocalPath(fmt::format("{}/{}", table->root(), file.path));
    if (!path && path.error().kind == ErrorKind::kNotFound) return false;  // vacuumed
    if (!path) return std::unexpected(std::move(path).error());
    paths.push_back(path->string());
  }
  if (paths.empty()) return true;
  if (source.table == kPatients) {
    VL_RETURN_IF_ERROR(NamePatients(*changes));
    patient_changes_ = *std::move(changes);
    return true;
  }
  const std::string day =
      source.day_column.empty() ? "CAST(NULL AS DATE)" : engine::QuoteName(source.day_column);
  VL_RETURN_IF_ERROR(
      Name(fmt::format("SELECT coalesce(id_space, '') AS id_space, {} AS id, "
                       "{} AS day FROM ({})",
                       engine::QuoteName(source.person_column), day, ReadParquetSql(paths)),
           !source.day_column.empty()));
  VL_RETURN_IF_ERROR(CollectSubjects(source, *changes));
  return true;
}

// Adds (id_space, id, day) to those named.
Status GoldSources::Name(const std::string& rows, bool has_day) {
  return RunSql(connection_,
                fmt::format("INSERT INTO {} SELECT DISTINCT *, {} FROM ({}) WHERE id IS NOT NULL",
                            Relation("named"), has_day, rows),
                wait_);
}

// What changed patients say of themselves and whom they replace. Change files may be older than a
// column.
Status GoldSources::NamePatients(const std::vector<delta::ChangeFile>& changes) {
  const delta::Snapshot& snapshot = *snapshots_.at(std::string(kPatients));
  VL_TRY(std::string changed,
         engine::ChangesSql(Files(std::string(kPatients)), changes,
                            LinkColumns(snapshot, {"id_space", "id", "replaced_by"})));
  const std::string rows = LinkRows(snapshot, std::move(changed));
  VL_TRY(const int64_t linked, connection_.ScalarInt(fmt::format(
                                   "SELECT count(replaced_by) + count(replaces) FROM ({})", rows)));
  links_changed_ = links_changed_ || linked > 0;
  return Name(fmt::format("SELECT coalesce(id_space, '') AS id_space, unnest([id, replaced_by] || "
                          "coalesce(from_json(replaces, '[\"VARCHAR\"]'), [])) AS id, "
                          "CAST(NULL AS DATE) AS day FROM ({})",
                          rows),
              false);
}

// The identifiers by which changed readings name their patients, or did.
Status GoldSources::CollectSubjects(const GoldSource& source,
                                    const std::vector<delta::ChangeFile>& changes) {
  if (!KeepIdentifiers(*snapshots_.at(std::string(kPatients))) ||
      !MayNameByIdentifier(*snapshots_.at(source.table))) {
    return {};
  }
  std::vector<std::string> columns = {"id_space", "subject_identifier"};
  const bool has_day = !source.day_column.empty();
  if (has_day) columns.push_back(source.day_column);
  VL_TRY(const std::string changed, engine::ChangesSql(Files(source.table), changes, columns));
  return RunSql(
      connection_,
      fmt::format("INSERT INTO {} SELECT DISTINCT coalesce(id_space, ''), subject_identifier, {}, "
                  "{} FROM ({}) WHERE subject_identifier IS NOT NULL",
                  Relation("named_subject"),
                  has_day ? engine::QuoteName(source.day_column) : "CAST(NULL AS DATE)", has_day,
                  changed),
      wait_);
}

// Names who holds what changed readings name; and where patients came to hold what readings name,
// or do no longer, all who hold it now: for each of these it was, or is, theirs alone.
Status GoldSources::NameHolders() {
  VL_TRY(const int64_t said,
         connection_.ScalarInt("SELECT count(*) FROM " + Relation("named_subject")));
  if (by_identifier_.empty() && said == 0) return {};
  VL_RETURN_IF_ERROR(ReadHeld());
  VL_RETURN_IF_ERROR(RunSql(
      connection_,
      fmt::format("INSERT INTO {} SELECT DISTINCT h.id_space, h.patient_id, c.day, c.has_day "
                  "FROM {} c JOIN {} h ON h.id_space = c.id_space "
                  "AND h.identifier = c.subject_identifier",
                  Relation("named"), Relation("named_subject"), Relation("held")),
      wait_));
  if (patient_changes_.empty()) return {};
  VL_TRY(const std::string changed,
         engine::ChangesSql(Files(std::string(kPatients)), patient_changes_,
                            {"id_space", "id", "identifiers", "retracted_at"}));
  const auto held_by = [&](std::string_view types) {
    return HeldIdentifiersSql(fmt::format(
        "SELECT * FROM ({}) WHERE retracted_at IS NULL AND _change_type IN ({})", changed, types));
  };
  const std::string before = held_by("'update_preimage', 'delete'");
  const std::string after = held_by("'insert', 'update_postimage'");
  VL_RETURN_IF_ERROR(RunSql(
      connection_,
      fmt::format("CREATE TABLE {0} AS SELECT m.* FROM ((({1}) EXCEPT ({2})) UNION (({2}) "
                  "EXCEPT ({1}))) m SEMI JOIN (SELECT id_space, subject_identifier FROM {3} "
                  "UNION SELECT id_space, subject_identifier FROM {4}) s "
                  "ON s.id_space = m.id_space AND s.subject_identifier = m.identifier",
                  Relation("moved"), before, after, Relation("subject"), Relation("named_subject")),
      wait_));
  VL_TRY(const int64_t moved, connection_.ScalarInt("SELECT count(*) FROM " + Relation("moved")));
  links_changed_ = links_changed_ || moved > 0;
  return RunSql(connection_,
                fmt::format("INSERT INTO {} SELECT DISTINCT h.id_space, h.patient_id, "
                            "CAST(NULL AS DATE), false FROM {} m JOIN {} h "
                            "ON h.id_space = m.id_space AND h.identifier = m.identifier",
                            Relation("named"), Relation("moved"), Relation("held")),
                wait_);
}

// The patients of all persons concerned by the rows of `named`, which may hold more columns
// (`carried`, as in ", day") that hold for each of them.
// A person of before and one of after are both in the closure: every patient whose person changed
// is named itself, or leads to one who is; and whoever leads to one counts for the same person. Who
// says to replace somebody named is taken as named: that may have counted before, and not now.
std::string GoldSources::ClosureSql(const std::string& named, std::string_view carried) const {
  const std::string link = Relation("person_link");
  if (!has_links_) return fmt::format("SELECT DISTINCT id_space, id{} FROM {}", carried, named);
  return fmt::format(
      "WITH said AS (SELECT id_space, id{0} FROM {1} UNION "
      "  SELECT n.id_space, c.claimant{0} FROM {1} n JOIN {3} c "
      "  ON c.id_space = n.id_space AND c.id = n.id), "
      "person AS (SELECT id_space, id{0} FROM said UNION "
      "  SELECT n.id_space, m.person_id{0} FROM said n JOIN {2} m "
      "  ON m.id_space = n.id_space AND m.patient_id = n.id) "
      "SELECT id_space, id{0} FROM person UNION "
      "SELECT m.id_space, m.patient_id{0} FROM {2} m JOIN person p "
      "ON p.id_space = m.id_space AND p.id = m.person_id",
      carried, named, link, Relation("claim"));
}

Status GoldSources::ExpandNamed() {
  VL_RETURN_IF_ERROR(
      RunSql(connection_,
             fmt::format("CREATE TABLE {} AS SELECT DISTINCT * FROM ({}) ORDER BY id",
                         Relation("touched"), ClosureSql(Relation("named"), "")),
             wait_));
  VL_TRY(engine::QueryResult bounds,
         connection_.Query(
             fmt::format("SELECT count(*), min(id), max(id) FROM {}", Relation("touched"))));
  VL_TRY([[maybe_unused]] const bool found, bounds.Next());
  touched_ = bounds.GetInt64(0);
  first_touched_ = bounds.GetString(1);
  last_touched_ = bounds.GetString(2);
  return {};
}

// The days of each of those touched by dated changes. Unknown when a change has no day, or patients
// became other persons'.
Status GoldSources::FindDays() {
  VL_RETURN_IF_ERROR(RunSql(
      connection_,
      fmt::format("CREATE TABLE {} AS {}; CREATE TABLE {} AS SELECT DISTINCT day FROM {}",
                  Relation("touched_day"),
                  ClosureSql(fmt::format("(FROM {} WHERE has_day)", Relation("named")), ", day"),
                  Relation("day"), Relation("touched_day")),
      wait_));
  VL_TRY(engine::QueryResult days,
         connection_.Query(fmt::format("SELECT min(day), max(day), count(*) = count(day), "
                                       "count(*) FROM {}",
                                       Relation("day"))));
  VL_TRY([[maybe_unused]] const bool found, days.Next());
  if (!links_changed_ && days.GetBool(2)) days_ = {days.Text(0), days.Text(1)};
  days_touched_ = days.GetInt64(3);
  return {};
}

// "SEMI JOIN ...": those of the rows `r` that belong to those touched, and to their days.
std::string GoldSources::TouchedJoin(const std::string& person_column,
                                     const std::string& day_column) const {
  const bool by_day = !day_column.empty() && days_;
  return fmt::format("SEMI JOIN {} t ON t.id = r.{} AND t.id_space = coalesce(r.id_space, ''){}",
                     Relation(by_day ? "touched_day" : "touched"), engine::QuoteName(person_column),
                     by_day ? fmt::format(" AND t.day = r.{}", engine::QuoteName(day_column)) : "");
}

Result<bool> GoldSources::Touch(const std::map<GoldSource, int64_t>& seen) {
  VL_RETURN_IF_ERROR(RunSql(
      connection_,
      fmt::format("CREATE TABLE {} (id_space VARCHAR, id VARCHAR, day DATE, has_day BOOLEAN)",
                  Relation("named")),
      wait_));
  VL_RETURN_IF_ERROR(RunSql(connection_,
                            fmt::format("CREATE TABLE {} (id_space VARCHAR, subject_identifier "
                                        "VARCHAR, day DATE, has_day BOOLEAN)",
                                        Relation("named_subject")),
                            wait_));
  for (const auto& [source, version] : FeedsOf(seen)) {
    VL_TRY(const bool reached, CollectNamed(source, version));
    if (!reached) return false;
  }
  VL_RETURN_IF_ERROR(NameHolders());
  VL_RETURN_IF_ERROR(ExpandNamed());
  VL_RETURN_IF_ERROR(FindDays());
  return true;
}

Result<std::string> GoldSources::TouchedRowsSql(const engine::TableFiles& table,
                                                const std::string& person_column,
                                                const std::string& day_column,
                                                engine::RelationOptions options) const {
  using Op = engine::ColumnBound::Op;
  const auto between = [&](const std::string& column, const std::string& first,
                           const std::string& last) {
    options.bounds.push_back({column, Op::kGreaterEqual, first});
    options.bounds.push_back({column, Op::kLessEqual, last});
  };
  between(person_column, first_touched_, last_touched_);
  // Bounds once more for the statistics within files. `(... IN ...) IS TRUE` is a join that keeps
  // the few ids on its hashed side whatever the engine thinks of the table's size; the semi join
  // behind it has few rows left to tell the id spaces apart.
  const std::string person = engine::QuoteName(person_column);
  std::string wanted =
      fmt::format("{0} BETWEEN {1} AND {2} AND ({0} IN (SELECT id FROM {3})) IS TRUE", person,
                  engine::QuoteLiteral(first_touched_), engine::QuoteLiteral(last_touched_),
                  Relation("touched"));
  if (!day_column.empty() && days_) {
    between(day_column, days_->first, days_->second);
    const std::string day = engine::QuoteName(day_column);
    wanted = days_->first.empty() ? "false"
                                  : fmt::format(
                                        "{0} BETWEEN DATE '{1}' AND DATE '{2}' AND "
                                        "({0} IN (SELECT day FROM {3})) IS TRUE AND {4}",
                                        day, days_->first, days_->second, Relation("day"), wanted);
  }
  VL_TRY(const std::string rows, engine::RelationSql(table, options));
  return fmt::format("SELECT r.* FROM (SELECT * FROM ({}) WHERE {}) r {}", rows, wanted,
                     TouchedJoin(person_column, day_column));
}

// The rows of a source that belong to those touched, with `columns` at least (none: all), each with
// the patient it is of.
Result<std::string> GoldSources::TouchedOfSource(const GoldSource& source,
                                                 engine::RelationOptions options) const {
  const bool by_identifier = by_identifier_.contains(source.table);
  for (const std::string_view column : {"patient_id", "subject_identifier"}) {
    if (by_identifier && !options.columns.empty() &&
        std::ranges::find(options.columns, column) == options.columns.end()) {
      options.columns.emplace_back(column);
    }
  }
  VL_TRY(std::string rows,
         TouchedRowsSql(Files(source.table), source.person_column, source.day_column, options));
  if (!by_identifier) return rows;
  options.bounds.push_back({"patient_id", engine::ColumnBound::Op::kIsNull, {}});
  VL_TRY(const std::string unnamed, engine::RelationSql(Files(source.table), options));
  return fmt::format(
      "{} UNION ALL SELECT r.* FROM ({}) r {}", rows,
      WithSubjectsSql(fmt::format("SELECT * FROM ({}) WHERE patient_id IS NULL", unnamed),
                      Relation("subject_link")),
      TouchedJoin(source.person_column, source.day_column));
}

Result<GoldSources::Share> GoldSources::CountTouched(const GoldSource& source) {
  if (const auto known = shares_.find(source); known != shares_.end()) return known->second;
  engine::RelationOptions options;
  options.columns = {"id_space", source.person_column};
  if (!source.day_column.empty()) options.columns.push_back(source.day_column);
  Share share;
  VL_TRY(const std::string all, engine::RelationSql(Files(source.table), options));
  VL_TRY(share.rows, connection_.ScalarInt(fmt::format("SELECT count(*) FROM ({})", all)));
  VL_TRY(const std::string mine, TouchedOfSource(source, options));
  VL_TRY(share.touched, connection_.ScalarInt(fmt::format("SELECT count(*) FROM ({})", mine)));
  return shares_[source] = share;
}

Result<bool> GoldSources::MostIsTouched(const GoldModel& model) {
  const int64_t patients = snapshots_.at(std::string(kPatients))->NumRecords().value_or(0);
  if (touched_ < kFewIds || touched_ * kFewOfAll < patients) return false;
  Share sum;
  for (const GoldSource& source : model.sources) {
    VL_TRY(const Share share, CountTouched(source));
    sum.rows += share.rows;
    sum.touched += share.touched;
  }
  return sum.touched * 3 > sum.rows;
}

// Worth it when several models would each read most of the table: those that know no days, or of
// too many. Where no two do, each reads less by itself: its own columns, and the row groups that
// its own conditions leave; and one need not wait for the other.
Status GoldSources::GatherTable(const std::string& table,
                                const std::vector<const GoldModel*>& models) {
  const std::vector<std::string> all = ColumnNames(*snapshots_.at(table));
  std::set<std::string> columns = {"id_space"};
  std::vector<GoldSource> readers;
  for (const GoldModel* model : models) {
    if (!ReadsTable(*model, table)) continue;
    for (const std::string& column : ColumnsRead(*model, all)) columns.insert(column);
    for (const GoldSource& source : model->sources) {
      if (source.table == table) readers.push_back(source);
    }
  }
  const auto reads_most = [&](const GoldSource& source) {
    return source.day_column.empty() || !days_ || days_touched_ > kFewDays;
  };
  if (std::ranges::count_if(readers, reads_most) < 2) return {};
  GoldSource common = readers.front();
  for (const GoldSource& source : readers) {
    columns.insert(source.person_column);
    if (!source.day_column.empty()) columns.insert(source.day_column);
    if (source.person_column != common.person_column) return {};
    if (source.day_column != common.day_column) common.day_column.clear();
    const auto share = shares_.find(source);
    if (share != shares_.end() && share->second.touched > kManyRows) return {};
  }
  VL_TRY(const std::string rows,
         TouchedOfSource(common, {.columns = {columns.begin(), columns.end()}}));
  VL_RETURN_IF_ERROR(
      RunSql(connection_, fmt::format("CREATE TABLE {} AS {}", Relation(table), rows), wait_));
  gathered_.insert(table);
  return {};
}

Status GoldSources::Gather(const std::vector<const GoldModel*>& models) {
  for (const auto& [table, snapshot] : snapshots_) {
    VL_RETURN_IF_ERROR(GatherTable(table, models));
  }
  return {};
}

Result<std::string> GoldSources::TouchedSource(const GoldSource& source) const {
  if (!gathered_.contains(source.table)) {
    return TouchedOfSource(source, {});
  }
  const std::string rows = "FROM " + Relation(source.table);
  if (source.day_column.empty() || !days_) return rows;
  return fmt::format("SELECT r.* {} r {}", rows,
                     TouchedJoin(source.person_column, source.day_column));
}

Result<std::string> GoldSources::ModelSql(const GoldModel& model, bool touched_only) const {
  std::vector<std::string> relations;
  for (const GoldSource& source : model.sources) {
    if (touched_only) {
      VL_TRY(std::string rows, TouchedSource(source));
      relations.push_back(std::move(rows));
    } else {
      VL_TRY(std::string rows, engine::RelationSql(Files(source.table)));
      if (by_identifier_.contains(source.table)) {
        rows = WithSubjectsSql(rows, Relation("subject_link"));
      }
      relations.push_back(std::move(rows));
    }
  }
  return BindSources(model, relations, LinksSql());
}

}  // namespace vitalake::lake
