// String functions. Positions and lengths count Unicode code points.
// Source: FHIRPath 2.0, String Manipulation.
#include <fmt/format.h>

#include "view/functions.h"

namespace vitalake::view {
namespace {

using Args = std::span<const Item>;

bool IsFirstByte(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

size_t Length(std::string_view text) {
  size_t count = 0;
  for (char c : text) count += IsFirstByte(c);
  return count;
}

// Byte offset of the code point number `index`; the size when there are fewer.
size_t OffsetOf(std::string_view text, size_t index) {
  size_t at = 0;
  for (; at < text.size(); ++at) {
    if (IsFirstByte(text[at]) && index-- == 0) return at;
  }
  return at;
}

// Checks that input and arguments are strings.
bool AreText(Env& env, const Item& input, Args arguments) {
  if (!input.is_text()) return env.Fail(fmt::format("expected a string, not {}", TypeName(input)));
  for (const Item& argument : arguments) {
    if (!argument.is_text()) {
      return env.Fail(fmt::format("expected a string argument, not {}", TypeName(argument)));
    }
  }
  return true;
}

bool Give(Item& out, std::string_view text) {
  out = Item::Text(ItemKind::kString, text);
  return true;
}
bool Give(Item& out, bool value) {
  out = Item::Boolean(value);
  return true;
}

template <bool upper>
bool ChangeCase(Env& env, const Item& input, Args arguments, Item& out) {
  if (!AreText(env, input, arguments)) return false;
  std::string text(input.text);
  for (char& c : text) {
    if (upper ? (c >= 'a' && c <= 'z') : (c >= 'A' && c <= 'Z')) c = static_cast<char>(c ^ 0x20);
  }
  return Give(out, env.Keep(text));
}

bool Substring(Env& env, const Item& input, Args arguments, Item& out) {
  if (!AreText(env, input, {})) return false;
  for (const Item& argument : arguments) {
    if (argument.kind != ItemKind::kInteger) return env.Fail("substring() takes integers");
  }
  const int64_t start = arguments[0].integer;
  if (start < 0 || static_cast<size_t>(start) >= Length(input.text)) return false;
  std::string_view rest = input.text.substr(OffsetOf(input.text, static_cast<size_t>(start)));
  if (arguments.size() > 1) {
    const int64_t length = arguments[1].integer;
    rest = rest.substr(0, length <= 0 ? 0 : OffsetOf(rest, static_cast<size_t>(length)));
  }
  return Give(out, rest);
}

bool Replace(Env& env, const Item& input, Args arguments, Item& out) {
  if (!AreText(env, input, arguments)) return false;
  const std::string_view from = arguments[0].text, to = arguments[1].text;
  std::string text;
  for (size_t at = 0; at <= input.text.size();) {
    if (input.text.substr(at).starts_with(from)) {
      text += to;
      at += from.size();
      if (!from.empty()) continue;
    }
    if (at < input.text.size()) text += input.text[at];
    ++at;
  }
  return Give(out, env.Keep(text));
}

bool Trim(Env& env, const Item& input, Args arguments, Item& out) {
  if (!AreText(env, input, arguments)) return false;
  static constexpr std::string_view kBlank = " \t\r\n\f";
  const size_t from = input.text.find_first_not_of(kBlank);
  if (from == std::string_view::npos) return Give(out, std::string_view());
  return Give(out, input.text.substr(from, input.text.find_last_not_of(kBlank) - from + 1));
}

constexpr StaticKind kBool = StaticKind::kBoolean, kOther = StaticKind::kNotBoolean;

constexpr ScalarEntry kEntries[] = {
    {"startsWith",
     {1, 1},
     [](Env& env, const Item& in, Args a, Item& out) {
       return AreText(env, in, a) && Give(out, in.text.starts_with(a[0].text));
     },
     kBool},
    {"endsWith",
     {1, 1},
     [](Env& env, const Item& in, Args a, Item& out) {
       return AreText(env, in, a) && Give(out, in.text.ends_with(a[0].text));
     },
     kBool},
    {"contains",
     {1, 1},
     [](Env& env, const Item& in, Args a, Item& out) {
       return AreText(env, in, a) && Give(out, in.text.find(a[0].text) != std::string_view::npos);
     },
     kBool},
    {"indexOf",
     {1, 1},
     [](Env& env, const Item& in, Args a, Item& out) {
       if (!AreText(env, in, a)) return false;
       const size_t at = in.text.find(a[0].text);
       out = Item::Integer(
           at == std::string_view::npos ? -1 : static_cast<int64_t>(Length(in.text.substr(0, at))));
       return true;
     },
     kOther},
    {"length",
     {},
     [](Env& env, const Item& in, Args a, Item& out) {
       if (!AreText(env, in, a)) return false;
       out = Item::Integer(static_cast<int64_t>(Length(in.text)));
       return true;
     },
     kOther},
    {"upper", {}, ChangeCase<true>, kOther},
    {"lower", {}, ChangeCase<false>, kOther},
    {"substring", {1, 2}, Substring, kOther},
    {"replace", {2, 2}, Replace, kOther},
    {"trim", {}, Trim, kOther},
};

}  // namespace

std::span<const ScalarEntry> TextFunctions() { return kEntries; }

}  // namespace vitalake::view
