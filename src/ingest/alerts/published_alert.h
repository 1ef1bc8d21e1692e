// PublishedAlert: one step in the life of an alert as it leaves the process: a row of ops.alert.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "engine/engine.h"
#include "lake/cell_row.h"
#include "view/view.h"

namespace vitalake::ingest {

// Columns as in ops.alert (docs/monitoring.md says what each means).
struct PublishedAlert {
  std::string alert_id;  // 32 hex digits
  std::string id_space, patient_id;
  std::string vital;  // a canonical LOINC code, or "several"
  std::string rule, rule_version, severity, state, change, queue;
  bool notify = true;
  Micros opened_at = 0, updated_at = 0;
  std::optional<Micros> closed_at;
  std::string acknowledged_by;
  std::optional<Micros> acknowledged_at, snoozed_until;
  std::string reading_ids;  // a JSON array
  std::optional<double> value, diastolic, baseline, baseline_sigma;
  std::optional<int64_t> baseline_readings;
  std::string window, late_by;  // ISO 8601 durations; empty: none
  std::string explanation;
  std::string source, source_partition;
  int64_t source_offset = 0;
  int64_t sequence = 0;  // of the partition's alerts, from 0 without a gap

  // When the reading came that raised it; no column. 0: no reading did, or it is from the table.
  Micros heard_at = 0;
  // Bronze must have all messages before this offset before any table may have this row.
  int64_t needs = 0;
};

// "PT15M"; parts that are 0 are left out, "PT0S" when all are.
std::string IsoDuration(int64_t seconds);

// The columns of ops.alert in their order, which all of these keep to.
const std::vector<view::ColumnSpec>& AlertColumns();
// Appends the cells of one row; `alert` must live until they are used.
void AppendCells(const PublishedAlert& alert, lake::CellRow& row);
// Of the row at hand.
PublishedAlert AlertOf(const engine::QueryResult& row);
// An object: times as FormatUtc, null for what is absent.
std::string AlertJson(const PublishedAlert& alert);

// Whether an alert in that state is on.
bool IsOn(std::string_view state);

}  // namespace vitalake::ingest
