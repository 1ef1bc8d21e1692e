#include "serve/table_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/json_writer.h"
#include "lake/sql_views.h"
#include "serve/column_range.h"
#include "serve/query_number.h"

namespace vitalake::serve {
namespace {

constexpr size_t kCommitsTold = 20, kMostCommitsTold = 1'000;
constexpr std::array kSizeNames = {"version", "rows", "files", "bytes", "changed"};

std::string_view LayerOf(std::string_view name) {
  const size_t dot = name.find('.');
  return dot == std::string_view::npos ? "view" : name.substr(0, dot);
}

void BeginEntry(JsonWriter& json, std::string_view name, std::string_view kind) {
  json.BeginObject().Key("name").String(name).Key("kind").String(kind);
  json.Key("layer").String(LayerOf(name));
}

void AddSizes(JsonWriter& json, const delta::Snapshot& snapshot) {
  json.Key("version").Int(snapshot.version().value).Key("rows");
  const auto rows = snapshot.NumRecords();
  rows ? json.Int(*rows) : json.Null();
  json.Key("files").Int(static_cast<int64_t>(snapshot.files().size()));
  json.Key("bytes").Int(snapshot.size_bytes()).Key("changed");
  snapshot.timestamp() == 0 ? json.Null() : json.String(FormatUtc(snapshot.timestamp()));
}

void AddNoSizes(JsonWriter& json) {
  for (const char* const name : kSizeNames) json.Key(name).Null();
}

Result<Response> ListTables(lake::Lake& lake) {
  JsonWriter json;
  json.BeginObject().Key("tables").BeginArray();
  VL_TRY(const auto specs, lake.Catalogue());
  for (const lake::TableSpec* const spec : specs) {
    BeginEntry(json, spec->name, "table");
    const auto snapshot = lake.Latest(spec->name);
    if (!snapshot && snapshot.error().kind != ErrorKind::kNotFound) {
      return Because(snapshot.error(), "table " + spec->name);
    }
    snapshot ? AddSizes(json, **snapshot) : AddNoSizes(json);
    json.EndObject();
  }
  VL_TRY(const auto views, lake::SqlViews(lake));
  for (const auto& [name, _] : views) {
    BeginEntry(json, name, "view");
    AddNoSizes(json);
    json.EndObject();
  }
  json.EndArray().EndObject();
  return JsonResponse(json.Take() + "\n");
}

void AddColumns(JsonWriter& json, const delta::Snapshot& snapshot) {
  const auto ranges = ColumnRanges(snapshot);
  json.Key("columns").BeginArray();
  for (const delta::Field& field : snapshot.schema().fields()) {
    json.BeginObject().Key("name").String(field.name).Key("type").String(field.type.name());
    json.Key("nullable").Bool(field.nullable).Key("nulls");
    const auto range = ranges.find(field.name);
    const bool told = range != ranges.end();
    told && range->second.nulls ? json.Int(*range->second.nulls) : json.Null();
    json.Key("min").Raw(told && !range->second.min.empty() ? range->second.min : "null");
    json.Key("max").Raw(told && !range->second.max.empty() ? range->second.max : "null");
    json.EndObject();
  }
  json.EndArray();
}

void AddStringMap(JsonWriter& json, const std::map<std::string, std::string>& map) {
  json.BeginObject();
  for (const auto& [name, value] : map) json.Key(name).String(value);
  json.EndObject();
}

void AddLog(JsonWriter& json, const delta::Snapshot& snapshot) {
  const delta::Protocol& protocol = snapshot.protocol();
  std::set<std::string> features;
  for (const auto& list : {protocol.writer_features, protocol.reader_features}) {
    if (list) features.insert(list->begin(), list->end());
  }
  json.Key("properties");
  AddStringMap(
      json, {snapshot.metadata().configuration.begin(), snapshot.metadata().configuration.end()});
  json.Key("partition_columns").BeginArray();
  for (const std::string& column : snapshot.metadata().partition_columns) json.String(column);
  json.EndArray().Key("protocol").BeginObject();
  json.Key("reader").Int(protocol.min_reader_version);
  json.Key("writer").Int(protocol.min_writer_version).Key("features").BeginArray();
  for (const std::string& feature : features) json.String(feature);
  json.EndArray().EndObject().Key("positions").BeginObject();
  for (const auto& [app, txn] : snapshot.txns()) json.Key(app).Int(txn.version);
  json.EndObject();
}

void AddFileStatistics(JsonWriter& json, const delta::Snapshot& snapshot) {
  const auto files = snapshot.files();
  const auto [least, most] = std::ranges::minmax_element(
      files, {}, [](const delta::AddFilePtr& file) { return file->size_bytes; });
  json.Key("file_statistics").BeginObject().Key("smallest_bytes");
  files.empty() ? json.Null() : json.Int((*least)->size_bytes);
  json.Key("largest_bytes");
  files.empty() ? json.Null() : json.Int((*most)->size_bytes);
  json.Key("average_bytes");
  files.empty()
      ? json.Null()
      : json.Double(static_cast<double>(snapshot.size_bytes()) / static_cast<double>(files.size()));
  json.Key("with_statistics").Int(std::ranges::count_if(files, [](const delta::AddFilePtr& file) {
    return file->NumRecords().has_value();
  }));
  json.EndObject();
}

Status AddHistory(JsonWriter& json, delta::Table& table, size_t most) {
  VL_TRY(const std::vector<delta::HistoryEntry> entries, table.History(most));
  json.Key("history").BeginArray();
  for (const delta::HistoryEntry& entry : entries) {
    json.BeginObject().Key("version").Int(entry.version.value);
    json.Key("time").String(FormatUtc(entry.timestamp)).Key("operation").String(entry.operation);
    json.Key("metrics");
    AddStringMap(json, {entry.metrics.begin(), entry.metrics.end()});
    json.Key("parameters");
    AddStringMap(json, {entry.parameters.begin(), entry.parameters.end()});
    json.EndObject();
  }
  json.EndArray();
  return {};
}

Result<Response> ShowView(engine::SqlSession& session, const std::string& name,
                          const std::string& sql, const Wait& wait) {
  JsonWriter json;
  BeginEntry(json, name, "view");
  json.Key("columns").BeginArray();
  VL_TRY(engine::QueryResult described, session.Query("DESCRIBE " + name, {}, wait));
  while (true) {
    VL_TRY(const bool more, described.Next());
    if (!more) break;
    json.BeginObject().Key("name").String(described.Text(0));
    json.Key("type").String(described.Text(1)).EndObject();
  }
  json.EndArray().Key("sql").String(sql).EndObject();
  return JsonResponse(json.Take() + "\n");
}

Result<Response> ShowTable(lake::Lake& lake, engine::SqlSession& session, const std::string& name,
                           size_t commits, const Wait& wait) {
  VL_TRY(const auto view, lake::FindSqlView(lake, name));
  if (view) return ShowView(session, name, *view, wait);
  VL_TRY(delta::Table * table, lake.OpenTable(name));
  VL_TRY(const delta::SnapshotPtr snapshot, table->Latest());
  JsonWriter json;
  BeginEntry(json, name, "table");
  AddSizes(json, *snapshot);
  AddColumns(json, *snapshot);
  AddLog(json, *snapshot);
  AddFileStatistics(json, *snapshot);
  VL_RETURN_IF_ERROR(AddHistory(json, *table, commits));
  json.EndObject();
  return JsonResponse(json.Take() + "\n");
}

// What the list has of each table or view.
shape::Members EntryMembers() {
  shape::Members members = {{"name", shape::Text()},
                            {"kind", shape::TextOf({"table", "view"})},
                            {"layer", shape::TextOf({"bronze", "silver", "gold", "ops", "view"})}};
  for (const char* const name : kSizeNames) {
    const bool is_text = std::string_view(name) == "changed";
    members.emplace_back(name, shape::OrNull(is_text ? shape::Text() : shape::Whole()));
  }
  return members;
}

shape::Shape TableShape() {
  const shape::Shape texts = shape::MapOf(shape::Text());
  shape::Members members = EntryMembers();
  const auto add = [&](std::string_view name, const shape::Shape& of) {
    members.emplace_back(name, of);
  };
  add("columns", shape::List(shape::Object({{"name", shape::Text()},
                                            {"type", shape::Text()},
                                            {"nullable", shape::Flag()},
                                            {"nulls", shape::OrNull(shape::Whole())},
                                            {"min", shape::Anything()},
                                            {"max", shape::Anything()}})));
  add("properties", texts);
  add("partition_columns", shape::List(shape::Text()));
  add("protocol", shape::Object({{"reader", shape::Whole()},
                                 {"writer", shape::Whole()},
                                 {"features", shape::List(shape::Text())}}));
  add("positions", shape::MapOf(shape::Whole()));
  add("file_statistics", shape::Object({{"smallest_bytes", shape::OrNull(shape::Whole())},
                                        {"largest_bytes", shape::OrNull(shape::Whole())},
                                        {"average_bytes", shape::OrNull(shape::Number())},
                                        {"with_statistics", shape::Whole()}}));
  add("history", shape::List(shape::Object({{"version", shape::Whole()},
                                            {"time", shape::Text()},
                                            {"operation", shape::Text()},
                                            {"metrics", texts},
                                            {"parameters", texts}})));
  return shape::Object(members);
}

shape::Shape ViewShape() {
  const shape::Shape column = shape::Object({{"name", shape::Text()}, {"type", shape::Text()}});
  return shape::Object({{"name", shape::Text()},
                        {"kind", shape::TextOf({"view"})},
                        {"layer", shape::Text()},
                        {"columns", shape::List(column)},
                        {"sql", shape::Text()}});
}

Route GetTables(std::string path, std::string summary, Handler handler) {
  Route route = MakeRoute("GET", std::move(path), std::move(summary), std::move(handler));
  route.gives = {"application/json"};
  route.patience = std::chrono::seconds(40);
  return route;
}

}  // namespace

void AddTableRoutes(Routes& routes, QueryDesk& desk) {
  Route all = GetTables("/tables", "All tables and views: name, kind, layer, version, sizes",
                        [&desk](const Request& request, const Reply& reply) {
                          desk.Run(request.path, reply, [&desk](engine::SqlSession&, const Wait&) {
                            return ListTables(desk.lake());
                          });
                        });
  all.answer = shape::Object({{"tables", shape::List(shape::Object(EntryMembers()))}});
  routes.Add(std::move(all));
  Route one = GetTables(
      "/tables/{name}", "One table: columns, sizes, properties, statistics, recent commits",
      [&desk](const Request& request, const Reply& reply) {
        const auto commits = PositiveOf(request, "history", kCommitsTold, kMostCommitsTold);
        if (!commits) return reply(ErrorResponse(commits.error(), request.path));
        desk.Run(request.path, reply,
                 [&desk, name = request.parameters.at("name"), commits = *commits](
                     engine::SqlSession& session, const Wait& wait) {
                   return ShowTable(desk.lake(), session, name, commits, wait);
                 });
      });
  one.answer = shape::Either(TableShape(), ViewShape());
  one.query = {{"history", "Most commits told, newest first (20)", "integer"}};
  routes.Add(std::move(one));
}

}  // namespace vitalake::serve
