// Replay: quarantined records taken in again, after the fault that kept them out was mended (a new
// version of the rules, a view, the key setting).
#pragma once

#include <optional>
#include <string>

#include "base/deadline.h"
#include "base/result.h"
#include "fhir/decode.h"
#include "fhir/record_key.h"
#include "lake/lake.h"
#include "lake/outcome.h"
#include "lake/quarantine.h"

namespace vitalake::ingest {

struct ReplaySummary {
  std::string run;             // empty when nothing matched
  int64_t selected = 0;        // records tried
  int64_t still_refused = 0;   // of them, still not usable; they stay in quarantine as they are
  lake::OutcomeCounts counts;  // of all tried
};

// {"run":...,"selected":...,"written":...,"superseded":...,"duplicate":...,"out_of_scope":...,
// "still_refused":...}
std::string ReplayJson(const ReplaySummary& done);

struct ReplayOptions {
  fhir::DecodeLimits limits = {};
  // Where the records' keys are; nullopt: where they were when they came.
  std::optional<fhir::KeyRule> key = std::nullopt;
};

// Reads the records `filter` selects from their bronze copies, under the source, id_space, key rule
// (unless the options have another) and received time they came with, and sends them the usual way.
// Those that went through get their replayed_at and a ledger row. A crash in between is mended by
// replaying again: a row that is there already is recognised by its position.
Result<ReplaySummary> ReplayQuarantine(lake::Lake& lake, const lake::QuarantineFilter& filter,
                                       const ReplayOptions& options = {}, const Wait& wait = {});

}  // namespace vitalake::ingest
