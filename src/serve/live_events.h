// LiveEvents: GET /events, what happens right now, for views of it.
//
// Of readings a client gets a sample, at most as many a second as it wants and as it takes; what it
// was not sent is counted. Alerts and the state of the service always come.
#pragma once

#include <functional>
#include <list>
#include <mutex>
#include <span>
#include <string>
#include <thread>

#include "base/clock.h"
#include "ingest/alerts/board.h"
#include "ingest/monitoring/reading_feed.h"
#include "serve/http/body_stream.h"
#include "serve/http/message.h"

namespace vitalake::serve {

class LiveEvents {
 public:
  // `status` gives the data of a `status` event; called about once a second while somebody looks
  // on, on any thread. All must outlive it.
  LiveEvents(ingest::AlertBoard& board, ingest::ReadingFeed& readings, Clock& clock,
             std::function<std::string()> status);
  ~LiveEvents();
  // Once, when the board does not run yet, which this must outlive from here on.
  void Follow();

  // Answers the request with the stream.
  void Join(const Request& request, const Reply& reply);

 private:
  struct Watcher {
    BodyStream body;
    std::string patient;            // empty: all
    int64_t rate = 0;               // readings a second
    int64_t left = 0;               // of this second
    int64_t sampled = 0, slow = 0;  // not sent in this second
  };

  void Run(const std::stop_token& stop);
  void DeliverReadings(const ingest::ReadingFeed::Taken& taken);
  void DeliverAlerts(std::span<const ingest::AlertStepPtr> steps);
  void EndSecond();
  bool IsWatched();

  ingest::AlertBoard& board_;
  ingest::ReadingFeed& readings_;
  Clock& clock_;
  const std::function<std::string()> status_;
  std::mutex mutex_;  // guards watchers_
  std::list<Watcher> watchers_;
  std::jthread thread_;
};

}  // namespace vitalake::serve
