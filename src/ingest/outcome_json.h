// Outcome counts as commits state them: members of an object of commitInfo.vitalake.
#pragma once

#include "base/json_tree.h"
#include "base/json_writer.h"
#include "lake/outcome.h"

namespace vitalake::ingest {

// Members of the object that is open in `json`.
inline void WriteOutcomes(JsonWriter& json, const lake::OutcomeCounts& counts) {
  json.Key("received").Int(counts.received).Key("written").Int(counts.written);
  json.Key("superseded").Int(counts.superseded).Key("duplicate").Int(counts.duplicate);
  json.Key("quarantined").Int(counts.quarantined).Key("out_of_scope").Int(counts.out_of_scope);
}

inline lake::OutcomeCounts ReadOutcomes(JsonValue object) {
  const auto read = [&](std::string_view name) { return object.Find(name).AsInt().value_or(0); };
  lake::OutcomeCounts counts;
  counts.received = read("received");
  counts.written = read("written");
  counts.superseded = read("superseded");
  counts.duplicate = read("duplicate");
  counts.quarantined = read("quarantined");
  counts.out_of_scope = read("out_of_scope");
  return counts;
}

}  // namespace vitalake::ingest
