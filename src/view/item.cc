#include "view/item.h"

#include <algorithm>
#include <string>

#include "view/fhir_types.h"
#include "view/temporal.h"

namespace vitalake::view {
namespace {

ItemKind KindOfDeclared(Symbol type) {
  if (type == 0) return ItemKind::kString;
  static const Symbol date = InternSymbol("date"), date_time = InternSymbol("dateTime"),
                      instant = InternSymbol("instant"), time = InternSymbol("time");
  if (type == date) return ItemKind::kDate;
  if (type == date_time || type == instant) return ItemKind::kDateTime;
  return type == time ? ItemKind::kTime : ItemKind::kString;
}

Item QuantityAtom(const Item& item) {
  const JsonValue object = item.value(), value = object.Find("value");
  const JsonValue code = object.Find("code"), unit = object.Find("unit");
  if (!value.is_number() || (!code.is_string() && !unit.is_string() && item.type == 0)) return item;
  Item out = Item::Text(ItemKind::kQuantity, value.text());
  out.unit = code.is_string() ? code.text() : unit.is_string() ? unit.text() : "1";
  return out;
}

// Two texts of which at least one is a date, dateTime or time: how they compare; comparable is
// false when one of them cannot be read as the other's kind.
Ordering OrderTemporal(const Item& a, const Item& b) {
  Ordering out;
  std::optional<std::strong_ordering> order;
  if (a.kind == ItemKind::kTime || b.kind == ItemKind::kTime) {
    const auto x = ParseTime(a.text), y = ParseTime(b.text);
    if (!x || !y) return {false, false, std::strong_ordering::equal};
    order = CompareTimes(*x, *y);
  } else {
    const auto x = ParseMoment(a.text), y = ParseMoment(b.text);
    if (!x || !y) return {false, false, std::strong_ordering::equal};
    order = CompareMoments(*x, *y);
  }
  out.empty = !order;
  if (order) out.order = *order;
  return out;
}

bool IsTemporalPair(const Item& a, const Item& b) {
  if (!a.is_text() || !b.is_text()) return false;
  if (a.kind != ItemKind::kString || b.kind != ItemKind::kString) return true;
  return LooksLikeDate(a.text) && LooksLikeDate(b.text);
}

std::string_view UnitName(std::string_view unit) {
  if (unit.size() > 2 && unit.front() == '\'') return unit.substr(1, unit.size() - 2);
  return unit;
}

bool DeepEqual(JsonValue a, JsonValue b) {
  if (a.is_number() && b.is_number()) {
    const auto x = Decimal::Parse(a.text()), y = Decimal::Parse(b.text());
    return x && y ? Compare(*x, *y) == std::strong_ordering::equal : a.text() == b.text();
  }
  if (a.type() != b.type()) return false;
  if (a.is_object()) {
    if (a.size() != b.size()) return false;
    for (JsonValue member : a.children()) {
      const JsonValue other = b.Find(member.key());
      if (!other || !DeepEqual(member, other)) return false;
    }
    return true;
  }
  if (a.is_array()) {
    if (a.size() != b.size()) return false;
    auto other = b.children().begin();
    for (JsonValue element : a.children()) {
      if (!DeepEqual(element, *other)) return false;
      ++other;
    }
    return true;
  }
  return a.text() == b.text();
}

// White space runs as one blank, letters (ASCII) in lower case.
std::string Folded(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\t' || c == '\n' || c == '\r') c = ' ';
    if (c == ' ' && (out.empty() || out.back() == ' ')) continue;
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

bool IsStringLike(std::string_view type) {
  static constexpr std::string_view kNot[] = {"boolean", "integer",     "integer64",
                                              "decimal", "positiveInt", "unsignedInt"};
  return type == "String" || type == "DateTime" || type == "Date" || type == "Time" ||
         (!type.empty() && type[0] >= 'a' && type[0] <= 'z' &&
          std::find(std::begin(kNot), std::end(kNot), type) == std::end(kNot));
}

bool NodeMayBe(JsonValue value, std::string_view type) {
  switch (value.type()) {
    case JsonType::kTrue:
    case JsonType::kFalse:
      return type == "boolean" || type == "Boolean";
    case JsonType::kNumber: {
      if (type == "decimal" || type == "Decimal") return true;
      const bool whole = value.text().find_first_of(".eE") == std::string_view::npos;
      return whole && (IsSubtype(type, "integer") || type == "Integer" || type == "integer64");
    }
    case JsonType::kString:
      if (type == "date" || type == "Date" || type == "dateTime" || type == "DateTime" ||
          type == "instant") {
        return ParseMoment(value.text()).has_value();
      }
      if (type == "time" || type == "Time") return ParseTime(value.text()).has_value();
      return IsStringLike(type);
    case JsonType::kObject: {
      const std::string_view resource = value.String("resourceType");
      if (!resource.empty()) {
        return resource == type || type == "Resource" || type == "DomainResource";
      }
      return IsDataType(type) && type[0] >= 'A' && type[0] <= 'Z';
    }
    default:
      return false;
  }
}

}  // namespace

Item Atom(const Item& item) {
  if (item.kind != ItemKind::kNode || item.node == nullptr) return item;
  const JsonValue value = item.value();
  Item out;
  switch (value.type()) {
    case JsonType::kString:
      out = Item::Text(KindOfDeclared(item.type), value.text());
      break;
    case JsonType::kTrue:
      return Item::Boolean(true);
    case JsonType::kFalse:
      return Item::Boolean(false);
    case JsonType::kNumber:
      if (const auto integer = value.AsInt()) {
        out = Item::Integer(*integer);
        out.text = value.text();
      } else {
        out = Item::Text(ItemKind::kDecimal, value.text());
      }
      break;
    case JsonType::kObject:
      return QuantityAtom(item);
    default:
      return item;
  }
  out.type = item.type;
  return out;
}

std::optional<Decimal> NumberOf(const Item& atom) {
  if (atom.kind == ItemKind::kInteger) return Decimal::FromInt(atom.integer);
  if (atom.kind == ItemKind::kDecimal || atom.kind == ItemKind::kQuantity) {
    return Decimal::Parse(atom.text);
  }
  return std::nullopt;
}

Truth Equal(const Item& left, const Item& right) {
  const Item a = Atom(left), b = Atom(right);
  if (a.kind == ItemKind::kNode || b.kind == ItemKind::kNode) {
    return ToTruth(a.kind == b.kind && DeepEqual(a.value(), b.value()));
  }
  if (a.is_text() && b.is_text()) {
    if (a.kind == ItemKind::kString && b.kind == ItemKind::kString && a.text == b.text) {
      return Truth::kTrue;
    }
    if (!IsTemporalPair(a, b)) return ToTruth(a.text == b.text);
    const Ordering order = OrderTemporal(a, b);
    if (!order.comparable) return ToTruth(a.text == b.text);
    return order.empty ? Truth::kEmpty : ToTruth(order.order == std::strong_ordering::equal);
  }
  if (a.kind == ItemKind::kBoolean || b.kind == ItemKind::kBoolean) {
    return ToTruth(a.kind == b.kind && a.integer == b.integer);
  }
  const Ordering order = Order(a, b);
  if (!order.comparable) return Truth::kFalse;
  return order.empty ? Truth::kEmpty : ToTruth(order.order == std::strong_ordering::equal);
}

bool Equivalent(const Item& left, const Item& right) {
  const Item a = Atom(left), b = Atom(right);
  if (a.kind == ItemKind::kString && b.kind == ItemKind::kString) {
    return Folded(a.text) == Folded(b.text);
  }
  const auto x = NumberOf(a), y = NumberOf(b);
  if (x && y && a.is_number() && b.is_number()) {
    const int digits = std::min(x->scale, y->scale);
    return Compare(Round(*x, digits), Round(*y, digits)) == std::strong_ordering::equal;
  }
  return Equal(a, b) == Truth::kTrue;
}

Ordering Order(const Item& a, const Item& b) {
  if (IsTemporalPair(a, b)) return OrderTemporal(a, b);
  Ordering out;
  if (a.kind == ItemKind::kString && b.kind == ItemKind::kString) {
    out.order = a.text <=> b.text;
    return out;
  }
  if (a.kind == ItemKind::kInteger && b.kind == ItemKind::kInteger) {
    out.order = a.integer <=> b.integer;
    return out;
  }
  const bool quantity_a = a.kind == ItemKind::kQuantity, quantity_b = b.kind == ItemKind::kQuantity;
  if ((!quantity_a && !a.is_number()) || (!quantity_b && !b.is_number())) {
    out.comparable = false;
    return out;
  }
  const std::string_view unit_a = quantity_a ? UnitName(a.unit) : "1";
  const std::string_view unit_b = quantity_b ? UnitName(b.unit) : "1";
  const auto x = NumberOf(a), y = NumberOf(b);
  out.empty = unit_a != unit_b || !x || !y;
  if (!out.empty) out.order = Compare(*x, *y);
  return out;
}

std::string_view TypeName(const Item& item) {
  if (item.type != 0) return SymbolName(item.type);
  switch (item.kind) {
    case ItemKind::kBoolean:
      return "boolean";
    case ItemKind::kInteger:
      return "integer";
    case ItemKind::kDecimal:
      return "decimal";
    case ItemKind::kString:
      return "string";
    case ItemKind::kDate:
      return "date";
    case ItemKind::kDateTime:
      return "dateTime";
    case ItemKind::kTime:
      return "time";
    case ItemKind::kQuantity:
      return "Quantity";
    case ItemKind::kNode:
      break;
  }
  const JsonValue value = item.value();
  if (value.is_string()) return "string";
  if (value.is_number()) return "number";
  if (value.is_bool()) return "boolean";
  return value.is_object() ? "object" : "value";
}

bool IsOfType(const Item& item, std::string_view type) {
  if (item.type != 0) {
    std::string lowered(type);
    if (!IsDataType(type) && !lowered.empty() && lowered[0] < 'a') {
      lowered[0] = static_cast<char>(lowered[0] + 32);  // System.String of a FHIR string
    }
    return IsSubtype(SymbolName(item.type), lowered);
  }
  switch (item.kind) {
    case ItemKind::kNode:
      return NodeMayBe(item.value(), type);
    case ItemKind::kBoolean:
      return type == "boolean" || type == "Boolean";
    case ItemKind::kInteger:
      return type == "integer" || type == "Integer";
    case ItemKind::kDecimal:
      return type == "decimal" || type == "Decimal";
    case ItemKind::kString:
      return type == "string" || type == "String";
    case ItemKind::kDate:
      return type == "date" || type == "Date";
    case ItemKind::kDateTime:
      return type == "dateTime" || type == "DateTime" || type == "instant";
    case ItemKind::kTime:
      return type == "time" || type == "Time";
    case ItemKind::kQuantity:
      return type == "Quantity";
  }
  return false;
}

}  // namespace vitalake::view
