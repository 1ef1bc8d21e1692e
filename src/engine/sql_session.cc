// How a statement finds its tables:
//  1. DuckDB parses it; its mentions of tables are read from the parse tree;
//  2. each name, at the version it asks for, is opened once through the catalog;
//  3. a view of that name is made in the session's own database, over the files that the
//     statement's WHERE clause leaves; views of the catalog are made the same way, after theirs;
//  4. mentions with AT, or with a database in front, are renamed to their view;
//  5. DuckDB runs the statement.
#include "engine/sql_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <vector>

#include "base/nearest.h"
#include "engine/held_plans.h"
#include "engine/held_values.h"
#include "engine/parquet_rows.h"
#include "engine/place_mark.h"
#include "engine/result_format.h"
#include "engine/sql_statement_internal.h"
#include "engine/value_limits.h"

namespace vitalake::engine {
namespace {

constexpr int kMaxViewDepth = 16;  // views over views
// By which what lists tables tells the catalog's views from its tables, which are views here, too.
constexpr std::string_view kViewComment = "view";

// As many rows the engine sorts by a heap, whose set-up takes a tenth of that of its general sort.
constexpr int64_t kFewRows = 5000;

std::string FullName(std::string_view schema, std::string_view table) {
  return schema.empty() ? std::string(table) : fmt::format("{}.{}", schema, table);
}

// Functions for FROM that read neither files nor what the machine or other sessions hold. A list of
// what is allowed: new functions of the engine must not open a door.
bool StaysInside(std::string_view function) {
  constexpr std::string_view kInside[] = {
      "generate_series",  "range",          "unnest",          "repeat",
      "json_each",        "json_tree",      "duckdb_columns",  "duckdb_constraints",
      "duckdb_functions", "duckdb_indexes", "duckdb_keywords", "duckdb_schemas",
      "duckdb_tables",    "duckdb_types",   "duckdb_views",    "pragma_table_info",
      "aclexplode",       "string_to_array"};
  return function.starts_with("pg_") || function.starts_with("_pg_") ||
         std::ranges::find(kInside, function) != std::end(kInside);
}

// Whether the engine may take the name, its parts joined with points, for that of a file.
bool MayNameFile(const TableMention& mention) {
  constexpr std::string_view kEndings[] = {"parquet", "csv", "tsv", "json",
                                           "ndjson",  "gz",  "zst", "db"};
  for (const std::string* part : {&mention.catalog, &mention.schema, &mention.table}) {
    if (part->find_first_of("./:\\*?[") != std::string::npos) return true;
  }
  return !mention.schema.empty() && std::ranges::any_of(kEndings, [&](std::string_view ending) {
    return mention.table.starts_with(ending) || mention.schema.starts_with(ending);
  });
}

std::string Suffix(const TableAt& at) {
  if (at.version) return fmt::format("@v{}", at.version->value);
  if (at.timestamp) return fmt::format("@t{}", *at.timestamp);
  return "";
}

// What tells one content of a view from another.
std::string Fingerprint(const NamedRelation& relation, const std::vector<ColumnBound>& bounds) {
  if (!relation.table.snapshot) return relation.view_sql;
  std::string text = fmt::format("{} {} {}", relation.table.snapshot->metadata().id,
                                 relation.table.root, relation.table.snapshot->version().value);
  for (const ColumnBound& bound : bounds) {
    text += fmt::format(" {}{}", QuoteName(bound.column), static_cast<int>(bound.op));
    std::visit(
        [&](const auto& value) {
          using T = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<T, std::string>) {
            text += QuoteLiteral(value);
          } else if constexpr (!std::is_same_v<T, std::monostate>) {
            text += fmt::format("{}", value);
          }
        },
        bound.value);
  }
  return text;
}

}  // namespace

