#include "serve/status_routes.h"

namespace vitalake::serve {
namespace {

Response NoStore(int status, std::string content_type, std::string body) {
  return {status, std::move(content_type), std::move(body), {{"Cache-Control", "no-store"}}};
}

void HideFaults(HealthState& state) {
  for (HealthState::Item& item : state.items) {
    for (std::string* const text : {&item.fault, &item.remark}) {
      if (!text->empty()) *text = "told to whom has a token, and in the log";
    }
  }
}

}  // namespace

void AddStatusRoutes(Routes& routes, const Health& health, const Metrics& metrics,
                     std::shared_ptr<const HttpLogin> login, Clock& clock) {
  Route live = MakeRoute("GET", "/livez", "Whether the process answers",
                         [](const Request&, const Reply& reply) {
                           reply(NoStore(200, "text/plain; charset=utf-8", "ok\n"));
                         });
  Route ready =
      MakeRoute("GET", "/readyz", "Whether lake, engine and streams are of use; 503 when not",
                [&health, login, &clock](const Request& request, const Reply& reply) {
                  HealthState state = health.state();
                  if (!login->Admits(request, clock.NowMicros())) HideFaults(state);
                  reply(JsonResponse(Health::Json(state), state.ready ? 200 : 503));
                });
  live.gives = {"text/plain"};
  ready.gives = {"application/json"};
  ready.answer =
      shape::Object({{"ready", shape::Flag()},
                     {"checks", shape::List(shape::Object({{"name", shape::Text()},
                                                           {"ok", shape::Flag()},
                                                           {"fault?", shape::Text()},
                                                           {"remark?", shape::Text()}}))}});
  ready.also = {{503, ready.answer}};
  for (Route* const probe : {&live, &ready}) {
    probe->access = Access::kAnybody;
    routes.Add(std::move(*probe));
  }
  Route numbers = MakeRoute(
      "GET", "/metrics", "Numbers for Prometheus", [&metrics](const Request&, const Reply& reply) {
        reply(NoStore(200, "text/plain; version=0.0.4; charset=utf-8", metrics.Text()));
      });
  numbers.gives = {"text/plain"};
  routes.Add(std::move(numbers));
}

}  // namespace vitalake::serve
