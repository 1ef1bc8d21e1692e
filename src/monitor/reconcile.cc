#include "monitor/reconcile.h"

#include <algorithm>

namespace vitalake::monitor {
namespace {

constexpr Seconds kEver = ~Seconds{0};

bool SameStart(const Episode& episode, const AlertRecord& record) {
  if (episode.in_base) return record.Has(AlertRecord::kInBase);
  return !record.Has(AlertRecord::kInBase) && record.opener == episode.opener;
}

bool Overlap(const Episode& episode, const AlertRecord& record) {
  if (episode.in_base || record.Has(AlertRecord::kInBase)) return false;
  const Seconds episode_end = episode.closed == 0 ? kEver : episode.closed;
  const Seconds record_end = record.closed == 0 ? kEver : record.closed;
  return episode.opened <= record_end && record.opened <= episode_end;
}

}  // namespace

Matches::Matches(std::span<const Episode> episodes, std::span<const AlertRecord* const> records) {
  std::fill_n(record_of_.begin(), episodes.size(), static_cast<int8_t>(kNoMatch));
  if (records.empty()) return;
  for (const auto& fits : {SameStart, Overlap}) {
    for (size_t e = 0; e < episodes.size(); ++e) {
      if (record_of_[e] != kNoMatch) continue;
      for (size_t r = 0; r < records.size(); ++r) {
        if (HasEpisode(r) || records[r]->rule != episodes[e].rule) continue;
        if (!fits(episodes[e], *records[r])) continue;
        record_of_[e] = static_cast<int8_t>(r);
        matched_ |= 1u << r;
        break;
      }
    }
  }
}

}  // namespace vitalake::monitor
