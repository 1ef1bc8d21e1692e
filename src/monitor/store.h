// Where the monitor's state lies: patients, series, alert records; found by number, never moved.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "monitor/action.h"
#include "monitor/series.h"

namespace vitalake::monitor {

// Raw memory of a pool's block. Large pages where the system has them: with many patients each
// reading is far from the one before it, and looking up small pages would take longer than judging.
struct BlockFree {
  void operator()(std::byte* block) const { std::free(block); }
};
using BlockPointer = std::unique_ptr<std::byte[], BlockFree>;
BlockPointer NewBlock(size_t size_bytes);

// Items by number from 1 on (0 is none), in blocks, so that a reference stays good while others are
// made. Free numbers are used again, the last freed first.
template <class T>
class Pool {
 public:
  Pool() = default;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() {
    for (uint32_t i = 1; i <= count_; ++i) std::destroy_at(&(*this)[i]);
  }

  T& operator[](uint32_t i) { return At(i); }
  const T& operator[](uint32_t i) const { return At(i); }

  uint32_t New() {
    if (!free_.empty()) {
      const uint32_t i = free_.back();
      free_.pop_back();
      return i;
    }
    if (count_ % kBlock == 0) blocks_.emplace_back(NewBlock(kBlock * sizeof(T)));
    ++count_;
    std::construct_at(&At(count_));
    return count_;
  }
  void Free(uint32_t i) {
    (*this)[i] = T();
    free_.push_back(i);
  }

  uint32_t count() const { return count_; }  // of numbers ever given
  size_t in_use() const { return count_ - free_.size(); }

  void Write(ByteWriter& out) const {
    out.Number(count_);
    for (uint32_t i = 1; i <= count_; ++i) out.Plain((*this)[i]);
    out.Plains(free_);
  }
  bool Read(ByteReader& in) {
    uint32_t count = 0;
    if (!in.Number(count) || uint64_t{count} * sizeof(T) > in.left()) return false;
    for (uint32_t i = 1; i <= count; ++i) {
      if (!in.Plain((*this)[New()])) return false;
    }
    return in.Plains(free_);
  }

 private:
  static constexpr uint32_t kBlock = 8192;
  T& At(uint32_t i) const {
    return reinterpret_cast<T*>(blocks_[(i - 1) / kBlock].get())[(i - 1) % kBlock];
  }

  std::vector<BlockPointer> blocks_;
  std::vector<uint32_t> free_;
  uint32_t count_ = 0;
};

// What the monitor knows of one patient. Facts are flat: there are many patients.
struct Patient {
  std::string id;
  uint16_t id_space = 0;  // in PatientTable's list
  bool known = false, has_birth_day = false, deceased = false, is_test = false;
  bool has_settings = false;
  int32_t birth_day = 0;
  Micros deceased_at = 0;
  Seconds in_hospital = 0;   // when a reading taken in hospital came last
  Seconds timer = 0;         // when alerts of no single series want to be looked at; 0 = never
  uint32_t replaced_by = 0;  // what it says itself
  uint32_t survivor = 0;     // the patient this one was merged into
  uint32_t first_alert = 0;  // alerts of no single series
  uint32_t series[kVitalCount] = {};
};

// Patients by key. Numbers begin at 1; nothing is ever removed.
class PatientTable {
 public:
  PatientTable();
  // 0 when it is not there.
  uint32_t Find(PatientKey key) const;
  uint32_t FindOrAdd(PatientKey key);
  Patient& operator[](uint32_t i) { return patients_[i]; }
  const Patient& operator[](uint32_t i) const { return patients_[i]; }
  PatientKey KeyOf(uint32_t i) const;
  size_t size() const { return patients_.count(); }
  size_t bytes() const;

  void Write(ByteWriter& out) const;
  bool Read(ByteReader& in);

 private:
  uint64_t HashOf(PatientKey key) const;
  size_t SlotOf(PatientKey key, uint64_t hash) const;
  void Grow();

  Pool<Patient> patients_;  // never moved: events view the ids
  std::vector<std::string> id_spaces_;
  struct Slot {
    uint32_t patient = 0;
    uint32_t check = 0;  // the hash's upper half
  };
  std::vector<Slot> slots_;  // a power of two, at most half full
};

}  // namespace vitalake::monitor
