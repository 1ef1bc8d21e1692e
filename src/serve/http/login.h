// HttpLogin: who may ask over HTTP.
//
// A program sends its token with each request (`Authorization: Bearer`). A browser sends it once,
// to POST /login, and gets a cookie that no script can read: the time until which it holds and a
// seal that only who knows the token can make. So there is nothing to remember here, a cookie
// outlives a restart, and ends with its user's token.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "serve/http/message.h"

namespace vitalake::serve {

struct HttpUser {
  std::string name;
  std::string token;
};

// kInvalidArgument: a token that is easily guessed, or that no header can hold.
Status CheckHttpUsers(const std::vector<HttpUser>& users);

// Immutable, thread-safe. Comparisons take the same time whatever they find.
class HttpLogin {
 public:
  // Without users anybody may ask.
  explicit HttpLogin(std::vector<HttpUser> users) : users_(std::move(users)) {}

  bool is_needed() const { return !users_.empty(); }
  // By token or cookie.
  bool Admits(const Request& request, Micros now) const;
  // What a browser that sent the token is to keep; nullopt: nobody has it.
  std::optional<std::string> Cookie(std::string_view token, Micros now) const;
  // How long a cookie holds.
  static constexpr Micros kCookieTime = Micros{12} * 3600 * 1'000'000;
  static constexpr std::string_view kCookieName = "vitalake_session";

 private:
  bool KnowsToken(std::string_view token) const;
  bool KnowsCookie(std::string_view value, Micros now) const;

  const std::vector<HttpUser> users_;
};

}  // namespace vitalake::serve
