#include "serve/settings_routes.h"

#include <fmt/format.h>

#include <memory>
#include <set>

#include "base/json_writer.h"
#include "ingest/monitoring/patient_settings.h"
#include "serve/action_body.h"
#include "serve/http/problem.h"

namespace vitalake::serve {
namespace {

constexpr std::chrono::seconds kSettingsPatience{20};
// How long the monitors of this process may take to obey.
constexpr std::chrono::seconds kSettingsObeyed{2};

struct SettingsParts {
  lake::Lake& lake;
  ingest::ActionDesk& desk;
  std::set<std::string> id_spaces;
};

// Whose patient it is.
Result<std::string> IdSpaceOf(const SettingsParts& parts, const Request& request) {
  if (const std::string* const named = request.Query("id_space")) return *named;
  if (parts.id_spaces.size() == 1) return *parts.id_spaces.begin();
  return Fail(ErrorKind::kInvalidArgument,
              parts.id_spaces.empty()
                  ? "No stream is configured: say whose patient it is by ?id_space="
                  : "The streams are of several id spaces: say whose patient it is by ?id_space=");
}

// Which of them is in force at `now`: the one that begins last, of those the last asked for.
Result<size_t> InForce(const std::vector<ingest::RecordedAction>& all, Micros now) {
  size_t found = all.size();
  Micros from = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    VL_TRY(const monitor::PatientSettings one, ingest::SettingsFromPayload(all[i].payload));
    if (one.from > now || (one.until && *one.until <= now)) continue;
    if (found < all.size() && one.from <= from) continue;
    found = i;
    from = one.from;
  }
  return found;
}

Result<Response> ShowSettings(const SettingsParts& parts, const std::string& patient,
                              const std::string& id_space) {
  const Wait wait = Wait::For(parts.lake.clock(), kSettingsPatience);
  VL_TRY(const auto all, ingest::SettingsRequests(parts.lake, patient, id_space, wait));
  VL_TRY(const size_t in_force, InForce(all, parts.lake.clock().NowMicros()));
  JsonWriter json;
  json.BeginObject().Key("patient_id").String(patient).Key("id_space").String(id_space);
  json.Key("settings").BeginArray();
  for (size_t i = 0; i < all.size(); ++i) {
    JsonWriter one;
    one.BeginObject().Key("actor").String(all[i].actor).Key("reason").String(all[i].reason);
    one.Key("recorded_at").String(FormatUtc(all[i].time)).Key("request").String(all[i].id);
    one.Key("in_force").Bool(i == in_force).EndObject();
    std::string text = one.Take();
    text.back() = ',';
    json.Raw(text + all[i].payload.substr(1));
  }
  json.EndArray().EndObject();
  return JsonResponse(json.Take());
}

Result<Response> PutSettings(const SettingsParts& parts, const Request& request) {
  VL_TRY(const std::string id_space, IdSpaceOf(parts, request));
  JsonParser parser;
  VL_TRY(const ActionBody body, ReadActionBody(parser, request, ingest::SettingsMembers()));
  ingest::RecordedAction asked;
  asked.time = parts.lake.clock().NowMicros();
  VL_TRY(const monitor::PatientSettings settings, ingest::SettingsFromJson(body.json, asked.time));
  VL_RETURN_IF_ERROR(ingest::CheckLimits(settings));
  asked.partition = ingest::SettingsScope(id_space);
  asked.actor = body.actor;
  asked.action = ingest::kSettingsAction;
  asked.target = request.parameters.at("id");
  asked.reason = body.reason;
  asked.payload = ingest::SettingsJson(settings);
  asked.expiry = settings.until;
  VL_TRY(const std::string id,
         parts.desk.Ask(asked, Wait::For(parts.lake.clock(), kSettingsPatience)));
  // Where no monitor is here, whichever begins takes them up.
  (void)parts.desk.AwaitAnswer(id, kSettingsObeyed, {});
  return ShowSettings(parts, asked.target, id_space);
}

enum class Written { kByClient, kByServer };

// Clients may leave out what is as usual; the server tells all of it, and what it knows besides.
shape::Members SettingsMembers(Written by) {
  const shape::Shape limit = shape::OrNull(shape::Number());
  const shape::Shape limits = shape::Object(
      {{"high?", limit}, {"low?", limit}, {"diastolic_high?", limit}, {"diastolic_low?", limit}});
  shape::Members members = {
      {"actor", shape::Text()},
      {"reason?", shape::OrNull(shape::Text())},
      {"from?", shape::OrNull(shape::Text())},
      {"until?", shape::OrNull(shape::Text())},
      {"pregnant?", shape::OrNull(shape::Flag())},
      {"device_type?", shape::OrNull(shape::TextOf({"cuff", "cuffless", "unknown"}))},
      {"oxygen_scale?", shape::OrNull(shape::Whole())},
      {"limits?", shape::OrNull(shape::MapOf(limits))}};
  if (by == Written::kByServer) {
    members.emplace_back("recorded_at", shape::Text());
    members.emplace_back("request", shape::Text());
    members.emplace_back("in_force", shape::Flag());
  }
  return members;
}

}  // namespace

void AddSettingsRoutes(Routes& routes, lake::Lake& lake, ingest::ActionDesk& desk,
                       std::vector<std::string> id_spaces) {
  const auto parts = std::make_shared<const SettingsParts>(
      SettingsParts{lake, desk, {id_spaces.begin(), id_spaces.end()}});
  const auto add = [&](std::string method, std::string summary, int64_t max_body, auto answer) {
    Route route =
        MakeRoute(std::move(method), "/patients/{id}/settings", std::move(summary),
                  [parts, answer](const Request& request, const Reply& reply) {
                    if (auto refused = RefuseOtherTypes(request)) return reply(std::move(*refused));
                    Result<Response> done = answer(*parts, request);
                    reply(done ? std::move(*done) : ErrorResponse(done.error(), request.path));
                  });
    route.runs_on = RunsOn::kPool;
    route.query = {{"id_space", "Whose patient it is, where the streams are of several"}};
    if (max_body > 0) {
      route.takes = {"application/json"};
      route.body = shape::Object(SettingsMembers(Written::kByClient));
    }
    route.gives = {"application/json"};
    route.answer = shape::Object(
        {{"patient_id", shape::Text()},
         {"id_space", shape::Text()},
         {"settings", shape::List(shape::Object(SettingsMembers(Written::kByServer)))}});
    route.max_body = max_body;
    routes.Add(std::move(route));
  };
  add("GET", "What people set for a patient", 0,
      [](const SettingsParts& all, const Request& request) -> Result<Response> {
        VL_TRY(const std::string id_space, IdSpaceOf(all, request));
        return ShowSettings(all, request.parameters.at("id"), id_space);
      });
  add("PUT", "Set limits and circumstances of a patient", kActionBytes, PutSettings);
}

}  // namespace vitalake::serve
