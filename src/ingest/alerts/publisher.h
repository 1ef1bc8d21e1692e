// AlertPublisher: every step of an alert to a place outside the lake, at once, none skipped.
//
// It follows the AlertBoard, which has a step milliseconds after the reading was judged; what was
// not sent (the place was away, the process was killed) comes from ops.alert. How far the place is
// in each partition's sequence is kept in the lake (lake/published.h, "<source_partition>#alerts")
// and moves once what was sent is acknowledged. So after a crash the last steps may come again,
// with the same key, fields and position ("ops.alert/<source_partition>#<sequence>").
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ingest/alerts/board.h"
#include "ingest/outbound/outbound.h"

namespace vitalake::ingest {

class AlertPublisher final : public OutboundWork {
 public:
  // `place` and `names` as in OutboundPublisher. Lake and board must outlive it.
  AlertPublisher(lake::Lake& lake, const AlertBoard& board, std::string place,
                 std::unique_ptr<OutboundSink> sink, bool names)
      : lake_(lake),
        board_(board),
        place_(std::move(place)),
        sink_(std::move(sink)),
        names_(names) {}

  const std::string& place() const override { return place_; }
  Status Begin() override;
  Status Publish(const Wait& wait) override;

 private:
  // The next steps to send, at most some thousands.
  Result<std::vector<PublishedAlert>> Next(const Wait& wait) const;
  Status Send(const std::vector<PublishedAlert>& alerts, const Wait& wait);
  Status KeepPositions() const;

  lake::Lake& lake_;
  const AlertBoard& board_;
  std::string place_;
  std::unique_ptr<OutboundSink> sink_;
  bool names_;
  std::string sql_;
  AlertPositions positions_;
};

}  // namespace vitalake::ingest
