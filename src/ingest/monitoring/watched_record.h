// WatchedRecord: what a stream's monitor is told of one record, owning its texts.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "monitor/action.h"
#include "monitor/reading.h"

namespace vitalake::ingest {

// Who is named by an identifier (fhir/references.h) is a patient of this id and the
// identifier, merged into who holds it. No resource's id begins so.
inline constexpr std::string_view kByIdentifier = "?identifier=";

// One reading, or its retraction. `reading`'s own texts are empty; View fills them in.
struct WatchedReading {
  std::string patient;  // empty: none that can be found, or a DELETE, which names none
  std::string id;
  std::string device, device_model, identifier;
  monitor::Reading reading;

  // Views into this; `id_space` is the stream's.
  monitor::Reading View(std::string_view id_space) const {
    monitor::Reading view = reading;
    view.patient = {id_space, patient};
    view.id = id;
    view.device = device;
    view.device_model = device_model;
    view.identifier = identifier;
    return view;
  }
};

// Which of two versions of a patient counts. A retraction ranks above its own version, and above
// all when it has none.
struct PatientRank {
  int64_t version = -1;
  Micros last_updated = std::numeric_limits<Micros>::min();
  bool retraction = false;
  auto operator<=>(const PatientRank&) const = default;

  static PatientRank Of(const monitor::VersionRank& rank, bool retraction) {
    const bool final = retraction && rank.version < 0;
    return {final ? std::numeric_limits<int64_t>::max() : rank.version,
            rank.last_updated.value_or(std::numeric_limits<Micros>::min()), retraction};
  }
};

// What is known of a patient. A retracted one has no facts but that.
struct WatchedPatient {
  std::string id;
  monitor::PatientFacts facts;
  PatientRank rank;
};

// A record in quarantine that has a critical value.
struct WatchedCritical {
  std::string patient;  // empty: it cannot be read
  std::string id;       // the resource's, or its place
};

struct WatchedRecord {
  int32_t partition = 0;
  int64_t offset = 0;
  int64_t entry = 0;  // of the message's records, from 0
  Micros received = 0;
  std::variant<WatchedReading, WatchedPatient, WatchedCritical> what;

  auto place() const { return std::tuple(partition, offset, entry); }
};

}  // namespace vitalake::ingest
