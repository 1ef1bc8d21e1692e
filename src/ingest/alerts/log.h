// AlertLog: alerts into ops.alert, exactly once.
//
// A partition's alerts are numbered without a gap (PublishedAlert::sequence), and a replay gives
// them their numbers again. Each commit holds two transactions of the partition: "<appId>" = the
// offset before which all alerts are there, as in the other tables, and "<appId>#alerts" = the next
// number. A commit states both as it found them and fails on a table that is elsewhere; alerts
// below the table's number are dropped.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "ingest/alerts/published_alert.h"
#include "lake/lake.h"
#include "lake/table_writer.h"

namespace vitalake::ingest {

inline constexpr std::string_view kAlerts = "ops.alert";

// Thread-safe.
class AlertLog {
 public:
  explicit AlertLog(lake::Lake& lake) : lake_(lake) {}

  // Reads how far the table is in this partition; what waited is dropped.
  Status Begin(const std::string& app);
  void End(const std::string& app);
  // The first number the table lacks.
  int64_t next(const std::string& app) const;

  // Leaves those that the table lacks in `alerts`, and keeps them for Write.
  void Add(const std::string& app, std::vector<PublishedAlert>& alerts);

  enum class Say { kAlerts, kPositionToo };
  // Commits the alerts that bronze allows and gives them. With kPositionToo also how far the table
  // is where no alert says so. kConflict: another process has one of the partitions.
  Result<std::vector<PublishedAlert>> Write(const std::map<std::string, int64_t>& bronze, Say say,
                                            const Wait& wait);

 private:
  struct Partition {
    std::optional<int64_t> position, next;  // the table's txns
    std::deque<PublishedAlert> waiting;
  };

  lake::CommitNote NoteOf(const std::map<std::string, int64_t>& bronze, Say say,
                          std::vector<PublishedAlert>& rows);
  Status Commit(const std::vector<PublishedAlert>& rows, const lake::CommitNote& note,
                const Wait& wait);

  lake::Lake& lake_;
  std::mutex writing_;        // held while a commit is made
  mutable std::mutex mutex_;  // guards partitions_
  std::map<std::string, Partition> partitions_;
};

}  // namespace vitalake::ingest
