#include "serve/http/routes.h"

#include <gtest/gtest.h>

namespace vitalake::serve {
namespace {

Routes SomeRoutes() {
  Routes routes;
  for (const auto& [method, path] : {std::pair("GET", "/a"), std::pair("POST", "/a"),
                                     std::pair("GET", "/a/{name}/b"), std::pair("GET", "/a/x/c")}) {
    Route route;
    route.method = method;
    route.path = path;
    routes.Add(std::move(route));
  }
  return routes;
}

Request Asked(const std::string& method, const std::string& target) {
  Request request;
  request.method = method;
  EXPECT_TRUE(ParseTarget(target, request)) << target;
  return request;
}

TEST(RoutesTest, FindsByMethodAndPath) {
  const Routes routes = SomeRoutes();
  Request post = Asked("POST", "/a");
  EXPECT_EQ(routes.Find(post).route, &routes.all()[1]);
  Request head = Asked("HEAD", "/a?x=1");
  EXPECT_EQ(routes.Find(head).route, &routes.all()[0]);
  Request named = Asked("GET", "/a/p%2Fq%20r/b");
  EXPECT_EQ(routes.Find(named).route, &routes.all()[2]);
  EXPECT_EQ(named.parameters.at("name"), "p/q r");
}

TEST(RoutesTest, SaysWhatAPathTakes) {
  const Routes routes = SomeRoutes();
  Request put = Asked("PUT", "/a");
  const Routes::Match match = routes.Find(put);
  EXPECT_EQ(match.route, nullptr);
  EXPECT_EQ(match.allowed, (std::vector<std::string>{"GET", "HEAD", "OPTIONS", "POST"}));
  for (const char* const target : {"/", "/a/", "/a/x", "/a//b", "/A", "/a/x/c/d"}) {
    Request request = Asked("GET", target);
    const Routes::Match none = routes.Find(request);
    EXPECT_EQ(none.route, nullptr) << target;
    EXPECT_TRUE(none.allowed.empty()) << target;
  }
}

TEST(RoutesTest, TakesTargetsApart) {
  const Request request = Asked("GET", "/p?a=1&b=x+y%26&a=2&flag&&c=d=e#f");
  EXPECT_EQ(request.path, "/p");
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"a", "1"}, {"b", "x y&"}, {"a", "2"}, {"flag", ""}, {"c", "d=e"}};
  EXPECT_EQ(request.query, expected);
  EXPECT_EQ(*request.Query("a"), "1");
  EXPECT_EQ(request.Query("z"), nullptr);
  for (const char* const target :
       {"", "p", "*", "http://host/p", "/%", "/%4", "/%zz", "/p?%g0=1"}) {
    Request bad;
    EXPECT_FALSE(ParseTarget(target, bad)) << target;
  }
}

}  // namespace
}  // namespace vitalake::serve
