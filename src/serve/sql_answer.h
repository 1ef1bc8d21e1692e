// SqlAnswer: the rows of a statement on their way to a client: whole where they are few, in pieces
// where they are many.
//
// What fits kWholeBytes is held back until its end, so that it has a length, and an error a status
// of its own. More is sent as it is computed, as fast as the client takes it, and waits for it in a
// bounded place (http/body_stream.h). An error then can only be told by the missing end of the
// body.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "serve/http/body_stream.h"
#include "serve/http/gzip.h"
#include "serve/http/message.h"
#include "serve/query_desk.h"

namespace vitalake::serve {

enum class AnswerCoding { kIdentity, kGzip };

// Not thread-safe; must not outlive the turn.
class SqlAnswer {
 public:
  static constexpr size_t kWholeBytes = 256 << 10;

  // `coding` of an answer in pieces; a whole one gets its own where it is sent.
  SqlAnswer(const Reply& reply, QueryTurn& turn, std::string content_type, AnswerCoding coding)
      : reply_(reply), turn_(turn), content_type_(std::move(content_type)), coding_(coding) {}

  // Waits for the client, and then the turn's wait is another. kCancelled, kDeadline; kLimit where
  // one call has more than kPieceBytes: a row that large is not sent.
  static constexpr size_t kPieceBytes = 64 << 20;
  Status Write(std::string_view text);
  // All rows are here: what is written from now on needs no statement's place.
  void EndStatement();
  // `truncated` goes as the header (or, behind pieces, the trailer) Vitalake-Truncated.
  enum class Rows { kAll, kSome };
  Status End(Rows rows);

 private:
  Status Begin();
  Status Send(std::string piece);

  const Reply& reply_;
  QueryTurn& turn_;
  const std::string content_type_;
  const AnswerCoding coding_;
  std::string held_;
  std::optional<Gzip> gzip_;
  std::optional<BodyStream> body_;
};

}  // namespace vitalake::serve
