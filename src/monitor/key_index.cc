#include "monitor/key_index.h"

#include <utility>

namespace vitalake::monitor {

// Where the pair is, or the free slot where it would go.
size_t KeyIndex::PlaceOf(uint32_t check, uint32_t series) const {
  size_t at = HomeOf(check);
  while (slots_[at].series != 0 && (slots_[at].series != series || slots_[at].check != check)) {
    at = (at + 1) & mask();
  }
  return at;
}

void KeyIndex::Add(uint64_t key, uint32_t series) {
  const uint32_t check = CheckOf(key);
  const size_t at = PlaceOf(check, series);
  if (slots_[at].series != 0) return;
  slots_[at] = {series, check};
  if (++used_ * 8 > slots_.size() * 7) Grow();
}

// Those behind the gap move up where they would not be found any more.
void KeyIndex::Remove(uint64_t key, uint32_t series) {
  size_t gap = PlaceOf(CheckOf(key), series);
  if (slots_[gap].series == 0) return;
  for (size_t at = (gap + 1) & mask(); slots_[at].series != 0; at = (at + 1) & mask()) {
    const size_t home = HomeOf(slots_[at].check);
    if (((at - home) & mask()) < ((at - gap) & mask())) continue;
    slots_[gap] = slots_[at];
    gap = at;
  }
  slots_[gap] = {};
  --used_;
}

void KeyIndex::Grow() {
  const std::vector<Slot> old = std::move(slots_);
  slots_.assign(old.size() * 2, Slot());
  for (const Slot& slot : old) {
    if (slot.series != 0) slots_[PlaceOf(slot.check, slot.series)] = slot;
  }
}

}  // namespace vitalake::monitor
