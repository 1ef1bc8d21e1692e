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

}  // namespace
}  // namespace vitalake::serve