struct SqlSession::Impl {
  // The session's database in one engine.
  struct Home {
    Engine* engine = nullptr;
    std::optional<Connection> connection = {};
    std::set<std::string> schemas = {};
    std::map<std::string, std::string> made = {};  // full name of a view -> its fingerprint
  };
  Home home;
  Home held_home;                             // for statements of users over held rows
  std::optional<Connection> held_connection;  // for those of our own
  SqlCatalog catalog;
  SqlOptions options;
  std::string database;
  int64_t statements_planned = 0;

  struct Held {
    std::string schema;
    std::unique_ptr<RowBuffer> rows;
  };
  std::map<std::string, Held, std::less<>> held;
  std::vector<std::unique_ptr<RowBuffer>> retired;  // of older schemas: plans may know them
  HeldValues values;
  HeldPlans plans;

  // What one statement has chosen: each table once.
  struct Chosen {
    std::optional<NamedRelation> relation;  // nullopt: the catalog does not have it
    bool pruned = false;                    // its view leaves out files
  };
  struct Choice {
    std::map<std::string, Chosen> known = {};  // by full name with AT
    int depth = 0;                             // views we are inside of
    Wait wait = {};
  };

  Engine& held_engine() const { return options.held_engine ? *options.held_engine : *home.engine; }
  // Rows of the table in memory of the held engine; see HeldRows.
  RowBuffer* Hold(std::string_view name, const delta::Snapshot& snapshot);
  Result<Connection*> HeldConnection();

  // Makes the database.
  Status Open(Home& made, Engine& engine) const;
  void Close(Home& made) const;
  // Where statements of users over held rows run.
  Result<Home*> HeldHome();
  // Makes the session's database the one that names are looked up in.
  Status Use(Connection& used) const;
  // Refuses what reaches beyond the tables.
  Status CheckReach(const SqlStatement& statement) const;
  Result<TableAt> AtOf(const TableMention& mention, const Wait& wait);
  static Status MakeView(Home& home, const std::string& schema, const std::string& name,
                         const std::string& sql, const std::string& fingerprint,
                         std::string_view comment = "");
  Result<bool> MakeKnown(const TableMention& mention, const TableAt& at, Choice& choice);
  Status MakeAllKnown(Choice& choice);
  Status CheckName(const TableMention& mention, std::string_view text);
  Result<std::map<const JsonNode*, TableName>> Resolve(const SqlStatement& statement,
                                                       std::string_view text, Choice& choice);
  Result<Planned> Plan(std::string_view text, Choice& choice);
};

Status SqlSession::Impl::CheckReach(const SqlStatement& statement) const {
  for (const std::string& function : statement.qualified_functions()) {
    if (options.built_ins.empty() || !HasValueLimit(function)) continue;
    return Fail(ErrorKind::kPermission,
                fmt::format("Permission Error: {} is called without a schema here", function));
  }
  if (options.files) return {};
  for (const std::string& function : statement.table_functions()) {
    if (StaysInside(function)) continue;
    return Fail(ErrorKind::kPermission,
                fmt::format("Permission Error: the function {} cannot be used in FROM here: "
                            "statements read the lake's tables alone",
                            function));
  }
  return {};
}

Result<TableAt> SqlSession::Impl::AtOf(const TableMention& mention, const Wait& wait) {
  TableAt at;
  if (mention.at_unit == "VERSION") {
    VL_TRY(const int64_t version, home.connection->ScalarInt(mention.at_sql, {}, wait));
    at.version = Version{version};
  } else if (mention.at_unit == "TIMESTAMP") {
    VL_TRY(at.timestamp,
           home.connection->ScalarInt(
               fmt::format("epoch_us(CAST(({}) AS TIMESTAMP WITH TIME ZONE))", mention.at_sql), {},
               wait));
  }
  return at;
}

