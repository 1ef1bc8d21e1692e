#include "base/symbols.h"

#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>

namespace vitalake {
namespace {

constexpr size_t kSlots = 1 << 17;  // twice the number of symbols: probes stay short

// The first and last (up to) eight bytes of a name: the whole name when it has at most 16.
struct Ends {
  uint64_t head = 0;
  uint64_t tail = 0;
  bool operator==(const Ends&) const = default;
};

// One slot holds what a look-up compares, so that it touches one cache line.
struct Slot {
  std::atomic<Symbol> symbol{0};  // published last
  uint16_t size = 0;              // of the name; longer ones are not interned
  Ends ends;
};

struct Table {
  std::mutex writing;
  size_t count = 0;                                              // guarded by writing
  std::unique_ptr<std::string[]> names{new std::string[65536]};  // set before its slot is published
  std::unique_ptr<Slot[]> slots{new Slot[kSlots]};
};

Table& TheTable() {
  static Table& table = *new Table;
  return table;
}

Ends EndsOf(std::string_view name) {
  Ends ends;
  const size_t n = name.size();
  if (n >= 8) {
    std::memcpy(&ends.head, name.data(), 8);
    std::memcpy(&ends.tail, name.data() + n - 8, 8);
  } else if (n >= 4) {
    uint32_t low = 0, high = 0;
    std::memcpy(&low, name.data(), 4);
    std::memcpy(&high, name.data() + n - 4, 4);
    ends.head = low | (static_cast<uint64_t>(high) << 32);
  } else if (n > 0) {
    ends.head = static_cast<unsigned char>(name[0]) |
                (static_cast<unsigned char>(name[n / 2]) << 8) |
                (static_cast<unsigned char>(name[n - 1]) << 16);
  }
  return ends;
}

size_t HomeSlot(const Ends& ends, size_t size) {
  const uint64_t h = (ends.head ^ (ends.tail * 0x9E3779B97F4A7C15ULL) ^ (uint64_t{size} << 56)) *
                     0xD6E8FEB86659FD93ULL;
  return (h >> 40) & (kSlots - 1);
}

}  // namespace

Symbol FindSymbol(std::string_view name) {
  static const Table& table = TheTable();
  const Ends ends = EndsOf(name);
  for (size_t at = HomeSlot(ends, name.size());; at = (at + 1) & (kSlots - 1)) {
    const Slot& slot = table.slots[at];
    const Symbol symbol = slot.symbol.load(std::memory_order_acquire);
    if (symbol == 0) return 0;
    if (slot.size != name.size() || slot.ends != ends) continue;
    if (name.size() <= 16 || table.names[symbol] == name) return symbol;
  }
}

Symbol InternSymbol(std::string_view name) {
  if (name.size() > UINT16_MAX) return 0;
  if (const Symbol known = FindSymbol(name)) return known;
  Table& table = TheTable();
  const std::lock_guard lock(table.writing);
  if (const Symbol known = FindSymbol(name)) return known;
  if (table.count == 65535) return 0;
  const Ends ends = EndsOf(name);
  size_t at = HomeSlot(ends, name.size());
  while (table.slots[at].symbol.load(std::memory_order_relaxed) != 0) at = (at + 1) & (kSlots - 1);
  const auto symbol = static_cast<Symbol>(++table.count);
  Slot& slot = table.slots[at];
  table.names[symbol] = name;
  slot.size = static_cast<uint16_t>(name.size());
  slot.ends = ends;
  slot.symbol.store(symbol, std::memory_order_release);
  return symbol;
}

std::string_view SymbolName(Symbol symbol) { return TheTable().names[symbol]; }

}  // namespace vitalake
