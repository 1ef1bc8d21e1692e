// What became of records: the counts that must balance.
#pragma once

#include <cstdint>

namespace vitalake::lake {

// Every record received ends as exactly one of the other five.
struct OutcomeCounts {
  int64_t received = 0;
  int64_t written = 0;       // a new or newer version is in its home table
  int64_t superseded = 0;    // a version of higher rank is there
  int64_t duplicate = 0;     // the same content is there
  int64_t quarantined = 0;   // in ops.quarantine
  int64_t out_of_scope = 0;  // of a type or code no silver table holds
  int64_t bytes = 0;         // received, as on disk

  bool Balances() const {
    return received == written + superseded + duplicate + quarantined + out_of_scope;
  }
  OutcomeCounts& operator+=(const OutcomeCounts& other) {
    received += other.received;
    written += other.written;
    superseded += other.superseded;
    duplicate += other.duplicate;
    quarantined += other.quarantined;
    out_of_scope += other.out_of_scope;
    bytes += other.bytes;
    return *this;
  }
};

}  // namespace vitalake::lake
