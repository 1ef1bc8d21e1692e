// How changes become messages: outbound/<name>.sql over two relations of a connection, `changes`
// and `patients`.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "engine/engine.h"
#include "ingest/outbound/outbound.h"
#include "lake/lake.h"

namespace vitalake::ingest {

inline constexpr std::string_view kOutboundPatients = "silver.patient";

struct OutboundSession {
  lake::Lake& lake;
  engine::Connection& connection;  // has the temp table `changes`
  bool names;                      // false: no family and given names
};

// Sends a message per row that `sql` makes, in the order of _version, of which `position_of` makes
// the message's position; then waits until all are acknowledged.
Status SendChanges(const OutboundSession& session, const std::string& sql,
                   const std::function<std::string(int64_t version)>& position_of,
                   OutboundSink& sink, const Wait& wait);

}  // namespace vitalake::ingest
