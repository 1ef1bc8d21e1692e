// KeyIndex: which series know a reading's key, one of their rings or the opener of an alert. That
// is how a new version is found to have moved to another patient or vital sign, and a DELETE, which
// names no patient, its reading.
//
// A hint: an entry may be left over, so who looks must look into the series, too. What is known is
// always found. 9 to 18 bytes a key; not part of a snapshot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vitalake::monitor {

class KeyIndex {
 public:
  KeyIndex() : slots_(kLeast) {}
  // Once or more often.
  void Add(uint64_t key, uint32_t series);
  void Remove(uint64_t key, uint32_t series);
  // Calls `visit` with each series; it must not change the index.
  template <class Visit>
  void ForEach(uint64_t key, Visit visit) const {
    const uint32_t check = CheckOf(key);
    for (size_t at = HomeOf(check); slots_[at].series != 0; at = (at + 1) & mask()) {
      if (slots_[at].check == check) visit(slots_[at].series);
    }
  }
  size_t bytes() const { return slots_.capacity() * sizeof(Slot); }

 private:
  static constexpr size_t kLeast = 1024;
  struct Slot {
    uint32_t series = 0;  // 0: free
    uint32_t check = 0;
  };
  static uint32_t CheckOf(uint64_t key) { return static_cast<uint32_t>(key ^ (key >> 32)); }
  size_t mask() const { return slots_.size() - 1; }
  size_t HomeOf(uint32_t check) const { return check & mask(); }
  size_t PlaceOf(uint32_t check, uint32_t series) const;
  void Grow();

  std::vector<Slot> slots_;  // a power of two, at most 7/8 full
  size_t used_ = 0;
};

}  // namespace vitalake::monitor
