// How far the change feeds of tables have been published to a place outside the lake.
//
// One object per place, _vitalake/outbound/<place>.json: {"silver.observation": 12, ...}, the last
// version of each table whose changes are there. Replaced as a whole, durable before visible.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "lake/lake.h"

namespace vitalake::lake {

using FeedPositions = std::map<std::string, int64_t, std::less<>>;  // table -> version

// Where that is kept, within the lake.
std::string PublishedKey(std::string_view place);
// nullopt: nothing was published there yet. kCorrupt when the object is not what WritePublished
// writes: deleting it begins anew, at the tables' present versions.
Result<std::optional<FeedPositions>> ReadPublished(Lake& lake, std::string_view place);
// `place`: of A-Z, a-z, 0-9, '.', '_', '-', as the names of Kafka topics.
Status WritePublished(Lake& lake, std::string_view place, const FeedPositions& positions);
// By place.
Result<std::map<std::string, FeedPositions>> AllPublished(Lake& lake);

}  // namespace vitalake::lake
