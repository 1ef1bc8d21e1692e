// The statements of an upsert's decision, over temporary tables of one connection:
//   staged     one row per staged record: key, rank parts, content hash, position, home, conflict;
//              `elsewhere` for records staged for another table, where they have their home
//   present    one row per key of the table that a staged record names
//   elsewhere  the same of the other table; `home`: the version has its home there. Of others only
//              counts whether they were deleted or retracted
//   decision   one row per key: which version wins (winner T: in the table, S: staged, E: at home
//              elsewhere), whose rows there are (origin; another's where a bare retraction wins:
//              `marked`) and what changes: insert, update, remove, none
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "lake/silver_view.h"

namespace vitalake::lake::upsert_sql {

// fhir::VersionNumber as BIGINT, NULL where it is none: it ranks lowest then.
std::string VersionNumber(std::string_view version_id);
// From a relation of staged rows (columns as the silver table's).
std::string CreateStaged(std::string_view staged_rows, const SilverView& view);
// Adds those of another table's staged rows that have their home there.
std::string AddStagedElsewhere(std::string_view staged_rows, const SilverView& other);
// DELETE entries name a resource id: points each at the one live key of that id; marks the
// ambiguous, and those of which only the other table has a key. `table_keys` and `other_keys`:
// relations with id_space, id, resource_id, live.
std::string ResolveDeletes(std::string_view table_keys, std::string_view other_keys);
// What `retracted_at` is in a deleted row: the microsecond of its first deletion, odd where the
// version it holds is a retraction too, else even. So a stored row tells both, and the time is the
// same however the records came in batches.
std::string DeletionTime(std::string_view deleted_at, std::string_view retraction);
// From a relation of the table's rows with _file.
std::string CreatePresent(std::string_view table_rows, const SilverView& view);
// From a relation of the other table's rows.
std::string CreateElsewhere(std::string_view table_rows, const SilverView& other);
// Marks staged records whose identifier is not the one their key is known by.
std::string MarkKeyConflicts();
std::string CreateDecision();
// source_partition, outcome ("superseded", "duplicate", "refused"), count, source_offset (0 unless
// counted per place); for home records.
enum class Per { kPartition, kPlace };
std::string SelectExceptions(Per per);
// source_partition, source_offset, reason of refused records.
std::string SelectRefused();

}  // namespace vitalake::lake::upsert_sql
