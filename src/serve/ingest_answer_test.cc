#include "serve/ingest_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace vitalake::serve {
namespace {

using ingest::PostAnswer;
using testing::HasSubstr;

std::string HeaderOf(const Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

TEST(IngestAnswerTest, SaysWhetherAnotherTryMakesSense) {
  using Kind = PostAnswer::Kind;
  struct Case {
    Kind kind;
    int status;
    std::string retry_after;
    std::string words;
  };
  for (const Case& one : {Case{Kind::kFull, 429, "1", "Nothing was taken in"},
                          Case{Kind::kTrouble, 503, "10", "Nothing was taken in"},
                          Case{Kind::kClosed, 503, "1", "Nothing was taken in"},
                          Case{Kind::kUnknown, 503, "1", "It is not known"},
                          Case{Kind::kReused, 422, "", "Nothing was taken in"}}) {
    const Response response = IngestAnswer({one.kind}, "/ingest");
    EXPECT_EQ(response.status, one.status);
    EXPECT_EQ(HeaderOf(response, "Retry-After"), one.retry_after);
    EXPECT_THAT(response.body, HasSubstr(R"({"resourceType":"OperationOutcome")"));
    EXPECT_THAT(response.body, HasSubstr(one.words));
  }
}

TEST(IngestAnswerTest, CountsAndNamesWhatWasQuarantined) {
  PostAnswer answer{PostAnswer::Kind::kTaken};
  answer.outcome.partition = {"s", "http", 2, 0};
  answer.outcome.offset = 7;
  answer.outcome.counts = {.received = 4, .written = 1, .quarantined = 3};
  answer.outcome.refused = {{"http/2/7:1", 1, "json", "", "not JSON"},
                            {"http/2/7:3", 3, "impossible", "Observation.value", "too much"}};
  answer.again = true;
  const Response response = IngestAnswer(answer, "/ingest");
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(HeaderOf(response, "Idempotency-Replayed"), "true");
  EXPECT_EQ(response.body,
            R"({"stream":"s","position":"http/2/7","received":4,"written":1,"superseded":0,)"
            R"("duplicate":0,"quarantined":3,"out_of_scope":0,"outcome":)"
            R"({"resourceType":"OperationOutcome","issue":[)"
            R"({"severity":"error","code":"structure","diagnostics":)"
            R"("http/2/7:1 (record 2 of 4) went to quarantine (json): not JSON"},)"
            R"({"severity":"error","code":"invalid","diagnostics":)"
            R"("http/2/7:3 (record 4 of 4) went to quarantine (impossible): too much",)"
            R"("expression":["Observation.value"]},)"
            R"({"severity":"error","code":"incomplete","diagnostics":)"
            R"("1 more were quarantined: see ops.quarantine"}]}})");
}

}  // namespace
}  // namespace vitalake::serve
