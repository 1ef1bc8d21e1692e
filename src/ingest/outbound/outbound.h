// Outbound: the changes of tables as messages to a place outside the lake, none skipped.
//
// A place (a Kafka topic) follows the change feeds of one or more tables. What a message holds is
// data: outbound/<name>.sql makes one row of fields per change. How far a place has come is kept in
// the lake (lake/published.h) and moves only once everything before it is acknowledged; so after a
// crash some messages come again, with the same key, fields and position. A place that is new
// begins with the tables' present versions. Where a feed is gone (vacuumed) every row of the table
// is published anew, which is said in the log.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "lake/lake.h"
#include "lake/published.h"

namespace vitalake::ingest {

struct OutboundMessage {
  std::string_view key;       // patient id; empty: none
  std::string_view value;     // a JSON object
  std::string_view position;  // "silver.observation/42": the table's version that brought it
};

// Where messages go. Not thread-safe.
class OutboundSink {
 public:
  virtual ~OutboundSink() = default;
  // Takes the message over; waits where there is no room. An error may be that of an earlier one;
  // then everything since the last Flush must be sent again.
  virtual Status Send(const OutboundMessage& message, const Wait& wait) = 0;
  // Waits until all is acknowledged.
  virtual Status Flush(const Wait& wait) = 0;
};

struct OutboundFeed {
  std::string table;  // "silver.observation"
  std::string sql;    // text of outbound/<name>.sql
  std::string home;   // condition over the table's rows: which are published
};

// The readings: silver.observation and silver.vital_sign, each where it is at home. Errors are
// those of loading the views.
Result<std::vector<OutboundFeed>> ReadingFeeds(lake::Lake& lake);

// Brings a place up to date, again and again. Not thread-safe.
class OutboundWork {
 public:
  virtual ~OutboundWork() = default;
  virtual const std::string& place() const = 0;
  // Reads the place's positions; a new place gets the present ones. Call it before what should be
  // published is committed, and again when another process may have published meanwhile.
  virtual Status Begin() = 0;
  // Publishes all there is by now, in order. Errors: those of the sink and of reading the lake;
  // what was sent before may come again.
  virtual Status Publish(const Wait& wait) = 0;
};

// The changes of tables.
class OutboundPublisher final : public OutboundWork {
 public:
  // `place` as in lake::WritePublished. `lake` must outlive it. With `names` false the messages
  // have no family and given names.
  OutboundPublisher(lake::Lake& lake, std::string place, std::vector<OutboundFeed> feeds,
                    std::unique_ptr<OutboundSink> sink, bool names)
      : lake_(lake),
        place_(std::move(place)),
        feeds_(std::move(feeds)),
        sink_(std::move(sink)),
        names_(names) {}

  const std::string& place() const override { return place_; }
  Status Begin() override;
  // All changes committed by now, in the order of their versions.
  Status Publish(const Wait& wait) override;

 private:
  // Publishes the feed's versions first to last, or with `whole` the table as it is at last.
  Status PublishVersions(const OutboundFeed& feed, int64_t first, int64_t last, const Wait& wait);
  Result<std::string> ChangesOf(const OutboundFeed& feed, int64_t first, int64_t last);

  lake::Lake& lake_;
  std::string place_;
  std::vector<OutboundFeed> feeds_;
  std::unique_ptr<OutboundSink> sink_;
  bool names_;
  lake::FeedPositions positions_;
};

}  // namespace vitalake::ingest