Status SqlSession::Impl::MakeView(Home& home, const std::string& schema, const std::string& name,
                                  const std::string& sql, const std::string& fingerprint,
                                  std::string_view comment) {
  const std::string full = FullName(schema, name);
  if (const auto found = home.made.find(full);
      found != home.made.end() && found->second == fingerprint) {
    return {};
  }
  const std::string in = schema.empty() ? "main" : schema;
  if (home.schemas.insert(in).second) {
    VL_TRY([[maybe_unused]] auto done,
           home.connection->Execute("CREATE SCHEMA IF NOT EXISTS " + QuoteName(in)));
  }
  home.made.erase(full);
  const std::string quoted = fmt::format("{}.{}", QuoteName(in), QuoteName(name));
  std::string make = fmt::format("CREATE OR REPLACE VIEW {} AS {}", quoted, sql);
  if (!comment.empty()) {
    make += fmt::format("; COMMENT ON VIEW {} IS {}", quoted, QuoteLiteral(comment));
  }
  auto done = home.connection->Execute(make);
  if (!done) return Because(std::move(done.error()), "table " + full);
  home.made[full] = fingerprint;
  return {};
}

// The bounds that hold for the table's columns as they are typed.
std::vector<ColumnBound> BoundsFor(const delta::Snapshot& snapshot, const TableMention& mention) {
  std::vector<ColumnBound> bounds;
  for (const StatementBound& found : mention.bounds) {
    if (found.parameter > 0) continue;
    const auto* field = snapshot.schema().FindField(found.bound.column);
    if (!field || (found.typed && field->type.kind() == delta::TypeKind::kString)) continue;
    bounds.push_back(found.bound);
  }
  return bounds;
}

// Opens the table and makes its view; false when the catalog does not have it. A table mentioned
// again has one view that must serve all mentions: the second one takes its bounds away.
Result<bool> SqlSession::Impl::MakeKnown(const TableMention& mention, const TableAt& at,
                                         Choice& choice) {
  const std::string name = FullName(mention.schema, mention.table);
  const auto [place, first] = choice.known.try_emplace(name + Suffix(at));
  Chosen& chosen = place->second;
  if (first) {
    auto opened = catalog.open(name, at);
    if (!opened) return Because(std::move(opened.error()), "table " + name);
    chosen.relation = std::move(*opened);
  }
  if (!chosen.relation) return false;
  if (!first && !chosen.pruned) return true;
  std::string sql;
  std::vector<ColumnBound> bounds;
  const NamedRelation& relation = *chosen.relation;
  if (relation.table.snapshot) {
    if (first) bounds = BoundsFor(*relation.table.snapshot, mention);
    chosen.pruned = !bounds.empty();
    VL_TRY(sql, RelationSql(relation.table, {.bounds = bounds}));
  } else {
    if (choice.depth == kMaxViewDepth) {
      return Fail(ErrorKind::kLimit,
                  fmt::format("view {} is defined through too many views", name));
    }
    ++choice.depth;
    VL_TRY(Planned view, Plan(relation.view_sql, choice));
    sql = std::move(view.sql);
    --choice.depth;
  }
  VL_RETURN_IF_ERROR(MakeView(home, mention.schema, mention.table + Suffix(at), sql,
                              Fingerprint(relation, bounds),
                              relation.table.snapshot ? "" : kViewComment));
  return true;
}

Status SqlSession::Impl::MakeAllKnown(Choice& choice) {
  VL_TRY(const auto names, catalog.list());
  for (const std::string& name : names) {
    const size_t dot = name.find('.');
    TableMention mention;
    mention.schema = dot == name.npos ? "" : name.substr(0, dot);
    mention.table = dot == name.npos ? name : name.substr(dot + 1);
    // One table that cannot be read must not hide the others.
    [[maybe_unused]] const auto known = MakeKnown(mention, {}, choice);
  }
  return {};
}

// Of a table that is not known: nothing else can be in a schema of the catalog's.
Status SqlSession::Impl::CheckName(const TableMention& mention, std::string_view text) {
  VL_TRY(const auto names, catalog.list());
  const bool is_schema = std::ranges::any_of(
      names, [&](const std::string& name) { return name.starts_with(mention.schema + "."); });
  if (!is_schema) return {};
  const std::string wanted = FullName(mention.schema, mention.table);
  const std::string nearest = Nearest(wanted, names);
  const bool has_one = !nearest.empty() && nearest != wanted;
  const auto place = JsonValue(mention.node).Find("query_location").AsInt();
  return Fail(ErrorKind::kInvalidArgument,
              fmt::format("Catalog Error: Table with name {} does not exist!{}{}", wanted,
                          has_one ? fmt::format("\nDid you mean \"{}\"?", nearest) : "",
                          place ? PlaceMark(text, static_cast<size_t>(*place)) : ""));
}

