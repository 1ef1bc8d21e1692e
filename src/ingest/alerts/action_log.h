// ActionLog: what changes the judgements of one stream partition besides its records, in
// ops.action.
//
// A row is committed before the monitor is told, with the offset before which it takes effect. So a
// replay of bronze tells it again at the same place. The order is that of (offset, ordinal).
//
// What a person asks for (alerts ack) is a row without an offset. The service that has the
// partition answers it with a second row, `request` naming the first: from there on it counts.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/result.h"
#include "lake/lake.h"

namespace vitalake::ingest {

inline constexpr std::string_view kActions = "ops.action";
inline constexpr std::string_view kSystem = "system";  // actor of what no person did

struct RecordedAction {
  std::string id;         // 32 hex digits
  std::string partition;  // source_partition: the position's appId
  std::string actor;
  std::string action;    // patient, rules, tick, acknowledge, snooze, settings
  std::string id_space;  // of the patient
  std::string target;    // patient's id, versions of the rules, -, alert's id
  std::string reason;
  std::string request;  // the row this one answers
  std::string payload;  // JSON: what `action` needs besides
  Micros time = 0;
  std::optional<Micros> expiry;
  std::optional<int64_t> position;  // source_offset; nullopt: asked for
  int64_t ordinal = 0;              // of the partition's rows with a position, from 0

  auto place() const { return std::pair(position.value_or(0), ordinal); }
};

// The payload of an action on an alert.
std::string PatientPayload(const std::string& patient_id);

// Rows that people asked for: what `alerts ack` writes. Their ids.
Result<std::vector<std::string>> AppendRequests(lake::Lake& lake,
                                                std::span<const RecordedAction> requests,
                                                const Wait& wait);
// The settings that people asked for of one patient, the last first.
Result<std::vector<RecordedAction>> SettingsRequests(lake::Lake& lake, const std::string& patient,
                                                     const std::string& id_space, const Wait& wait);

// One owner at a time: a commit states how many rows there were before, and fails where another
// process has added some.
class ActionLog {
 public:
  // Reads how far the partition's actions are.
  static Result<ActionLog> Open(lake::Lake& lake, std::string app);

  // Those at `from` or behind it, in order.
  Result<std::vector<RecordedAction>> Load(int64_t from, const Wait& wait);
  // How many there are before `position`, and at it.
  struct Counts {
    int64_t below = 0, at = 0;
  };
  Result<Counts> CountsAt(int64_t position, const Wait& wait);
  // Commits rows with positions; gives them ids and ordinals, and the table's version. kConflict:
  // another process has the partition.
  Result<Version> Append(std::vector<RecordedAction>& rows, const Wait& wait);
  // The same of several partitions in one commit.
  struct Addition {
    ActionLog* log;
    std::vector<RecordedAction>* rows;
  };
  static Result<Version> AppendAll(std::span<const Addition> additions, const Wait& wait);
  // What was asked for and has no answer yet, oldest first: of this partition and of its earlier
  // epochs (their alerts go on in this one), and what is for all partitions of the id space.
  Result<std::vector<RecordedAction>> Unanswered(const std::string& id_space, const Wait& wait);

  int64_t count() const { return count_.value_or(0); }

 private:
  ActionLog(lake::Lake& lake, std::string app) : lake_(&lake), app_(std::move(app)) {}

  lake::Lake* lake_;
  std::string app_;
  std::optional<int64_t> count_;  // the table's txn
};

}  // namespace vitalake::ingest
