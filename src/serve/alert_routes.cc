#include "serve/alert_routes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ranges>
#include <span>
#include <tuple>

#include "base/json_writer.h"
#include "fhir/datetime.h"
#include "ingest/alerts/log.h"
#include "ingest/alerts/table.h"
#include "serve/action_body.h"
#include "serve/http/problem.h"

namespace vitalake::serve {
namespace {

using ingest::AlertQuery;
using ingest::AlertStepPtr;
using ingest::PublishedAlert;

constexpr std::array kStates = {"pending", "open", "unconfirmed", "closed", "withdrawn"};
constexpr std::array kSeverities = {"info", "low", "medium", "high", "critical"};
constexpr int64_t kUsualAlerts = 100, kMostAlerts = 1'000;
constexpr size_t kBoardSteps = 4'096;
constexpr std::chrono::seconds kTablePatience{20}, kCommitPatience{20};
// How long a monitor of this process may take to obey.
constexpr std::chrono::seconds kObeyPatience{2};
constexpr int64_t kMostMinutes = 7 * 24 * 60;

// Words between commas, all of `allowed`; nullopt: one is not.
template <class List>
std::optional<std::vector<std::string>> WordsOf(std::string_view text, const List& allowed) {
  std::vector<std::string> words;
  for (const auto part : std::views::split(text, ',')) {
    std::string word(part.begin(), part.end());
    if (std::ranges::find(allowed, word) == allowed.end()) return std::nullopt;
    words.push_back(std::move(word));
  }
  return words;
}

Result<AlertQuery> QueryOf(const Request& request) {
  AlertQuery query;
  query.limit = kUsualAlerts;
  for (const auto& [name, value] : request.query) {
    if (name == "patient") {
      query.patient = value;
    } else if (name == "state") {
      query.on = value == "on";
      const auto states = query.on ? std::vector<std::string>() : WordsOf(value, kStates);
      if (!states) {
        return Fail(ErrorKind::kInvalidArgument,
                    fmt::format("`state` is `on`, or of {}", fmt::join(kStates, ", ")));
      }
      query.states = *states;
    } else if (name == "severity") {
      const auto severities = WordsOf(value, kSeverities);
      if (!severities) {
        return Fail(ErrorKind::kInvalidArgument,
                    fmt::format("`severity` is of {}", fmt::join(kSeverities, ", ")));
      }
      query.severities = *severities;
    } else if (name == "limit") {
      const auto [end, failed] =
          std::from_chars(value.data(), value.data() + value.size(), query.limit);
      if (failed != std::errc() || end != value.data() + value.size() || query.limit < 1 ||
          query.limit > kMostAlerts) {
        return Fail(ErrorKind::kInvalidArgument,
                    fmt::format("`limit` must be a number from 1 to {}", kMostAlerts));
      }
    } else {
      return Fail(
          ErrorKind::kInvalidArgument,
          fmt::format("There is no filter `{}`; there are patient, state, severity, limit", name));
    }
  }
  return query;
}

bool Fits(const AlertQuery& query, const PublishedAlert& alert) {
  const auto within = [](const std::vector<std::string>& list, const std::string& word) {
    return list.empty() || std::ranges::find(list, word) != list.end();
  };
  const auto owner = ingest::AlertOwner{alert.id_space, alert.patient_id};
  return (query.patient.empty() || alert.patient_id == query.patient ||
          std::ranges::find(query.others, owner) != query.others.end()) &&
         (!query.on || ingest::IsOn(alert.state)) && within(query.states, alert.state) &&
         within(query.severities, alert.severity);
}

// What the table says, and in its place what the board has beyond it.
Result<std::vector<PublishedAlert>> AlertsNow(const AlertParts& parts, AlertQuery query) {
  const Wait wait = Wait::For(parts.lake.clock(), kTablePatience);
  if (!query.patient.empty()) {
    VL_TRY(query.others, ingest::OtherOwners(parts.lake, query.patient, wait));
  }
  VL_TRY(const delta::SnapshotPtr snapshot, parts.lake.Latest(ingest::kAlerts));
  VL_TRY(const auto beyond,
         parts.board.Since(ingest::AlertPositionsIn(*snapshot), kBoardSteps, wait));
  std::map<std::string_view, const PublishedAlert*> newer;
  for (const AlertStepPtr& step : beyond.steps) newer[step->alert.alert_id] = &step->alert;
  AlertQuery wider = query;
  wider.limit += static_cast<int64_t>(newer.size());
  VL_TRY(auto alerts, ingest::ReadAlertsNow(parts.lake, snapshot, wider, wait));
  std::erase_if(alerts, [&](const auto& alert) { return newer.contains(alert.alert_id); });
  for (const auto& [_, alert] : newer) {
    if (Fits(query, *alert)) alerts.push_back(*alert);
  }
  std::ranges::sort(alerts, {}, [](const PublishedAlert& alert) {
    return std::tuple(!ingest::IsOn(alert.state), -alert.opened_at,
                      std::string_view(alert.alert_id));
  });
  if (alerts.size() > static_cast<size_t>(query.limit)) {
    alerts.erase(alerts.begin() + query.limit, alerts.end());
  }
  return alerts;
}

void ListAlerts(const AlertParts& parts, const Request& request, const Reply& reply) {
  auto query = QueryOf(request);
  if (!query) return reply(ErrorResponse(query.error(), request.path));
  const auto alerts = AlertsNow(parts, std::move(*query));
  if (!alerts) return reply(ErrorResponse(alerts.error(), request.path));
  std::string json = "[";
  for (const PublishedAlert& alert : *alerts) {
    json += (json.size() > 1 ? ",\n " : "") + ingest::AlertJson(alert);
  }
  reply(JsonResponse(json + "]\n"));
}

// As it stands; kNotFound.
Result<PublishedAlert> FindAlert(const AlertParts& parts, const std::string& id) {
  if (const AlertStepPtr step = parts.board.Find(id)) return step->alert;
  return ingest::ReadAlertNow(parts.lake, id, Wait::For(parts.lake.clock(), kTablePatience));
}

// When a snooze ends.
Result<Micros> EndOf(JsonValue json, Micros now) {
  const JsonValue minutes = json.Find("minutes"), until = json.Find("until");
  if (bool(minutes) == bool(until)) {
    return Fail(ErrorKind::kInvalidArgument, "Say when it ends: either `minutes` or `until`");
  }
  if (minutes) {
    const auto count = minutes.is_number() ? minutes.AsInt() : std::nullopt;
    if (!count || *count < 1 || *count > kMostMinutes) {
      return Fail(ErrorKind::kInvalidArgument,
                  fmt::format("`minutes` must be a whole number from 1 to {}", kMostMinutes));
    }
    return now + *count * 60'000'000;
  }
  const auto time = until.is_string() ? fhir::ParseDateTime(until.text()) : std::nullopt;
  const auto utc = time ? time->Utc() : std::nullopt;
  if (!utc || *utc <= now) {
    return Fail(ErrorKind::kInvalidArgument,
                "`until` must be a time to come, with an offset, like 2026-11-22T17:00:00Z");
  }
  return *utc;
}

// Whether the alert stands as the request wants it.
bool Obeys(const PublishedAlert& alert, const ingest::RecordedAction& request) {
  if (!request.expiry) return alert.acknowledged_by == request.actor;
  constexpr Micros kSecond = 1'000'000;
  return alert.snoozed_until && *alert.snoozed_until / kSecond == *request.expiry / kSecond;
}

// The alert once a monitor of this process has obeyed; the request's id where none is to.
Result<Response> Obeyed(const AlertParts& parts, const ingest::RecordedAction& asked,
                        const std::string& request) {
  const auto said = parts.desk.AwaitAnswer(request, kObeyPatience, {});
  if (!said) {
    JsonWriter json;
    json.BeginObject().Key("request").String(request).Key("applied").Bool(false).EndObject();
    return JsonResponse(json.Take(), 202);
  }
  if (!*said) {
    return Fail(ErrorKind::kAlreadyExists, "The alert has ended, or its patient is not watched");
  }
  const auto until = parts.lake.clock().Steady() + kObeyPatience;
  AlertStepPtr step = parts.board.Find(asked.target);
  while (step == nullptr || !Obeys(step->alert, asked)) {
    const auto left = until - parts.lake.clock().Steady();
    const AlertStepPtr next =
        parts.board.AwaitStep(asked.target, step == nullptr ? 0 : step->number, left, {});
    if (next == nullptr) break;
    step = next;
  }
  if (step == nullptr) return Fail(ErrorKind::kDeadline, "the alert's change is late");
  return JsonResponse(step->json);
}

enum class Deed { kAcknowledge, kSnooze };

Result<Response> Act(const AlertParts& parts, Deed deed, const Request& request) {
  JsonParser parser;
  constexpr std::string_view kEnds[] = {"minutes", "until"};
  const std::span<const std::string_view> own(kEnds, deed == Deed::kSnooze ? 2 : 0);
  VL_TRY(const ActionBody body, ReadActionBody(parser, request, own));
  ingest::RecordedAction asked;
  asked.time = parts.lake.clock().NowMicros();
  asked.action = "acknowledge";
  if (deed == Deed::kSnooze) {
    asked.action = "snooze";
    VL_TRY(asked.expiry, EndOf(body.json, asked.time));
  }
  VL_TRY(const PublishedAlert alert, FindAlert(parts, request.parameters.at("id")));
  if (!ingest::IsOn(alert.state)) {
    return Fail(ErrorKind::kAlreadyExists,
                fmt::format("The alert is {}: there is nothing to do", alert.state));
  }
  asked.partition = alert.source_partition;
  asked.actor = body.actor;
  asked.target = alert.alert_id;
  asked.reason = body.reason;
  asked.payload = ingest::PatientPayload(alert.patient_id);
  VL_TRY(const std::string id,
         parts.desk.Ask(asked, Wait::For(parts.lake.clock(), kCommitPatience)));
  return Obeyed(parts, asked, id);
}

shape::Shape AlertShape() {
  shape::Members members;
  for (const view::ColumnSpec& column : ingest::AlertColumns()) {
    using enum view::ColumnType;
    const shape::Shape of = column.type == kBoolean                             ? shape::Flag()
                            : column.type == kDouble                            ? shape::Number()
                            : column.type == kInteger || column.type == kBigint ? shape::Whole()
                                                                                : shape::Text();
    members.emplace_back(column.name, shape::OrNull(of));
  }
  return shape::Object(members);
}

shape::Shape ActionShape(Deed deed) {
  shape::Members members = {{"actor", shape::Text()}, {"reason?", shape::OrNull(shape::Text())}};
  if (deed == Deed::kSnooze) {
    members.emplace_back("minutes?", shape::Whole());
    members.emplace_back("until?", shape::Text());
  }
  return shape::Object(members);
}

Route PoolRoute(std::string method, std::string path, std::string summary, Handler handler) {
  Route route =
      MakeRoute(std::move(method), std::move(path), std::move(summary), std::move(handler));
  route.runs_on = RunsOn::kPool;
  return route;
}

}  // namespace

void AddAlertRoutes(Routes& routes, const AlertParts& parts) {
  Route list = PoolRoute(
      "GET", "/alerts", "Alerts as they stand",
      [parts](const Request& request, const Reply& reply) { ListAlerts(parts, request, reply); });
  list.gives = {"application/json"};
  list.answer = shape::List(AlertShape());
  list.query = {{"patient", "Of the patient with this id, and of those merged into them"},
                {"state", "`on`, or of pending, open, unconfirmed, closed, withdrawn, by comma"},
                {"severity", "Of info, low, medium, high, critical, by comma"},
                {"limit", "Most alerts, 1 to 1000 (100)", "integer"}};
  routes.Add(std::move(list));
  Route stream = PoolRoute(
      "GET", "/alerts/stream", "Each change of an alert, as it happens",
      [parts](const Request& request, const Reply& reply) { parts.stream.Join(request, reply); });
  stream.gives = {"text/event-stream"};
  stream.query = {{"last_event_id", "As the header Last-Event-ID"}};
  stream.headers = {{"Last-Event-ID", "The last position; without it the alerts that are on come"}};
  routes.Add(std::move(stream));
  Route events = PoolRoute(
      "GET", "/events", "Readings, alerts and status, as they happen",
      [parts](const Request& request, const Reply& reply) { parts.events.Join(request, reply); });
  events.gives = {"text/event-stream"};
  events.query = {{"patient", "Readings and alerts of the patient with this id"},
                  {"readings", "Most readings a second, 0 to 1000 (100)", "integer"}};
  routes.Add(std::move(events));
  for (const auto& [deed, name, summary] :
       {std::tuple(Deed::kAcknowledge, "acknowledge", "Acknowledge an alert: it is not told again"),
        std::tuple(Deed::kSnooze, "snooze", "Silence an alert for a while")}) {
    Route route = PoolRoute(
        "POST", fmt::format("/alerts/{{id}}/{}", name), summary,
        [parts, deed = deed](const Request& request, const Reply& reply) {
          if (auto refused = RefuseOtherTypes(request)) return reply(std::move(*refused));
          auto answer = Act(parts, deed, request);
          reply(answer ? std::move(*answer) : ErrorResponse(answer.error(), request.path));
        });
    route.takes = {"application/json"};
    route.body = ActionShape(deed);
    route.gives = {"application/json"};
    route.answer = AlertShape();
    // Recorded; no monitor of this process has the alert.
    route.also = {{202, shape::Object({{"request", shape::Text()}, {"applied", shape::Flag()}})}};
    route.max_body = kActionBytes;
    routes.Add(std::move(route));
  }
}

}  // namespace vitalake::serve
