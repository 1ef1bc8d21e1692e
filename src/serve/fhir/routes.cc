#include "serve/fhir/routes.h"

#include <fmt/format.h>

#include <memory>

#include "serve/fhir/capability.h"
#include "serve/fhir/exchange.h"
#include "serve/fhir/operations.h"
#include "serve/fhir/page.h"
#include "serve/fhir/search_sql.h"
#include "serve/fhir/versions.h"
#include "serve/http/problem.h"

namespace vitalake::serve {
namespace {

constexpr std::chrono::seconds kFhirPatience{40};
constexpr int64_t kFormBytes = 64 << 10;

// What an interaction works with.
using Interaction = std::function<Result<Response>(const FhirPlace& place, const Request& request)>;

// Runs the interaction on the desk once the request can be answered at all.
Handler OnDesk(QueryDesk& desk, Interaction interaction) {
  return [&desk, interaction = std::move(interaction)](Request request, const Reply& reply) {
    if (auto refusal = TakeFhirBody(request)) return reply(std::move(*refusal));
    if (auto refusal = FhirRefusal(request)) return reply(std::move(*refusal));
    const auto kept = std::make_shared<const Request>(std::move(request));
    desk.Run(kept->path, reply,
             [&desk, kept, interaction](engine::SqlSession& session, const Wait& wait) {
               return interaction({desk.lake(), session, wait, FhirBase(*kept)}, *kept);
             });
  };
}

Response Unknown(FhirType type) {
  return FhirError(404, fmt::format("There is no {} of that id", ToString(type)));
}

Response Gone() { return FhirError(410, "The resource was deleted"); }

Result<Response> AnswerVersion(const FhirPlace& place, const Request& request,
                               const ResourceRow& row) {
  const auto elements = request.Query("_elements");
  ServedParts parts;
  if (elements != nullptr || request.Query("_summary") != nullptr) {
    QueryList controls;
    for (const auto& [name, value] : request.query) {
      if (name == "_elements" || name == "_summary") controls.emplace_back(name, value);
    }
    VL_TRY(const FhirSearch search, ReadFhirSearch(row.type, controls, true));
    parts = {search.summary, search.elements};
  }
  VL_TRY(auto entries, LoadEntries(place, {row}, "", parts));
  if (entries.empty()) return FhirError(404, "The bytes of this version are in bronze no longer");
  return ResourceAnswer(request, row, std::move(entries.front().resource));
}

Result<Response> ReadOne(FhirType type, const FhirPlace& place, const Request& request) {
  VL_TRY(const auto row, CurrentVersion(place, type, request.parameters.at("id")));
  if (!row) return Unknown(type);
  if (row->deleted) return Gone();
  return AnswerVersion(place, request, *row);
}

// The row of a version; nullopt when there is none of that name.
Result<std::optional<ResourceRow>> FindVersion(FhirType type, const FhirPlace& place,
                                               const Request& request) {
  const std::string& id = request.parameters.at("id");
  const std::string& version = request.parameters.at("version");
  VL_TRY(auto current, CurrentVersion(place, type, id));
  if (!current) return std::nullopt;
  if (!current->deleted && current->ServedVersion() == version) return current;
  VL_TRY(const auto versions, VersionsOf(place, type, id));
  for (const ResourceRow& row : versions) {
    if (!row.deleted && row.ServedVersion() == version) return row;
  }
  return std::nullopt;
}

Result<Response> ReadVersion(FhirType type, const FhirPlace& place, const Request& request) {
  VL_TRY(const auto row, FindVersion(type, place, request));
  if (!row) return FhirError(404, "There is no such version");
  return AnswerVersion(place, request, *row);
}

Result<Response> Search(FhirType type, const FhirPlace& place, const Request& request) {
  VL_TRY(const FhirSearch search, ReadFhirSearch(type, request.query, IsStrict(request)));
  VL_TRY(const FhirBundle bundle, SearchPage(place, search, std::string(ToString(type))));
  return FhirAnswer(BundleJson(bundle, place.base));
}

Result<Response> RawVersion(FhirType type, const FhirPlace& place, const Request& request) {
  VL_TRY(const auto row, FindVersion(type, place, request));
  Response response = ProblemResponse({404, "There is no such version", request.path});
  if (!row) return response;
  ResourceLoader loader(place.lake, place.session, place.wait);
  VL_RETURN_IF_ERROR(
      loader.Load(std::span(&*row, 1), [&](size_t, JsonValue, std::string_view bytes) -> Status {
        response = {
            200, "application/fhir+json", std::string(bytes), {{"Cache-Control", "no-cache"}}};
        return {};
      }));
  return response;
}

Route FhirRoute(std::string method, std::string path, std::string summary, Handler handler) {
  Route route =
      MakeRoute(std::move(method), std::move(path), std::move(summary), std::move(handler));
  route.gives = {"application/fhir+json"};
  route.answer = shape::Resource();
  route.patience = kFhirPatience;
  return route;
}

void AddRoutesOf(Routes& routes, QueryDesk& desk, FhirType type) {
  const std::string root = fmt::format("/fhir/{}", ToString(type));
  const auto on = [&desk,
                   type](Result<Response> (*run)(FhirType, const FhirPlace&, const Request&)) {
    return OnDesk(desk, [type, run](const FhirPlace& place, const Request& request) {
      return run(type, place, request);
    });
  };
  Route search = FhirRoute("GET", root, "FHIR search", on(Search));
  for (const SearchParameter& parameter : SearchParameters()) {
    if (parameter.type != type) continue;
    search.query.push_back(
        {std::string(parameter.name), std::string(parameter.documentation), "string"});
  }
  search.query.push_back(
      {"_sort", "Keys by comma, a minus in front for the descending order: " + SortKeyNames(type)});
  routes.Add(std::move(search));
  Route posted = FhirRoute("POST", root + "/_search", "FHIR search by a form", on(Search));
  posted.takes = {"application/x-www-form-urlencoded"};
  posted.max_body = kFormBytes;
  routes.Add(std::move(posted));
  routes.Add(FhirRoute("GET", root + "/{id}", "The resource as it is now", on(ReadOne)));
  Route history =
      FhirRoute("GET", root + "/{id}/_history", "Its versions, newest first", on(FhirHistory));
  history.query = {{"_since", "Versions of this time and later"},
                   {"_count", "Versions of a page (1,000)", "integer"}};
  routes.Add(std::move(history));
  routes.Add(FhirRoute("GET", root + "/{id}/_history/{version}", "One version", on(ReadVersion)));
  routes.Add(FhirRoute("GET", fmt::format("/raw/{}/{{id}}/{{version}}", ToString(type)),
                       "The bytes as they were received", on(RawVersion)));
}

}  // namespace

void AddFhirRoutes(Routes& routes, QueryDesk& desk) {
  for (const FhirOperation& operation : FhirOperations()) {
    Route route = FhirRoute("GET", std::string(operation.path), std::string(operation.summary),
                            OnDesk(desk, operation.run));
    route.query = operation.query;
    routes.Add(std::move(route));
    Route posted = FhirRoute("POST", std::string(operation.path),
                             fmt::format("{}: by a form or Parameters", operation.summary),
                             OnDesk(desk, operation.run));
    posted.query = operation.query;
    posted.takes = {"application/fhir+json", "application/json",
                    "application/x-www-form-urlencoded"};
    posted.max_body = kFormBytes;
    routes.Add(std::move(posted));
  }
  AddRoutesOf(routes, desk, FhirType::kPatient);
  AddRoutesOf(routes, desk, FhirType::kObservation);
  const auto known = std::make_shared<Routes>(routes);
  routes.Add(FhirRoute("GET", "/fhir/metadata", "What this FHIR API can do",
                       [known](const Request& request, const Reply& reply) {
                         if (auto refusal = FhirRefusal(request)) return reply(*refusal);
                         reply(FhirAnswer(CapabilityJson(*known, FhirBase(request))));
                       }));
}

}  // namespace vitalake::serve
