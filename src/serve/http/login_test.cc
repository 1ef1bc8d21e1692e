#include "serve/http/login.h"

#include <gtest/gtest.h>

namespace vitalake::serve {
namespace {

constexpr Micros kNow = 1'700'000'000'000'000;
const std::vector<HttpUser> kUsers = {{"anna", "0123456789abcdef"},
                                      {"metrics", "fedcba9876543210"}};

bool Admits(const HttpLogin& login, HeaderList headers, Micros now = kNow) {
  Request request;
  request.headers = std::move(headers);
  return login.Admits(request, now);
}

TEST(HttpLoginTest, WithoutUsersAnybodyMayAsk) {
  EXPECT_TRUE(Admits(HttpLogin({}), {}));
  EXPECT_TRUE(Admits(HttpLogin({}), {{"authorization", "Basic eDp5"}}));
}

TEST(HttpLoginTest, AdmitsTheTokenOfAnyUser) {
  const HttpLogin login(kUsers);
  EXPECT_TRUE(Admits(login, {{"authorization", "Bearer 0123456789abcdef"}}));
  EXPECT_TRUE(Admits(login, {{"authorization", "bearer  fedcba9876543210"}}));
  for (const char* const wrong :
       {"", "Bearer", "Bearer ", "Bearer 0123456789abcde", "Bearer 0123456789abcdef0",
        "Basic 0123456789abcdef", "0123456789abcdef", "Bearer0123456789abcdef"}) {
    EXPECT_FALSE(Admits(login, {{"authorization", wrong}})) << wrong;
  }
  EXPECT_FALSE(Admits(login, {}));
}

TEST(HttpLoginTest, ACookieHoldsForItsTimeAndNoLonger) {
  const HttpLogin login(kUsers);
  const auto cookie = login.Cookie("0123456789abcdef", kNow);
  ASSERT_TRUE(cookie.has_value());
  EXPECT_EQ(cookie->find("0123456789abcdef"), std::string::npos);
  const HeaderList sent = {{"cookie", "other=1; vitalake_session=" + *cookie + "; last=2"}};
  EXPECT_TRUE(Admits(login, sent));
  EXPECT_TRUE(Admits(login, sent, kNow + HttpLogin::kCookieTime - 1'000'000));
  EXPECT_FALSE(Admits(login, sent, kNow + HttpLogin::kCookieTime));
  // After a restart, and only as long as the user has that token.
  EXPECT_TRUE(Admits(HttpLogin(kUsers), sent));
  EXPECT_FALSE(Admits(HttpLogin({kUsers[1]}), sent));
}

TEST(HttpLoginTest, ACookieCannotBeMadeOrChanged) {
  const HttpLogin login(kUsers);
  EXPECT_FALSE(login.Cookie("0123456789abcdee", kNow).has_value());
  EXPECT_FALSE(login.Cookie("", kNow).has_value());
  const std::string cookie = *login.Cookie("fedcba9876543210", kNow);
  const size_t dot = cookie.find('.');
  std::string later = cookie;
  later.replace(0, dot, std::to_string(std::stoll(cookie.substr(0, dot)) + 1));
  std::string other = cookie;
  other.back() = other.back() == '0' ? '1' : '0';
  for (const std::string& wrong :
       {later, other, cookie.substr(0, dot + 1), cookie.substr(dot), cookie.substr(0, dot),
        std::string(), std::string("."), "x" + cookie, cookie + "0"}) {
    EXPECT_FALSE(Admits(login, {{"cookie", "vitalake_session=" + wrong}})) << wrong;
  }
  EXPECT_FALSE(Admits(login, {{"cookie", "vitalake_sessions=" + cookie}}));
  // A wrong token is not made good by a cookie.
  EXPECT_FALSE(
      Admits(login, {{"authorization", "Bearer x"}, {"cookie", "vitalake_session=" + cookie}}));
}

TEST(HttpLoginTest, TokensThatCanBeGuessedAreRefused) {
  EXPECT_TRUE(CheckHttpUsers(kUsers).has_value());
  EXPECT_FALSE(CheckHttpUsers({{"anna", ""}}).has_value());
  EXPECT_FALSE(CheckHttpUsers({{"anna", "0123456789abcde"}}).has_value());
  EXPECT_FALSE(CheckHttpUsers({{"anna", "0123456789 abcdef"}}).has_value());
  EXPECT_FALSE(CheckHttpUsers({{"anna", std::string(513, 'x')}}).has_value());
}

}  // namespace
}  // namespace vitalake::serve
