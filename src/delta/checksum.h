// N.crc: what a table counts after commit N, for readers that want to check themselves.
// Source: Delta PROTOCOL, "Version Checksum File".
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "delta/snapshot.h"
#include "storage/object_store.h"

namespace vitalake::delta {

// One JSON object, one line.
std::string ChecksumJson(const Snapshot& snapshot, std::string_view txn_id);

// Puts it beside the commit; one that is there already stays.
Status WriteChecksum(storage::ObjectStore& store, std::string_view root, const Snapshot& snapshot,
                     std::string_view txn_id);

}  // namespace vitalake::delta
