// RefreshModel: one gold table brought to what its model gives over the sources at hand.
#pragma once

#include <optional>

#include "base/deadline.h"
#include "base/result.h"
#include "lake/gold.h"
#include "lake/gold_model.h"
#include "lake/gold_sources.h"
#include "lake/lake.h"

namespace vitalake::lake {

// The commit's note: at which versions the sources were read. True of it in the log: up to date.
struct CommitNote;
CommitNote SourceNote(const GoldModel& model, const GoldSources& sources);

// The version of a source that the gold table was last made from.
std::optional<int64_t> SeenVersion(const delta::Snapshot& gold, const GoldModel& model,
                                   const GoldSource& source);

// Computes the model (all of it, or the rows of the persons touched), writes what differs from
// `snapshot` and commits on it. nullopt: the race for the commit is lost, nothing is left of it.
// Uses `connection` for statements of its own; several models may run at once on one each.
Result<std::optional<GoldResult>> RefreshModel(Lake& lake, engine::Connection& connection,
                                               const GoldModel& model, const GoldSources& sources,
                                               delta::Table& table,
                                               const delta::SnapshotPtr& snapshot,
                                               bool touched_only, const Wait& wait);

}  // namespace vitalake::lake
