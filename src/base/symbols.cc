#include "base/symbols.h"

#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>

#include "base/check.h"

namespace vitalake {
namespace {

constexpr size_t kSlots = 1 << 17;  // twice the number of symbols: probes stay short


struct Table {
  std::mutex writing;
  size_t count = 0;                                             // guarded by writing
  std::unique_ptr<std::string[]> names{new std::string[65536]};  // set before its slot is published
  std::unique_ptr<std::atomic<Symbol>[]> slots{new std::atomic<Symbol>[kSlots]()};
};

Table& TheTable() {
  static Table& table = *new Table;
  return table;
}

size_t SlotOf(std::string_view name) {
  uint64_t head = 0, tail = 0;
  const size_t n = name.size();
  if (n >= 8) {
    std::memcpy(&head, name.data(), 8);
    std::memcpy(&tail, name.data() + n - 8, 8);
  } else {
    std::memcpy(&head, name.data(), n);
  }
  uint64_t h = (head ^ (tail * 0x9E3779B97F4A7C15ULL) ^ n) * 0xD6E8FEB86659FD93ULL;
  return (h ^ (h >> 32)) & (kSlots - 1);
}

}  // namespace

Symbol FindSymbol(std::string_view name) {
  const Table& table = TheTable();
  for (size_t slot = SlotOf(name);; slot = (slot + 1) & (kSlots - 1)) {
    const Symbol symbol = table.slots[slot].load(std::memory_order_acquire);
    if (symbol == 0 || table.names[symbol] == name) return symbol;
  }
}

Symbol InternSymbol(std::string_view name) {
  if (const Symbol known = FindSymbol(name)) return known;
  Table& table = TheTable();
  const std::lock_guard lock(table.writing);
  size_t slot = SlotOf(name);
  while (const Symbol symbol = table.slots[slot].load(std::memory_order_relaxed)) {
    if (table.names[symbol] == name) return symbol;
    slot = (slot + 1) & (kSlots - 1);
  }
  if (table.count == 65535) return 0;
  const auto symbol = static_cast<Symbol>(++table.count);
  table.names[symbol] = name;
  table.slots[slot].store(symbol, std::memory_order_release);
  return symbol;
}

std::string_view SymbolName(Symbol symbol) { return TheTable().names[symbol]; }

}  // namespace vitalake
