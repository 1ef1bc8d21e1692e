#include "serve/login_routes.h"

#include <fmt/format.h>

#include "base/json_tree.h"
#include "serve/http/fields.h"
#include "serve/http/problem.h"

namespace vitalake::serve {
namespace {

constexpr int64_t kLoginBytes = 4 << 10;

Response CookieResponse(const Request& request, std::string_view value, Micros seconds) {
  return {204,
          "",
          "",
          {{"Set-Cookie", fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{}",
                                      HttpLogin::kCookieName, value, seconds,
                                      request.scheme == "https" ? "; Secure" : "")},
           {"Cache-Control", "no-store"}}};
}

Response LogIn(const HttpLogin& login, Clock& clock, const Request& request) {
  JsonParser parser;
  const auto body = parser.Parse(request.body);
  const JsonValue token = body && body->is_object() ? body->Find("token") : JsonValue();
  // The content type that no web page of another origin can send.
  if (!SendsJson(request) || !token || !token.is_string()) {
    return ProblemResponse({400, "Send application/json: {\"token\":\"...\"}", request.path});
  }
  if (const auto cookie = login.Cookie(token.text(), clock.NowMicros())) {
    return CookieResponse(request, *cookie, HttpLogin::kCookieTime / 1'000'000);
  }
  if (!login.is_needed()) return CookieResponse(request, "", 0);
  return UnauthorizedResponse(request.path, "Nobody has this token");
}

}  // namespace

void AddLoginRoutes(Routes& routes, std::shared_ptr<const HttpLogin> login, Clock& clock) {
  Route in = MakeRoute("POST", "/login", "A cookie for a browser that sends its user's token",
                       [login, &clock](const Request& request, const Reply& reply) {
                         reply(LogIn(*login, clock, request));
                       });
  in.takes = {"application/json"};
  in.body = shape::Object({{"token", shape::Text()}});
  in.good_status = 204;
  in.max_body = kLoginBytes;
  in.access = Access::kAnybody;
  routes.Add(std::move(in));
  Route out = MakeRoute(
      "POST", "/logout", "Takes the cookie back",
      [](const Request& request, const Reply& reply) { reply(CookieResponse(request, "", 0)); });
  out.good_status = 204;
  out.access = Access::kAnybody;
  routes.Add(std::move(out));
}

}  // namespace vitalake::serve
