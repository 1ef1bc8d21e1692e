#include "serve/ingest_answer.h"

#include <fmt/format.h>

#include "base/json_writer.h"
#include "serve/http/problem.h"

namespace vitalake::serve {
namespace {

using ingest::PostAnswer;

// Seconds after which another try makes sense.
constexpr int kFullRetry = 1;
constexpr int kTroubleRetry = 10;

// FHIR issue type of a reason of ops.quarantine.
std::string IssueCode(const std::string& reason) {
  if (reason == "json") return "structure";
  if (reason == "limit") return "too-long";
  if (reason == "key-conflict" || reason == "ambiguous-delete") return "conflict";
  return "invalid";
}

std::vector<OutcomeIssue> IssuesOf(const ingest::MessageOutcome& outcome) {
  std::vector<OutcomeIssue> issues;
  for (const ingest::RefusedEntry& entry : outcome.refused) {
    OutcomeIssue& issue = issues.emplace_back();
    issue.severity = "error";
    issue.code = IssueCode(entry.reason);
    issue.diagnostics =
        fmt::format("{} (record {} of {}) went to quarantine ({}): {}", entry.position,
                    entry.record + 1, outcome.counts.received, entry.reason, entry.message);
    if (!entry.element_path.empty()) issue.expression.push_back(entry.element_path);
  }
  const auto told = static_cast<int64_t>(outcome.refused.size());
  if (outcome.counts.quarantined > told) {
    issues.push_back({"error", "incomplete",
                      fmt::format("{} more were quarantined: see ops.quarantine",
                                  outcome.counts.quarantined - told)});
  }
  if (issues.empty()) {
    issues.push_back({"information", "informational", "All records were taken in"});
  }
  return issues;
}

Response Taken(const PostAnswer& answer) {
  const ingest::MessageOutcome& outcome = answer.outcome;
  const lake::OutcomeCounts& counts = outcome.counts;
  const std::string position =
      fmt::format("{}/{}/{}", outcome.partition.topic, outcome.partition.partition, outcome.offset);
  JsonWriter json;
  json.BeginObject().Key("stream").String(outcome.partition.stream);
  json.Key("position").String(position).Key("received").Int(counts.received);
  json.Key("written").Int(counts.written).Key("superseded").Int(counts.superseded);
  json.Key("duplicate").Int(counts.duplicate).Key("quarantined").Int(counts.quarantined);
  json.Key("out_of_scope").Int(counts.out_of_scope);
  json.Key("outcome").Raw(OutcomeJson(IssuesOf(outcome))).EndObject();
  Response response{202, "application/json", json.Take()};
  if (answer.again) response.headers.emplace_back("Idempotency-Replayed", "true");
  return response;
}

HeaderList RetryAfter(int seconds) { return {{"Retry-After", fmt::to_string(seconds)}}; }

}  // namespace

Response IngestAnswer(const PostAnswer& answer, const std::string& path) {
  switch (answer.kind) {
    case PostAnswer::Kind::kTaken:
      return Taken(answer);
    case PostAnswer::Kind::kFull:
      return ProblemResponse({429, "Nothing was taken in: too much waits to be written", path,
                              RetryAfter(kFullRetry)});
    case PostAnswer::Kind::kTrouble:
      return ProblemResponse({503,
                              "Nothing was taken in: the lake has not taken what was sent before; "
                              "the server's log says why",
                              path, RetryAfter(kTroubleRetry)});
    case PostAnswer::Kind::kClosed:
      return ProblemResponse({503, "Nothing was taken in: the stream is starting or stopping", path,
                              RetryAfter(kFullRetry)});
    case PostAnswer::Kind::kReused:
      return ProblemResponse(
          {422, "Nothing was taken in: this Idempotency-Key came with another body before", path});
    case PostAnswer::Kind::kUnknown:
      break;
  }
  return ProblemResponse({503,
                          "It is not known whether this was taken in; send it again with the same "
                          "Idempotency-Key",
                          path, RetryAfter(kFullRetry)});
}

}  // namespace vitalake::serve
