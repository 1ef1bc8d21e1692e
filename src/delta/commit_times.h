// When each version was committed.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "delta/log_files.h"

namespace vitalake::delta {

struct TimedCommit {
  Version version{};
  std::string key{};
  Micros time = 0;
};

// The listed commits, ascending. Times are the files' modification times, moved forward where
// needed so that each is at least 1 ms after the one before.
std::vector<TimedCommit> TimesOf(const LogListing& listing);

}  // namespace vitalake::delta
