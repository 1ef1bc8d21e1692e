// Ids as types of their own, so that a table version cannot be passed where an offset is meant.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace vitalake {

// A number with a meaning. Tag makes each use its own type; value is public on purpose.
template <class Tag, class T = int64_t>
struct StrongId {
  T value{};
  auto operator<=>(const StrongId&) const = default;
};

// Version of a Delta table: 0 is the first commit.
using Version = StrongId<struct VersionTag>;
// Place of a file in its batch run, from 0.
using FileOrdinal = StrongId<struct FileOrdinalTag>;
// Byte offset in the (decompressed) file, or message offset in a partition.
using Offset = StrongId<struct OffsetTag>;

// Name of one batch run: sortable by start time, unique ("20261122T170000Z-3f9c0a7d").
using RunId = StrongId<struct RunIdTag, std::string>;

}  // namespace vitalake