Result<std::map<const JsonNode*, TableName>> SqlSession::Impl::Resolve(
    const SqlStatement& statement, std::string_view text, Choice& choice) {
  std::map<const JsonNode*, TableName> renamed;
  for (const TableMention& mention : statement.tables()) {
    const bool of_lake = mention.catalog.empty() || mention.catalog == "lake";
    VL_TRY(const TableAt at, of_lake ? AtOf(mention, choice.wait) : Result<TableAt>());
    VL_TRY(const bool known, of_lake ? MakeKnown(mention, at, choice) : Result<bool>(false));
    if (!known && !options.files && MayNameFile(mention)) {
      return Fail(ErrorKind::kInvalidArgument,
                  fmt::format("Catalog Error: Table with name {} does not exist!",
                              FullName(mention.schema, mention.table)));
    }
    if (!of_lake) continue;
    if (!known && !mention.schema.empty()) VL_RETURN_IF_ERROR(CheckName(mention, text));
    if (!known && at != TableAt{}) {
      return Fail(ErrorKind::kInvalidArgument,
                  fmt::format("there is no table {}", FullName(mention.schema, mention.table)));
    }
    if (known && (at != TableAt{} || !mention.catalog.empty())) {
      renamed[mention.node] = {mention.schema, mention.table + Suffix(at)};
    }
  }
  return renamed;
}

// Views are always in the engine's dialect: they are the lake's, whoever asks.
Result<SqlSession::Planned> SqlSession::Impl::Plan(std::string_view text, Choice& choice) {
  const bool postgres = choice.depth == 0 && options.dialect == SqlDialect::kPostgres;
  VL_TRY(const SqlStatement statement, SqlStatement::Parse(*home.connection, text));
  if (choice.depth == 0) VL_RETURN_IF_ERROR(CheckReach(statement));
  if (statement.lists_tables()) VL_RETURN_IF_ERROR(MakeAllKnown(choice));
  VL_TRY(const auto renamed, Resolve(statement, text, choice));
  Planned planned;
  if (postgres) planned.names = statement.PostgresNames();
  VL_TRY(planned.sql, statement.Rewrite(*home.connection, renamed,
                                        postgres ? SqlDialect::kPostgres : SqlDialect::kEngine));
  return planned;
}

SqlSession::SqlSession() : impl_(std::make_unique<Impl>()) {}

SqlSession::~SqlSession() {
  impl_->Close(impl_->held_home);
  impl_->Close(impl_->home);
}

Status SqlSession::Impl::Open(Home& made, Engine& engine) const {
  VL_TRY(made.connection, engine.Connect());
  made.engine = &engine;
  VL_TRY([[maybe_unused]] auto done,
         made.connection->Execute(fmt::format("ATTACH ':memory:' AS {}", database)));
  return Use(*made.connection);
}

void SqlSession::Impl::Close(Home& made) const {
  if (!made.connection) return;
  [[maybe_unused]] const auto left =
      made.connection->Execute(fmt::format("USE memory; DETACH {}", QuoteName(database)));
}

Result<SqlSession::Impl::Home*> SqlSession::Impl::HeldHome() {
  if (!options.held_engine) return &home;
  if (!held_home.connection) VL_RETURN_IF_ERROR(Open(held_home, *options.held_engine));
  return &held_home;
}

Status SqlSession::Impl::Use(Connection& used) const {
  const std::string more = options.built_ins.empty() ? "" : "," + options.built_ins;
  VL_TRY([[maybe_unused]] auto done,
         used.Execute(fmt::format("USE {0}; SET search_path = '{0}.main{1}'", database, more)));
  return {};
}

