// Steps of a post: 1. which stream; 2. media type, coding, key; 3. whether anything can be read in
// it; 4. into the stream's box, which answers when the tables have it.
#include "serve/ingest_routes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <optional>

#include "fhir/decode.h"
#include "serve/http/gzip.h"
#include "serve/http/problem.h"
#include "serve/ingest_answer.h"

namespace vitalake::serve {
namespace {

constexpr std::array<std::string_view, 5> kTypes = {"application/fhir+json", "application/json",
                                                    "application/fhir+ndjson",
                                                    "application/x-ndjson", "application/ndjson"};
constexpr size_t kLongestKey = 255;
constexpr std::chrono::seconds kPatience{60};
// What does not lie in the first of them is not named.
constexpr size_t kFaultsTold = 20;

std::string Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return "";
  std::string trimmed(text.substr(begin, text.find_last_not_of(" \t") - begin + 1));
  std::ranges::transform(trimmed, trimmed.begin(), [](unsigned char c) { return std::tolower(c); });
  return trimmed;
}

// What is wrong with the media type; nullopt: nothing.
std::optional<std::string> TypeFault(const Request& request) {
  const std::string* const given = request.Header("content-type");
  if (given == nullptr) return "Content-Type is missing";
  const std::string type = Trimmed(std::string_view(*given).substr(0, given->find(';')));
  if (std::ranges::find(kTypes, type) == kTypes.end()) {
    return fmt::format("Content-Type {} is not taken", type);
  }
  const std::string all = Trimmed(*given);
  if (const size_t at = all.find("charset="); at != std::string::npos) {
    std::string charset = all.substr(at + 8, all.find(';', at) - at - 8);
    std::erase(charset, '"');
    if (Trimmed(charset) != "utf-8") return fmt::format("The charset {} is not taken", charset);
  }
  return std::nullopt;
}

Response UnsupportedType(const std::string& detail, const std::string& path) {
  return ProblemResponse(
      {415,
       fmt::format("{}; send {}", detail, fmt::join(kTypes, ", ")),
       path,
       {{"Accept-Post", fmt::format("{}", fmt::join(kTypes, ", "))}, {"Accept-Encoding", "gzip"}}});
}

bool IsVisible(std::string_view key) {
  return std::ranges::all_of(key, [](char c) { return c >= ' ' && c <= '~'; });
}

bool SaysLines(const Request& request) {
  return Trimmed(*request.Header("content-type")).find("ndjson") != std::string::npos;
}

// A 400 or 413 when not one record of the body can be read; else nothing.
std::optional<Response> Unreadable(const std::string& body) {
  fhir::DecodeLimits limits;
  limits.max_document_bytes = kIngestPlainBytes;
  limits.max_message_bytes = kIngestPlainBytes;
  JsonParser parser;
  fhir::RecordBlock block = fhir::BlockFromMessage(body, limits);
  std::vector<OutcomeIssue> issues;
  bool too_long = false;
  const auto records = block.Split(parser);
  for (const fhir::Record& record : records) {
    std::optional<fhir::Issue> fault = record.fault;
    if (!fault && record.delete_target.empty()) {
      const auto tree = parser.ParsePadded(record.text, fhir::RecordLimits(limits));
      if (!tree) fault = fhir::JsonIssue(tree.error(), record.text, record.place);
    }
    if (!fault) return std::nullopt;
    too_long = too_long || fault->rule == "limit";
    if (issues.size() < kFaultsTold) {
      issues.push_back(
          {"error", fault->rule == "limit" ? "too-long" : "structure", fault->message});
    }
  }
  if (records.empty() && !body.empty()) return std::nullopt;  // `[]`, an empty Bundle
  if (issues.empty()) issues.push_back({"error", "required", "The body is empty"});
  return Response{too_long ? 413 : 400, "application/fhir+json; charset=utf-8",
                  OutcomeJson(issues)};
}

const Intake* Choose(const std::vector<Intake>& intakes, const Request& request) {
  const auto named = request.parameters.find("stream");
  const std::string* const asked =
      named != request.parameters.end() ? &named->second : request.Query("stream");
  if (asked == nullptr) return intakes.empty() ? nullptr : &intakes.front();
  const auto found = std::ranges::find(intakes, *asked, &Intake::stream);
  return found == intakes.end() ? nullptr : &*found;
}

Response NoStream(const std::vector<Intake>& intakes, const std::string& path) {
  if (intakes.empty()) {
    return ProblemResponse(
        {404, "No stream takes posts: give one of `streams` the source `http: {}`", path});
  }
  std::vector<std::string_view> names;
  for (const Intake& intake : intakes) names.push_back(intake.stream);
  return ProblemResponse(
      {404, fmt::format("No such stream; those that take posts: {}", fmt::join(names, ", ")),
       path});
}

// "" when the client gave none.
std::string KeyOf(const Request& request) {
  const std::string* const key = request.Header("idempotency-key");
  return key == nullptr ? "" : *key;
}

void Ingest(const std::vector<Intake>& intakes, Request request, const Reply& reply) {
  const std::string path = request.path;
  const Intake* const intake = Choose(intakes, request);
  if (intake == nullptr) return reply(NoStream(intakes, path));
  if (const auto fault = TypeFault(request)) return reply(UnsupportedType(*fault, path));
  const std::string* const coding = request.Header("content-encoding");
  const std::string name = coding == nullptr ? "identity" : Trimmed(*coding);
  if (name != "identity" && name != "gzip") {
    return reply(UnsupportedType(fmt::format("Content-Encoding {} is not taken", name), path));
  }
  if (name == "gzip" && !request.body.starts_with("\x1f\x8b")) {
    return reply(ProblemResponse({400, "The body is not gzip, as Content-Encoding says", path}));
  }
  const std::string key = KeyOf(request);
  if (key.size() > kLongestKey || !IsVisible(key)) {
    return reply(ProblemResponse(
        {400,
         fmt::format("An Idempotency-Key has at most {} visible ASCII characters", kLongestKey),
         path}));
  }
  if (const auto unreadable = Unreadable(request.body)) {
    if (!SaysLines(request)) return reply(*unreadable);
    // Its first line may be broken alone; who reads the message later knows no media type.
    request.body.insert(0, request.body.starts_with("\x1f\x8b") ? Gzipped(fhir::kLinesMark)
                                                                : std::string(fhir::kLinesMark));
    if (Unreadable(request.body)) return reply(*unreadable);
  }
  intake->box->Post(std::move(request.body), key, [reply, path](const ingest::PostAnswer& answer) {
    reply(IngestAnswer(answer, path));
  });
}

shape::Shape TakenShape() {
  shape::Members members = {{"stream", shape::Text()}, {"position", shape::Text()}};
  for (const char* const count :
       {"received", "written", "superseded", "duplicate", "quarantined", "out_of_scope"}) {
    members.emplace_back(count, shape::Whole());
  }
  members.emplace_back("outcome", shape::Resource("OperationOutcome"));
  return shape::Object(members);
}

}  // namespace

