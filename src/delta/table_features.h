// Which tables we can read and extend: protocol versions and table features.
// Source: Delta PROTOCOL, "Table Features", "Valid Feature Names in Table Features".
#pragma once

#include "base/result.h"
#include "delta/actions.h"

namespace vitalake::delta {

// The protocol of tables made here: reader 1, writer 7 with appendOnly, invariants, changeDataFeed.
Protocol OwnProtocol();

// kUnsupported naming the protocol version, or every feature, that we lack.
Status CheckReadable(const Protocol& protocol, const Metadata& metadata);
// The same for writing. A feature that is listed, but whose obligations are void for this table
// (generatedColumns without a generated column), is no obstacle.
Status CheckWritable(const Protocol& protocol, const Metadata& metadata);

}  // namespace vitalake::delta
