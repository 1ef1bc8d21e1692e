#include "ingest/monitoring/reading_feed.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace vitalake::ingest {

void ReadingFeed::Publish(std::vector<SeenReading> readings) {
  if (readings.empty() || !wanted_) return;
  const std::lock_guard lock(mutex_);
  const size_t room = std::min(kMost - readings_.size(), readings.size());
  const auto end = readings.begin() + static_cast<std::ptrdiff_t>(room);
  std::move(readings.begin(), end, std::back_inserter(readings_));
  dropped_ += static_cast<int64_t>(readings.size() - room);
  changed_.notify_one();
}

ReadingFeed::Taken ReadingFeed::Take(std::chrono::nanoseconds patience,
                                     const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, patience, [&] { return !readings_.empty(); });
  return {std::exchange(readings_, {}), std::exchange(dropped_, 0)};
}

}  // namespace vitalake::ingest
