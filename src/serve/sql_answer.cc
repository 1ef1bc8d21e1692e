#include "serve/sql_answer.h"

#include <utility>

#include "serve/http/problem.h"

namespace vitalake::serve {
namespace {

// What may wait for one client.
constexpr size_t kSqlWaiting = 1 << 20;
constexpr const char* kTruncated = "Vitalake-Truncated";

}  // namespace

Status SqlAnswer::Write(std::string_view text) {
  if (text.size() > kPieceBytes) {
    return Fail(ErrorKind::kLimit, "A row is larger than 64 MiB: ask for fewer columns");
  }
  if (body_) return Send(std::string(text));
  held_ += text;
  if (held_.size() < kWholeBytes) return {};
  VL_RETURN_IF_ERROR(Begin());
  return Send(std::exchange(held_, {}));
}

Status SqlAnswer::Begin() {
  if (!turn_.TakeLongPlace()) {
    reply_(ProblemResponse({503,
                            "Too many large answers are being sent: ask again later, or for less",
                            {},
                            {{"Retry-After", "5"}}}));
    return Fail(ErrorKind::kCancelled, "there is no place for another large answer");
  }
  StreamHead head{200, content_type_, {{"Cache-Control", "no-store"}, {"Trailer", kTruncated}}};
  if (coding_ == AnswerCoding::kGzip) {
    gzip_.emplace();
    head.headers.emplace_back("Content-Encoding", "gzip");
  }
  head.headers.emplace_back("Vary", "Accept-Encoding");
  StreamLimits limits;
  limits.waiting_bytes = kSqlWaiting;
  body_.emplace(reply_.Begin(std::move(head), std::move(limits)));
  turn_.StopWith(body_->gone_token());
  return {};
}

Status SqlAnswer::Send(std::string piece) {
  if (gzip_) piece = gzip_->Add(piece);
  const auto shared = std::make_shared<const std::string>(std::move(piece));
  if (body_->TrySend(shared) == BodyStream::Sent::kTaken) return {};
  return turn_.Rest([&](const Wait& sending) { return body_->Send(shared, sending); });
}

void SqlAnswer::EndStatement() { turn_.EndStatement(); }

Status SqlAnswer::End(Rows rows) {
  EndStatement();
  HeaderList told;
  if (rows == Rows::kSome) told.emplace_back(kTruncated, "true");
  if (!body_) {
    told.emplace_back("Cache-Control", "no-store");
    reply_({200, content_type_, std::move(held_), std::move(told)});
    return {};
  }
  if (gzip_) {
    std::string last = gzip_->End();
    VL_RETURN_IF_ERROR(turn_.Rest([&](const Wait& sending) { return body_->Send(last, sending); }));
  }
  body_->End(std::move(told));
  return {};
}

}  // namespace vitalake::serve
