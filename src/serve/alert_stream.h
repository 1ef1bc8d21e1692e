// AlertStream: GET /alerts/stream, each step of an alert as a server-sent event at once.
//
// A client's id is its position (ingest/alerts/place.h). Behind "~" it says that the alerts that
// were on had not all been sent: they are sent again.
#pragma once

#include <list>
#include <mutex>
#include <span>

#include "base/clock.h"
#include "ingest/alerts/board.h"
#include "serve/http/body_stream.h"
#include "serve/http/message.h"

namespace vitalake::serve {

class AlertStream {
 public:
  // Both must outlive it.
  AlertStream(ingest::AlertBoard& board, Clock& clock) : board_(board), clock_(clock) {}
  // Once, when the board is open and does not run yet, which this must outlive from here on.
  void Follow();

  // Answers the request with the stream. May block while the table is read.
  void Join(const Request& request, const Reply& reply);

 private:
  struct Client {
    BodyStream body;
    int64_t number = 0;  // of the last step it was sent
  };
  struct Begin {
    std::string text;
    ingest::AlertPositions positions;
    int64_t number = 0;
  };

  Result<Begin> BeginOf(const std::string& last_id);
  void AppendStanding(Begin& begin) const;
  void Deliver(std::span<const ingest::AlertStepPtr> steps);

  ingest::AlertBoard& board_;
  Clock& clock_;
  std::mutex mutex_;  // guards what follows
  std::list<Client> clients_;
  ingest::AlertPositions positions_;  // behind what was delivered
};

}  // namespace vitalake::serve