Result<Connection> SqlSession::Connect() {
  VL_TRY(Connection connection, impl_->home.engine->Connect());
  VL_RETURN_IF_ERROR(impl_->Use(connection));
  return connection;
}

Result<Connection> SqlSession::ConnectForPoints() {
  VL_TRY(const Impl::Home* const home, impl_->HeldHome());
  VL_TRY(Connection connection, home->engine->Connect());
  VL_RETURN_IF_ERROR(impl_->Use(connection));
  return connection;
}

Result<std::unique_ptr<SqlSession>> SqlSession::Open(Engine& engine, SqlCatalog catalog,
                                                     SqlOptions options) {
  static std::atomic<int64_t> next{1};
  std::unique_ptr<SqlSession> session(new SqlSession());
  Impl& impl = *session->impl_;
  impl.catalog = std::move(catalog);
  impl.options = std::move(options);
  // A database of its own: sessions see different versions under the same names.
  impl.database = fmt::format("session_{}", next++);
  VL_RETURN_IF_ERROR(impl.Open(impl.home, engine));
  return session;
}

Result<std::string> SqlSession::Prepare(std::string_view statement, const Wait& wait) {
  VL_TRY(Planned planned, Plan(statement, wait));
  return std::move(planned.sql);
}

Result<SqlSession::Planned> SqlSession::Plan(std::string_view statement, const Wait& wait) {
  ++impl_->statements_planned;
  Impl::Choice choice{.wait = wait};
  return impl_->Plan(statement, choice);
}

int64_t SqlSession::statements_planned() const { return impl_->statements_planned; }

RowBuffer* SqlSession::Impl::Hold(std::string_view name, const delta::Snapshot& snapshot) {
  const std::string& schema = snapshot.metadata().schema_string;
  if (const auto found = held.find(name); found != held.end() && found->second.schema == schema) {
    return found->second.rows.get();
  }
  auto columns = CellColumns(snapshot.schema());
  if (!columns) return nullptr;
  plans.Clear();
  Held& place = held[std::string(name)];
  if (place.rows) retired.push_back(std::move(place.rows));
  place = {schema, std::make_unique<RowBuffer>(held_engine(), std::move(*columns))};
  return place.rows.get();
}

Result<Connection*> SqlSession::Impl::HeldConnection() {
  if (!options.held_engine) return &*home.connection;
  if (!held_connection) {
    VL_TRY(held_connection, options.held_engine->Connect());
  }
  return &*held_connection;
}

RowBuffer* SqlSession::HeldRows(std::string_view name, const delta::Snapshot& snapshot) {
  return impl_->Hold(name, snapshot);
}

std::optional<SqlSession::Point> SqlSession::FindPoint(std::string_view text, const Wait& wait) {
  Impl& impl = *impl_;
  if (!impl.catalog.finds || text.find('=') == text.npos || wait.stop.stop_requested()) {
    return std::nullopt;
  }
  const auto statement = SqlStatement::Parse(*impl.home.connection, text);
  if (!statement || !impl.CheckReach(*statement) || statement->lists_tables() ||
      statement->tables().size() != 1) {
    return std::nullopt;
  }
  const TableMention& mention = statement->tables().front();
  const std::string name = FullName(mention.schema, mention.table);
  const auto bound = std::ranges::find_if(mention.bounds, [&](const StatementBound& one) {
    const bool text_value = one.parameter > 0 || std::get_if<std::string>(&one.bound.value);
    return one.bound.op == ColumnBound::Op::kEqual && !one.typed && text_value &&
           impl.catalog.finds(name, one.bound.column);
  });
  if (!mention.catalog.empty() || !mention.at_unit.empty() || bound == mention.bounds.end()) {
    return std::nullopt;
  }
  const auto opened = impl.catalog.open(name, {});
  if (!opened || !*opened || !(*opened)->table.snapshot) return std::nullopt;
  const delta::Snapshot& snapshot = *(*opened)->table.snapshot;
  const delta::Field* const field = snapshot.schema().FindField(bound->bound.column);
  RowBuffer* const rows = impl.Hold("@" + name, snapshot);
  const auto home = impl.HeldHome();
  if (!home || !rows || !field || field->type.kind() != delta::TypeKind::kString) {
    return std::nullopt;
  }
  const std::string view = mention.table + "@rows";
  const Status made =
      Impl::MakeView(**home, mention.schema, view, "SELECT * FROM " + rows->sql(), rows->sql());
  auto sql = statement->Rewrite(*impl.home.connection, {{mention.node, {mention.schema, view}}},
                                impl.options.dialect);
  if (!made || !sql) return std::nullopt;
  const auto* const value = std::get_if<std::string>(&bound->bound.value);
  Point point{.table = name,
              .column = field->name,
              .parameter = bound->parameter,
              .value = value ? *value : "",
              .rows = rows->sql()};
  if (statement->SortsRowsOf(mention))
    point.sql_of_few = fmt::format("{} LIMIT {}", *sql, kFewRows);
  point.sql = *std::move(sql);
  return point;
}

