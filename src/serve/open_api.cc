#include "serve/open_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "base/json_writer.h"
#include "serve/http_problem.h"

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

void AddContent(JsonWriter& json, const std::vector<std::string>& types) {
  json.Key("content").BeginObject();
  for (const std::string& type : types) json.Key(type).BeginObject().EndObject();
  json.EndObject();
}

void AddOperation(JsonWriter& json, const Route& route) {
  json.Key(LowerMethod(route.method)).BeginObject().Key("summary").String(route.summary);
  const auto names = PathParameters(route.path);
  if (!names.empty() || !route.query.empty()) {
    json.Key("parameters").BeginArray();
    for (const std::string& name : names) AddParameter(json, "path", {name, ""});
    for (const QueryParameter& parameter : route.query) AddParameter(json, "query", parameter);
    json.EndArray();
  }
  if (!route.takes.empty()) {
    json.Key("requestBody").BeginObject().Key("required").Bool(true);
    AddContent(json, route.takes);
    json.EndObject();
  }
  json.Key("responses").BeginObject();
  json.Key(fmt::to_string(route.good_status)).BeginObject().Key("description").String("Done");
  if (!route.gives.empty()) AddContent(json, route.gives);
  json.EndObject().Key("default").BeginObject();
  json.Key("description").String("What is wrong, and what to do");
  AddContent(json, {SpeaksFhir(route.path) ? "application/fhir+json" : "application/problem+json"});
  json.EndObject().EndObject().EndObject();
}

}  // namespace

std::string OpenApiJson(const Routes& routes) {
  JsonWriter json;
  json.BeginObject().Key("openapi").String("3.1.0").Key("info").BeginObject();
  json.Key("title").String("Vitalake").Key("version").String(kVersion).EndObject();
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
  Routes all = routes;
  all.Add(route);
  auto text = std::make_shared<const std::string>(OpenApiJson(all));
  route.handler = [text](const Request&, const Reply& reply) {
    reply({200, "application/json", *text, {{"Cache-Control", "no-cache"}}});
  };
  routes.Add(std::move(route));
}

}  // namespace vitalake::serve
