#include "serve/http/open_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "base/json_writer.h"
#include "serve/http/login.h"
#include "serve/http/problem.h"

namespace vitalake::serve {
namespace {

constexpr std::string_view kVersion = "1";

std::string LowerMethod(std::string method) {
  std::ranges::transform(method, method.begin(), [](unsigned char c) { return std::tolower(c); });
  return method;
}

std::vector<std::string> PathParameters(std::string_view path) {
  std::vector<std::string> names;
  for (size_t open = path.find('{'); open != path.npos; open = path.find('{', open + 1)) {
    names.emplace_back(path.substr(open + 1, path.find('}', open) - open - 1));
  }
  return names;
}

void AddParameter(JsonWriter& json, std::string_view in, const QueryParameter& parameter) {
  json.BeginObject().Key("name").String(parameter.name).Key("in").String(in);
  if (!parameter.summary.empty()) json.Key("description").String(parameter.summary);
  if (in == "path") json.Key("required").Bool(true);
  json.Key("schema").BeginObject().Key("type").String(parameter.type).EndObject().EndObject();
}

// Bodies that are no JSON are told as text, or (Parquet) as bytes.
std::string SchemaOf(const std::string& type, const shape::Shape& json) {
  if (type.ends_with("json") && !type.ends_with("ndjson")) return json.schema;
  if (!type.ends_with("parquet")) return shape::Text().schema;
  return fmt::format(R"({{"type":"string","contentMediaType":"{}"}})", type);
}

void AddContent(JsonWriter& json, const std::vector<std::string>& types,
                const shape::Shape& shape) {
  json.Key("content").BeginObject();
  for (const std::string& type : types) {
    json.Key(type).BeginObject().Key("schema").Raw(SchemaOf(type, shape)).EndObject();
  }
  json.EndObject();
}

// What is wrong: the same of all routes.
void AddProblem(JsonWriter& json, const Route& route) {
  const bool fhir = SpeaksFhir(route.path);
  json.Key("default").BeginObject();
  json.Key("description").String("What is wrong, and what to do");
  AddContent(json, {fhir ? "application/fhir+json" : "application/problem+json"},
             fhir ? shape::Resource("OperationOutcome")
                  : shape::Object({{"type", shape::Text()},
                                   {"title", shape::Text()},
                                   {"status", shape::Whole()},
                                   {"detail?", shape::Text()},
                                   {"instance?", shape::Text()}}));
  json.EndObject();
}

// What who may ask: any of these, where the server has users.
void AddSecurity(JsonWriter& json, Access access) {
  json.Key("security").BeginArray();
  for (const char* const scheme : {"token", "session"}) {
    if (access != Access::kUsers) break;
    json.BeginObject().Key(scheme).BeginArray().EndArray().EndObject();
  }
  json.EndArray();
}

void AddSecuritySchemes(JsonWriter& json) {
  json.Key("components").BeginObject().Key("securitySchemes").BeginObject();
  json.Key("token").BeginObject().Key("type").String("http").Key("scheme").String("bearer");
  json.Key("description").String("Where the server has users: the token of one").EndObject();
  json.Key("session").BeginObject().Key("type").String("apiKey").Key("in").String("cookie");
  json.Key("name").String(HttpLogin::kCookieName);
  json.Key("description").String("The same for a browser: what POST /login gave").EndObject();
  json.EndObject().EndObject();
}

void AddOperation(JsonWriter& json, const Route& route) {
  json.Key(LowerMethod(route.method)).BeginObject().Key("summary").String(route.summary);
  const auto names = PathParameters(route.path);
  json.Key("parameters").BeginArray();
  for (const std::string& name : names) AddParameter(json, "path", {name, ""});
  for (const QueryParameter& parameter : route.query) AddParameter(json, "query", parameter);
  for (const QueryParameter& parameter : route.headers) AddParameter(json, "header", parameter);
  json.EndArray();
  if (!route.takes.empty()) {
    json.Key("requestBody").BeginObject().Key("required").Bool(true);
    AddContent(json, route.takes, route.body);
    json.EndObject();
  }
  AddSecurity(json, route.access);
  json.Key("responses").BeginObject();
  json.Key(fmt::to_string(route.good_status)).BeginObject().Key("description").String("Done");
  if (!route.gives.empty()) AddContent(json, route.gives, route.answer);
  json.EndObject();
  for (const auto& [status, answer] : route.also) {
    json.Key(fmt::to_string(status)).BeginObject();
    json.Key("description").String(StatusPhrase(status));
    AddContent(json, {route.gives.front()}, answer);
    json.EndObject();
  }
  AddProblem(json, route);
  json.EndObject().EndObject();
}

}  // namespace

std::string OpenApiJson(const Routes& routes) {
  JsonWriter json;
  json.BeginObject().Key("openapi").String("3.1.0").Key("info").BeginObject();
  json.Key("title").String("Vitalake").Key("version").String(kVersion).EndObject();
  AddSecuritySchemes(json);
  json.Key("paths").BeginObject();
  std::map<std::string, std::vector<const Route*>> paths;
  for (const Route& route : routes.all()) paths[route.path].push_back(&route);
  for (const auto& [path, operations] : paths) {
    json.Key(path).BeginObject();
    for (const Route* const route : operations) AddOperation(json, *route);
    json.EndObject();
  }
  return json.EndObject().EndObject().Take();
}

void AddOpenApiRoute(Routes& routes) {
  Route route = MakeRoute("GET", "/openapi.json", "This description", {});
  route.gives = {"application/json"};
  route.answer = shape::MapOf(shape::Anything());
  Routes all = routes;
  all.Add(route);
  auto text = std::make_shared<const std::string>(OpenApiJson(all));
  route.handler = [text](const Request&, const Reply& reply) {
    reply({200, "application/json", *text, {{"Cache-Control", "no-cache"}}});
  };
  routes.Add(std::move(route));
}

}  // namespace vitalake::serve