void AddIngestRoutes(Routes& routes, std::vector<Intake> intakes) {
  const auto shared = std::make_shared<const std::vector<Intake>>(std::move(intakes));
  for (const auto& [path, summary] :
       {std::pair("/ingest", "Take FHIR records in; answers once they are durable"),
        std::pair("/ingest/{stream}", "The same into the stream of that name"),
        std::pair("/fhir", "As /ingest"), std::pair("/fhir/Observation", "As /ingest"),
        std::pair("/fhir/Patient", "As /ingest")}) {
    Route route = MakeRoute("POST", path, summary, [shared](Request request, const Reply& reply) {
      Ingest(*shared, std::move(request), reply);
    });
    if (std::string_view(path) != "/ingest/{stream}") {
      route.query = {{"stream", "Into the stream of that name (the first that takes posts)"}};
    }
    route.headers = {{"Idempotency-Key", "The same key and body again are not taken in again"},
                     {"Content-Encoding", "gzip, or none"}};
    route.body = shape::Either(shape::Resource(), shape::List(shape::Resource()));
    route.answer = TakenShape();
    route.takes.assign(kTypes.begin(), kTypes.end());
    route.gives = {"application/json"};
    route.good_status = 202;
    route.runs_on = RunsOn::kPool;
    route.max_body = kIngestBytes;
    route.patience = kPatience;
    routes.Add(std::move(route));
  }
}

}  // namespace vitalake::serve