Result<const std::string*> SqlSession::FillPoint(const Point& point,
                                                 const std::vector<Parameter>& parameters,
                                                 const Wait& wait) {
  VL_TRY(const auto opened, impl_->catalog.open(point.table, {}));
  if (!opened || !opened->table.snapshot) return nullptr;
  RowBuffer* const rows = impl_->Hold("@" + point.table, *opened->table.snapshot);
  if (!rows || rows->sql() != point.rows) return nullptr;
  ColumnBound bound{point.column, ColumnBound::Op::kEqual, point.value};
  if (point.parameter > 0) {
    const auto* const value = point.parameter <= parameters.size()
                                  ? std::get_if<std::string>(&parameters[point.parameter - 1])
                                  : nullptr;
    if (!value) return nullptr;
    bound.value = *value;
  }
  rows->Clear();
  VL_TRY(const bool filled,
         impl_->catalog.find_rows(point.table, opened->table, bound, *rows, wait));
  if (!filled) return nullptr;
  const bool few = rows->rows() <= kFewRows && !point.sql_of_few.empty();
  return few ? &point.sql_of_few : &point.sql;
}

void SqlSession::ForgetPoint(const Point& point) {
  const auto held = impl_->held.find("@" + point.table);
  if (held != impl_->held.end()) held->second.rows->Shrink();
}

Result<QueryResult> SqlSession::QueryHeld(const std::string& sql,
                                          const std::vector<Parameter>& parameters,
                                          const Wait& wait) {
  VL_TRY(Connection* const held, impl_->HeldConnection());
  if (!HeldValues::CanHold(parameters)) return held->Stream(sql, parameters, wait);
  impl_->values.Set(parameters);
  return impl_->plans.Stream(*held, impl_->values.Text(sql), wait);
}

Result<QueryResult> SqlSession::Query(std::string_view statement,
                                      const std::vector<Parameter>& parameters, const Wait& wait) {
  if (const auto point = FindPoint(statement, wait)) {
    VL_TRY(const std::string* const filled, FillPoint(*point, parameters, wait));
    VL_TRY(Impl::Home* const home, impl_->HeldHome());
    auto found = filled ? home->connection->Stream(*filled, parameters, wait)
                        : Result<QueryResult>(Fail(ErrorKind::kNotFound, "no rows are held"));
    // What does not plan over them is told as it would be over the table.
    if (found || (filled && found.error().kind != ErrorKind::kInvalidArgument)) return found;
  }
  VL_TRY(const std::string sql, Prepare(statement, wait));
  return impl_->home.connection->Stream(sql, parameters, wait);
}

Result<int64_t> SqlSession::QueryToParquet(std::string_view statement,
                                           const std::filesystem::path& file, const Wait& wait,
                                           const std::vector<Parameter>& parameters) {
  VL_TRY(const std::string sql, Prepare(statement, wait));
  return WriteParquetResult(*impl_->home.connection, sql, file, wait, parameters);
}

Connection& SqlSession::connection() { return *impl_->home.connection; }

}  // namespace vitalake::engine
