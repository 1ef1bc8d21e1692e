// AlertPlace: how far into all partitions' alerts someone is, as a short text that a client can
// keep: "3f2a91c0.0.5,77b0aa12.3.17".
//
// A part says of one stream's partition, by the hash of its name, which epoch of it and the next
// sequence there. Of earlier epochs everything is behind it, of later ones and of partitions that
// are not named nothing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vitalake::ingest {

// source_partition (the appId) -> the next sequence of its alerts.
using AlertPositions = std::map<std::string, int64_t, std::less<>>;

// Where the numbers of a source_partition's alerts are in the transactions of ops.alert.
std::string AlertNumberApp(std::string_view app);  // "<app>#alerts"
// nullopt: it is none of those.
std::optional<std::string_view> PartitionOfAlertNumber(std::string_view number_app);

// Without the epochs that a later one of the same partition is there of.
AlertPositions NewestEpochs(const AlertPositions& positions);
// With those again, each at its end in `known`.
AlertPositions WithOlderEpochs(const AlertPositions& newest, const AlertPositions& known);

std::string FormatAlertPlace(const AlertPositions& positions);
// The positions in `known`'s partitions. kInvalidArgument: the text is no place; kNotFound: it is
// ahead of `known`: of another lake, or of a process that was killed before tables had what it
// told.
Result<AlertPositions> ParseAlertPlace(std::string_view text, const AlertPositions& known);

}  // namespace vitalake::ingest
