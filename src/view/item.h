// Item: one value in a FHIRPath collection: a node of the resource, or a computed primitive.
#pragma once

#include <compare>
#include <optional>
#include <string_view>

#include "base/json_tree.h"
#include "view/decimal.h"

namespace vitalake::view {

enum class ItemKind : uint8_t {
  kNode,     // `node`; `type` when a choice element's name or ofType() told it
  kBoolean,  // `integer` 0 or 1
  kInteger,  // `integer`
  kDecimal,  // `text`
  kString,   // `text`
  kDate,     // `text`, these three without '@'
  kDateTime,
  kTime,
  kQuantity,  // `text` the value, `unit`
};

// Texts live in the tree, the compiled view or the run's arena.
struct Item {
  ItemKind kind = ItemKind::kNode;
  Symbol type = 0;  // FHIR type name; 0 = not known
  union {
    const JsonNode* node = nullptr;
    int64_t integer;
  };
  std::string_view text;
  std::string_view unit;

  static Item Node(JsonValue value, Symbol type = 0) {
    Item item;
    item.type = type;
    item.node = value.node();
    return item;
  }
  static Item Boolean(bool value) {
    Item item;
    item.kind = ItemKind::kBoolean;
    item.integer = value;
    return item;
  }
  static Item Integer(int64_t value) {
    Item item;
    item.kind = ItemKind::kInteger;
    item.integer = value;
    return item;
  }
  static Item Text(ItemKind kind, std::string_view text) {
    Item item;
    item.kind = kind;
    item.text = text;
    return item;
  }

  JsonValue value() const { return kind == ItemKind::kNode ? JsonValue(node) : JsonValue(); }
  bool is_text() const { return kind >= ItemKind::kString && kind <= ItemKind::kTime; }
  bool is_number() const { return kind == ItemKind::kInteger || kind == ItemKind::kDecimal; }
};

enum class Truth : uint8_t { kFalse, kTrue, kEmpty };
inline Truth ToTruth(bool value) { return value ? Truth::kTrue : Truth::kFalse; }

// A node holding a primitive or a Quantity as the computed kind it stands for (a string declared
// as date, dateTime, instant or time as such); everything else unchanged.
Item Atom(const Item& item);

// The number of an atom; nullopt when it is none.
std::optional<Decimal> NumberOf(const Item& atom);

// FHIRPath `=` and `~` of two single items; kEmpty where precision leaves it open.
Truth Equal(const Item& a, const Item& b);
bool Equivalent(const Item& a, const Item& b);

// Order of two atoms. `empty`: precision, units or an unreadable date leave it open; `comparable`
// false: the types do not compare.
struct Ordering {
  bool comparable = true;
  bool empty = false;
  std::strong_ordering order = std::strong_ordering::equal;
};
Ordering Order(const Item& a, const Item& b);

// The name of the item's type for messages: "string", "Quantity", "object".
std::string_view TypeName(const Item& item);

// Whether the item is of that FHIR or System type or a subtype. Where the JSON does not tell (a
// string is string, code, uri, ...), every type it may have is accepted.
bool IsOfType(const Item& item, std::string_view type);

}  // namespace vitalake::view
