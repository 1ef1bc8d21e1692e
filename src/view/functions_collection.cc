// Functions of whole collections. Source: FHIRPath 2.0, Existence, Subsetting, Combining, Tree.
#include <fmt/format.h>

#include <algorithm>

#include "view/functions.h"
#include "view/operators.h"

namespace vitalake::view {
namespace {

bool GiveAll(const Items& items, Sink sink) {
  return std::all_of(items.begin(), items.end(), [&](const Item& item) { return sink(item); });
}

// The one integer argument of skip() and take().
bool Count(Env& env, const Items& argument, size_t& out) {
  const Item atom = argument.size() == 1 ? Atom(argument[0]) : Item();
  if (atom.kind != ItemKind::kInteger) return env.Fail("expected one integer as argument");
  out = atom.integer < 0 ? 0 : static_cast<size_t>(atom.integer);
  return true;
}

Items Distinct(const Items& items) {
  Items out;
  for (const Item& item : items) {
    if (!Holds(out, item)) out.push_back(item);
  }
  return out;
}

bool IsSubset(const Items& inner, const Items& outer) {
  return std::all_of(inner.begin(), inner.end(),
                     [&](const Item& item) { return Holds(outer, item); });
}

// all / any of the items are `wanted`; items that are no booleans are a fault.
bool Quantified(Env& env, const Items& items, bool wanted, bool all, Sink sink) {
  bool result = all;
  for (const Item& item : items) {
    const Item atom = Atom(item);
    if (atom.kind != ItemKind::kBoolean) return env.Fail("expected booleans");
    if (((atom.integer != 0) == wanted) != all) result = !all;
  }
  return sink(Item::Boolean(result));
}

bool Join(Env& env, Items items, const Items& argument, Sink sink) {
  if (argument.size() > 1) return env.Fail("join() takes one separator");
  const Item separator = argument.empty() ? Item() : Atom(argument[0]);
  std::string text;
  bool first = true;
  for (const Item& item : items) {
    const Item atom = Atom(item);
    if (!atom.is_text()) return env.Fail(fmt::format("join() of {}", TypeName(item)));
    if (!std::exchange(first, false)) text += separator.text;
    text += atom.text;
  }
  return sink(Item::Text(ItemKind::kString, env.Keep(text)));
}

// The one string a function works on; false when there is none or, with a fault, another value.
bool OneText(Env& env, const Items& items, std::string_view& out) {
  if (items.empty()) return false;
  const Item atom = Atom(items[0]);
  if (items.size() > 1 || !atom.is_text()) return env.Fail("expected one string");
  out = atom.text;
  return true;
}

bool Split(Env& env, Items items, const Items& argument, Sink sink) {
  std::string_view rest, separator;
  if (!OneText(env, items, rest) || !OneText(env, argument, separator)) return !env.failed();
  if (separator.empty()) return sink(Item::Text(ItemKind::kString, rest));
  for (;;) {
    const size_t at = rest.find(separator);
    if (!sink(Item::Text(ItemKind::kString, rest.substr(0, at)))) return false;
    if (at == std::string_view::npos) return true;
    rest.remove_prefix(at + separator.size());
  }
}

// One string per code point.
bool ToChars(Env& env, Items items, const Items&, Sink sink) {
  std::string_view rest;
  if (!OneText(env, items, rest)) return !env.failed();
  while (!rest.empty()) {
    size_t size = 1;
    while (size < rest.size() && (static_cast<unsigned char>(rest[size]) & 0xC0) == 0x80) ++size;
    if (!sink(Item::Text(ItemKind::kString, rest.substr(0, size)))) return false;
    rest.remove_prefix(size);
  }
  return true;
}

void Children(const Item& item, Items& out) {
  const JsonValue object = item.value();
  if (!object.is_object()) return;
  for (JsonValue member : object.children()) {
    if (!member.is_array()) {
      if (!member.is_null()) out.push_back(Item::Node(member));
      continue;
    }
    for (JsonValue element : member.children()) {
      if (!element.is_null()) out.push_back(Item::Node(element));
    }
  }
}

constexpr StaticKind kAny = StaticKind::kAny, kBool = StaticKind::kBoolean,
                     kOther = StaticKind::kNotBoolean;

constexpr CollectionEntry kEntries[] = {
    {"last",
     {},
     [](Env&, Items items, const Items&, Sink sink) { return items.empty() || sink(items.back()); },
     kAny},
    {"single",
     {},
     [](Env& env, Items items, const Items&, Sink sink) {
       if (items.size() > 1) return env.Fail("single() of several items");
       return items.empty() || sink(items[0]);
     },
     kAny},
    {"tail",
     {},
     [](Env&, Items items, const Items&, Sink sink) {
       if (!items.empty()) items.erase(items.begin());
       return GiveAll(items, sink);
     },
     kAny},
    {"skip",
     {1, 1},
     [](Env& env, Items items, const Items& argument, Sink sink) {
       size_t count = 0;
       if (!Count(env, argument, count)) return false;
       const auto from = items.begin() + static_cast<std::ptrdiff_t>(std::min(count, items.size()));
       return GiveAll(Items(from, items.end()), sink);
     },
     kAny},
    {"take",
     {1, 1},
     [](Env& env, Items items, const Items& argument, Sink sink) {
       size_t count = 0;
       if (!Count(env, argument, count)) return false;
       items.resize(std::min(count, items.size()));
       return GiveAll(items, sink);
     },
     kAny},
    {"distinct",
     {},
     [](Env&, Items items, const Items&, Sink sink) { return GiveAll(Distinct(items), sink); },
     kAny},
    {"isDistinct",
     {},
     [](Env&, Items items, const Items&, Sink sink) {
       return sink(Item::Boolean(Distinct(items).size() == items.size()));
     },
     kBool},
    {"subsetOf",
     {1, 1},
     [](Env&, Items items, const Items& argument, Sink sink) {
       return sink(Item::Boolean(IsSubset(items, argument)));
     },
     kBool},
    {"supersetOf",
     {1, 1},
     [](Env&, Items items, const Items& argument, Sink sink) {
       return sink(Item::Boolean(IsSubset(argument, items)));
     },
     kBool},
    {"intersect",
     {1, 1},
     [](Env&, Items items, const Items& argument, Sink sink) {
       std::erase_if(items, [&](const Item& item) { return !Holds(argument, item); });
       return GiveAll(Distinct(items), sink);
     },
     kAny},
    {"exclude",
     {1, 1},
     [](Env&, Items items, const Items& argument, Sink sink) {
       std::erase_if(items, [&](const Item& item) { return Holds(argument, item); });
       return GiveAll(items, sink);
     },
     kAny},
    {"union",
     {1, 1},
     [](Env&, Items items, const Items& argument, Sink sink) {
       items.insert(items.end(), argument.begin(), argument.end());
       return GiveAll(Distinct(items), sink);
     },
     kAny},
    {"combine",
     {1, 1},
     [](Env&, Items items, const Items& argument, Sink sink) {
       items.insert(items.end(), argument.begin(), argument.end());
       return GiveAll(items, sink);
     },
     kAny},
    {"allTrue",
     {},
     [](Env& env, Items items, const Items&, Sink sink) {
       return Quantified(env, items, true, true, sink);
     },
     kBool},
    {"anyTrue",
     {},
     [](Env& env, Items items, const Items&, Sink sink) {
       return Quantified(env, items, true, false, sink);
     },
     kBool},
    {"allFalse",
     {},
     [](Env& env, Items items, const Items&, Sink sink) {
       return Quantified(env, items, false, true, sink);
     },
     kBool},
    {"anyFalse",
     {},
     [](Env& env, Items items, const Items&, Sink sink) {
       return Quantified(env, items, false, false, sink);
     },
     kBool},
    {"join", {0, 1}, Join, kOther},
    {"split", {1, 1}, Split, kAny},
    {"toChars", {}, ToChars, kAny},
    {"hasValue",
     {},
     [](Env&, Items items, const Items&, Sink sink) {
       return sink(Item::Boolean(items.size() == 1 && !items[0].value().is_object()));
     },
     kBool},
    {"children",
     {},
     [](Env&, Items items, const Items&, Sink sink) {
       Items out;
       for (const Item& item : items) Children(item, out);
       return GiveAll(out, sink);
     },
     kAny},
    {"descendants",
     {},
     [](Env&, Items items, const Items&, Sink sink) {
       Items out;
       for (const Item& item : items) Children(item, out);
       for (size_t i = 0; i < out.size(); ++i) Children(Item(out[i]), out);
       return GiveAll(out, sink);
     },
     kAny},
};

}  // namespace

std::span<const CollectionEntry> CollectionFunctions() { return kEntries; }

}  // namespace vitalake::view
