// StreamMessage: one message of a stream as it came, before anything looks into it.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"

namespace vitalake::ingest {

struct StreamMessage {
  int32_t partition = 0;
  int64_t offset = 0;
  Micros received_at = 0;  // when the source took it in (a broker: append time where it tells)
  std::string key;         // empty: none, or not kept (bronze does not hold it)
  std::string payload;     // exact bytes; empty: none
  std::string request_key = {};  // what its sender calls the request; empty: none. Bronze keeps it.
};

}  // namespace vitalake::ingest
