// Rows of ops.alert, as PublishedAlert.
#pragma once

#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "ingest/alerts/owners.h"
#include "ingest/alerts/place.h"
#include "ingest/alerts/published_alert.h"
#include "lake/lake.h"

namespace vitalake::ingest {

// How far the table is in each partition.
AlertPositions AlertPositionsIn(const delta::Snapshot& snapshot);

// The rows from `from` on in the partitions that it names, each partition's in order; the first
// `most` (0: all).
Result<std::vector<PublishedAlert>> ReadAlertsFrom(lake::Lake& lake,
                                                   const delta::SnapshotPtr& snapshot,
                                                   const AlertPositions& from, size_t most,
                                                   const Wait& wait);

// Which alerts, each as its last row says. Empty parts: all.
struct AlertQuery {
  std::string alert_id, patient;
  std::vector<AlertOwner> others;  // whose alerts are the patient's, too
  std::vector<std::string> states, severities;
  bool on = false;    // those that are
  int64_t limit = 0;  // 0: none
};
// Those that are on first, then the newest.
Result<std::vector<PublishedAlert>> ReadAlertsNow(lake::Lake& lake,
                                                  const delta::SnapshotPtr& snapshot,
                                                  const AlertQuery& query, const Wait& wait);

// One alert as its last row says. kNotFound.
Result<PublishedAlert> ReadAlertNow(lake::Lake& lake, const std::string& alert_id,
                                    const Wait& wait);

}  // namespace vitalake::ingest
