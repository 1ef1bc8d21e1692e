// RecordWatcher: the raw cells of a record's silver rows -> what the monitor is told of it.
//
// It reads columns of the silver views by their names, found once; a view that lacks one gives
// nothing for it. Values are measured as the views' finishing SQL does (clinical::Measure), so that
// the monitor sees what the tables will have.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_tree.h"
#include "clinical/assess.h"
#include "clinical/blood_pressure.h"
#include "clinical/plausibility.h"
#include "ingest/monitoring/watched_record.h"
#include "lake/silver_view.h"
#include "view/view.h"

namespace vitalake::ingest {

// The record whose rows come next.
struct WatchedPlace {
  int32_t partition = 0;
  int64_t offset = 0, entry = 0;
  Micros received = 0;
};

// SNOMED CT: what inflates a cuff on the arm, as in views/observation.sql.
clinical::Device DeviceOf(std::string_view type_code, bool named);

// Not thread-safe.
class RecordWatcher {
 public:
  // `views` in LoadSilverViews' order.
  explicit RecordWatcher(const std::vector<lake::SilverView>& views);

  // Marks the columns of view `at` that it reads.
  void MarkNeeded(size_t at, std::vector<bool>& needed) const;

  // A resource that is used, before its rows. Its texts and `resource` must live until the next.
  void Begin(const WatchedPlace& place, JsonValue resource, std::string_view key,
             const clinical::Assessment& assessment);
  // A row of silver.patient, silver.observation, silver.vital_sign.
  void TakePatient(std::span<const view::Cell> row);
  void TakePressure(std::span<const view::Cell> row);
  void TakeVital(std::span<const view::Cell> row);
  // After its rows. A version in which nothing can be read any more is told as such: one before it
  // may have been judged.
  void End();

  // A retraction in which no vital sign is named: whatever has its key.
  void TakeRetraction(const WatchedPlace& place, JsonValue resource, std::string_view key);
  // A DELETE entry.
  void TakeDelete(const WatchedPlace& place, std::string_view id, bool patient);
  // A resource that goes to quarantine although it has a critical value. `position` stands for a
  // missing id.
  void TakeQuarantined(const WatchedPlace& place, JsonValue resource, std::string_view position);

  // All since the last call, in the order they came.
  std::vector<WatchedRecord> Take() { return std::move(records_); }

 private:
  // Places of columns in a view's rows; -1: the view has none of that name.
  struct PatientColumns {
    int birth_date, deceased, deceased_time, replaced_by, replaces, is_test;
  };
  struct TimeColumns {
    int patient_id, effective_time, effective_sent, device, device_reference;
  };
  struct QuantityColumns {
    int value, unit, unit_code, unit_system, comparator;
  };

  // The parts of a reading that are the same for all values of a record.
  WatchedReading ReadingOf(const TimeColumns& columns, std::span<const view::Cell> row) const;
  void Add(WatchedReading reading);
  void AddRetraction(std::string_view key, const monitor::VersionRank& rank);
  // Of a quantity's cells; nullopt when no value was sent or the code is not listed.
  std::optional<clinical::Measured> MeasureCells(std::string_view code, const QuantityColumns& at,
                                                 std::span<const view::Cell> row) const;
  bool HasTaken(monitor::Vital vital) const;
  void TakeVitalAs(monitor::Vital vital, std::string_view code, std::span<const view::Cell> row,
                   const std::optional<clinical::Measured>& measured);

  std::vector<std::vector<int>> needed_;  // by view
  PatientColumns patient_;
  TimeColumns pressure_, vital_;
  QuantityColumns systolic_, diastolic_, value_;
  int device_type_ = -1, setting_ = -1, codings_ = -1, value_code_ = -1, value_text_ = -1,
      value_is_text_ = -1;

  WatchedPlace place_;
  JsonValue resource_;
  std::string_view key_;
  monitor::VersionRank rank_;
  monitor::ReadingStatus status_ = monitor::ReadingStatus::kAlerts;
  clinical::QualitySet quality_;
  std::optional<monitor::Vital> named_;  // of the record at hand, whether it has a value or not
  size_t first_ = 0;                     // of the record at hand in records_
  std::vector<WatchedRecord> records_;
};

}  // namespace vitalake::ingest
