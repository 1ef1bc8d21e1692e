// Symbols: small numbers for JSON member names, so that a look-up compares two bytes, not text.
//
// One process-wide, append-only table. Names known before a text is parsed get their number there
// (JsonNode::symbol); names interned later are found by text. Looking up is lock-free.
#pragma once

#include <cstdint>
#include <string_view>

namespace vitalake {

// 0 = not interned.
using Symbol = uint16_t;

// Returns the number of `name`, giving it one if it has none; 0 when 65,535 names are taken.
// Thread-safe. The name is copied.
Symbol InternSymbol(std::string_view name);

// The number of `name`, or 0. Thread-safe, never blocks.
Symbol FindSymbol(std::string_view name);

// The name of an interned symbol; empty for 0.
std::string_view SymbolName(Symbol symbol);

}  // namespace vitalake
