// Who follows the change feed of a table of the lake, and how far each has come. Vacuum stops at
// the slowest.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "lake/lake.h"

namespace vitalake::lake {

struct FeedConsumer {
  std::string name;    // "gold.bp_daily", "outbound readings"
  Version seen;        // the feed is read up to here
  std::string remedy;  // a sentence: what makes it read on, or be forgotten
};

// Slowest first. A gold table that was not made yet, or reads everything anew next time, waits for
// no feed and is not among them.
Result<std::vector<FeedConsumer>> ConsumersOf(Lake& lake, std::string_view table);

}  // namespace vitalake::lake
