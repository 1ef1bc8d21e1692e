#include "serve/http/open_api.h"

#include <gtest/gtest.h>

#include "base/json_tree.h"

namespace vitalake::serve {
namespace {

Route Plain(std::string method, std::string path) {
  Route route;
  route.method = std::move(method);
  route.path = std::move(path);
  route.summary = "what it does";
  return route;
}

TEST(OpenApiTest, TellsEveryRouteOnceWithItsParameters) {
  Routes routes;
  routes.Add(Plain("GET", "/a/{id}"));
  routes.Add(Plain("POST", "/a/{id}"));
  Route list = Plain("GET", "/b");
  list.query = {{"limit", "Rows", "integer"}};
  list.gives = {"application/json"};
  routes.Add(list);
  AddOpenApiRoute(routes);
  JsonParser parser;
  const auto document = parser.Parse(OpenApiJson(routes));
  ASSERT_TRUE(document);
  EXPECT_EQ(document->String("openapi"), "3.1.0");
  const JsonValue paths = document->Find("paths");
  EXPECT_EQ(paths.size(), 3u);
  size_t operations = 0;
  for (const JsonValue path : paths.children()) operations += path.size();
  EXPECT_EQ(operations, routes.all().size());
  const JsonValue one = paths.Find("/a/{id}").Find("get").Find("parameters");
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ((*one.children().begin()).String("in"), "path");
  const JsonValue two = paths.Find("/b").Find("get").Find("parameters");
  EXPECT_EQ((*two.children().begin()).Find("schema").String("type"), "integer");
  EXPECT_TRUE(paths.Find("/openapi.json").Find("get"));
}

}  // namespace
}  // namespace vitalake::serve
