#include "monitor/store.h"

#include <sys/mman.h>

#include <new>

#include "base/check.h"
#include "base/hash.h"

namespace vitalake::monitor {

BlockPointer NewBlock(size_t size_bytes) {
  constexpr size_t kLargePage = size_t{2} << 20;
  const size_t size = (size_bytes + kLargePage - 1) / kLargePage * kLargePage;
  auto* block = static_cast<std::byte*>(std::aligned_alloc(kLargePage, size));
  if (block == nullptr) throw std::bad_alloc();
  (void)madvise(block, size, MADV_HUGEPAGE);  // a wish; small pages are right, too
  return BlockPointer(block);
}

PatientTable::PatientTable() : slots_(1024) {}

uint64_t PatientTable::HashOf(PatientKey key) const {
  return Hash64(key.id, key.id_space.empty() ? 0 : Hash64(key.id_space));
}

// The slot that has the key, or the free one where it would go.
size_t PatientTable::SlotOf(PatientKey key, uint64_t hash) const {
  const size_t mask = slots_.size() - 1;
  const auto check = static_cast<uint32_t>(hash >> 32);
  for (size_t at = hash & mask;; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.patient == 0) return at;
    if (slot.check == check && KeyOf(slot.patient) == key) return at;
  }
}

uint32_t PatientTable::Find(PatientKey key) const {
  return slots_[SlotOf(key, HashOf(key))].patient;
}

uint32_t PatientTable::FindOrAdd(PatientKey key) {
  const uint64_t hash = HashOf(key);
  const size_t at = SlotOf(key, hash);
  if (slots_[at].patient != 0) return slots_[at].patient;
  const uint32_t number = patients_.New();
  Patient& patient = patients_[number];
  patient.id = key.id;
  size_t space = 0;
  while (space < id_spaces_.size() && id_spaces_[space] != key.id_space) ++space;
  if (space == id_spaces_.size()) id_spaces_.emplace_back(key.id_space);
  VL_CHECK(space <= 0xFFFF);  // one per configured source
  patient.id_space = static_cast<uint16_t>(space);
  slots_[at] = {number, static_cast<uint32_t>(hash >> 32)};
  if (size() * 2 > slots_.size()) Grow();
  return number;
}

void PatientTable::Grow() {
  slots_.assign(slots_.size() * 2, Slot());
  for (uint32_t i = 1; i <= patients_.count(); ++i) {
    const uint64_t hash = HashOf(KeyOf(i));
    slots_[SlotOf(KeyOf(i), hash)] = {i, static_cast<uint32_t>(hash >> 32)};
  }
}

PatientKey PatientTable::KeyOf(uint32_t i) const {
  const Patient& patient = patients_[i];
  return {id_spaces_[patient.id_space], patient.id};
}

size_t PatientTable::bytes() const {
  return size() * sizeof(Patient) + slots_.capacity() * sizeof(Slot);
}

void PatientTable::Write(ByteWriter& out) const {
  out.Number(static_cast<uint32_t>(id_spaces_.size()));
  for (const std::string& space : id_spaces_) out.Text(space);
  out.Number(patients_.count());
  for (uint32_t i = 1; i <= patients_.count(); ++i) {
    const Patient& p = patients_[i];
    out.Text(p.id);
    out.Number(p.id_space);
    for (const bool fact : {p.known, p.has_birth_day, p.deceased, p.is_test, p.has_settings}) {
      out.Number(static_cast<uint8_t>(fact));
    }
    out.Number(p.birth_day);
    out.Number(p.deceased_at);
    out.Number(p.in_hospital);
    out.Number(p.timer);
    out.Number(p.replaced_by);
    out.Number(p.survivor);
    out.Number(p.first_alert);
    out.Plain(p.series);
  }
}

bool PatientTable::Read(ByteReader& in) {
  uint32_t count = 0;
  if (!in.Number(count) || count > in.left()) return false;
  id_spaces_.resize(count);
  for (std::string& space : id_spaces_) {
    if (!in.Text(space)) return false;
  }
  if (!in.Number(count) || count > in.left()) return false;
  for (uint32_t i = 1; i <= count; ++i) {
    Patient& p = patients_[patients_.New()];
    if (!in.Text(p.id) || !in.Number(p.id_space) || p.id_space >= id_spaces_.size()) return false;
    for (bool* fact : {&p.known, &p.has_birth_day, &p.deceased, &p.is_test, &p.has_settings}) {
      uint8_t byte = 0;
      if (!in.Number(byte)) return false;
      *fact = byte != 0;
    }
    if (!in.Number(p.birth_day) || !in.Number(p.deceased_at) || !in.Number(p.in_hospital) ||
        !in.Number(p.timer) || !in.Number(p.replaced_by) || !in.Number(p.survivor) ||
        !in.Number(p.first_alert) || !in.Plain(p.series)) {
      return false;
    }
  }
  size_t slots = 1024;
  while (size() * 2 > slots) slots *= 2;
  slots_.assign(slots / 2, Slot());
  Grow();
  return true;
}

}  // namespace vitalake::monitor
