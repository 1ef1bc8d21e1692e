#include "serve/fhir/exchange.h"

#include <gtest/gtest.h>

namespace vitalake::serve {
namespace {

Request Get(std::string_view accept) {
  Request request;
  request.method = "GET";
  request.headers = {{"accept", std::string(accept)}};
  return request;
}

TEST(FhirExchangeTest, ServesJsonByAnyOfItsNames) {
  for (const std::string_view accept :
       {"application/json", "application/fhir+json", "application/fhir+json; fhirVersion=4.0",
        "text/html, application/json;q=0.9", "APPLICATION/JSON", "*/*", "application/*", ""}) {
    EXPECT_FALSE(FhirRefusal(Get(accept))) << accept;
  }
  for (const std::string_view accept : {"application/fhir+xml", "text/html", "application/xml"}) {
    EXPECT_TRUE(FhirRefusal(Get(accept))) << accept;
  }
  Request named = Get("application/fhir+xml");
  named.query = {{"_format", "application/json"}};
  EXPECT_FALSE(FhirRefusal(named));
}

Request Post(std::string_view path, std::string_view type, std::string_view body) {
  Request request;
  request.method = "POST";
  request.path = path;
  request.body = body;
  if (!type.empty()) request.headers = {{"content-type", std::string(type)}};
  return request;
}

TEST(FhirExchangeTest, TakesParametersOfABodyBesideThoseOfTheUrl) {
  Request request =
      Post("/fhir/Observation/$lastn", "application/fhir+json; charset=utf-8",
           R"({"resourceType":"Parameters","parameter":[{"name":"max","valueInteger":3},)"
           R"({"name":"patient","valueReference":{"reference":"Patient/p1"}},)"
           R"({"name":"start","valueDate":"2026-01-01"},{"name":"x","valueBoolean":true}]})");
  request.query = {{"code", "8867-4"}};
  EXPECT_FALSE(TakeFhirBody(request));
  EXPECT_EQ(request.query, (QueryList{{"code", "8867-4"},
                                      {"max", "3"},
                                      {"patient", "Patient/p1"},
                                      {"start", "2026-01-01"},
                                      {"x", "true"}}));
  Request form = Post("/fhir/Patient/_search", "application/x-www-form-urlencoded", "name=a%20b");
  EXPECT_FALSE(TakeFhirBody(form));
  EXPECT_EQ(form.query, (QueryList{{"name", "a b"}}));
  Request without = Post("/fhir/Patient/_search", "", "");
  EXPECT_FALSE(TakeFhirBody(without));
}

TEST(FhirExchangeTest, RefusesOtherBodies) {
  const auto status = [](std::string_view path, std::string_view type, std::string_view body) {
    Request request = Post(path, type, body);
    const auto refusal = TakeFhirBody(request);
    return refusal ? refusal->status : 0;
  };
  constexpr std::string_view kStats = "/fhir/Observation/$stats", kJson = "application/fhir+json";
  EXPECT_EQ(status("/fhir/Patient/_search", kJson, "{}"), 415);
  EXPECT_EQ(status(kStats, "text/plain", "a=b"), 415);
  EXPECT_EQ(status(kStats, "", "a=b"), 415);
  EXPECT_EQ(status(kStats, kJson, "{"), 400);
  EXPECT_EQ(status(kStats, kJson, R"({"resourceType":"Patient"})"), 400);
  EXPECT_EQ(status(kStats, kJson,
                   R"({"resourceType":"Parameters","parameter":[{"name":"a","part":[]}]})"),
            400);
  EXPECT_EQ(status(kStats, "application/x-www-form-urlencoded", "a=%zz"), 400);
}

}  // namespace
}  // namespace vitalake::serve
