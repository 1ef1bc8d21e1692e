#include "fhir/validate_narrative.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>

namespace vitalake::fhir {
namespace {

// Sorted. Source: the chapters of HTML 4 that the narrative page names.
constexpr std::string_view kElements[] = {
    "a",       "abbr",  "acronym", "address", "b",        "bdo", "big", "blockquote", "br",
    "caption", "cite",  "code",    "col",     "colgroup", "dd",  "del", "dfn",        "div",
    "dl",      "dt",    "em",      "h1",      "h2",       "h3",  "h4",  "h5",         "h6",
    "hr",      "i",     "img",     "ins",     "kbd",      "li",  "ol",  "p",          "pre",
    "q",       "samp",  "small",   "span",    "strong",   "sub", "sup", "table",      "tbody",
    "td",      "tfoot", "th",      "thead",   "tr",       "tt",  "ul",  "var"};

// kElements beginning with letter i are [kFirst[i], kFirst[i + 1]).
constexpr std::array<uint8_t, 27> kFirst = [] {
  std::array<uint8_t, 27> first{};
  for (const std::string_view name : kElements) {
    for (size_t later = static_cast<size_t>(name[0] - 'a') + 1; later < 27; ++later) ++first[later];
  }
  return first;
}();

bool IsElement(std::string_view name) {
  if (name.empty() || name[0] < 'a' || name[0] > 'z') return false;
  const auto letter = static_cast<size_t>(name[0] - 'a');
  for (size_t i = kFirst[letter]; i < kFirst[letter + 1]; ++i) {
    if (kElements[i] == name) return true;
  }
  return false;
}

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' ||
         c == '-' || c == '_';
}
bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Takes a name off the front of `rest`.
std::string_view TakeName(std::string_view& rest) {
  size_t size = 0;
  while (size < rest.size() && IsNameByte(rest[size])) ++size;
  const std::string_view name = rest.substr(0, size);
  rest.remove_prefix(size);
  return name;
}

// Events (onclick, ...) and links that load or run something.
bool IsForbiddenAttribute(std::string_view name, std::string_view value) {
  if (name.size() > 2 && (name[0] == 'o' || name[0] == 'O') && (name[1] == 'n' || name[1] == 'N')) {
    return true;
  }
  constexpr std::string_view kScript = "javascript:";
  return value.size() >= kScript.size() &&
         std::equal(kScript.begin(), kScript.end(), value.begin(), [](char a, char b) {
           return a == std::tolower(static_cast<unsigned char>(b));
         });
}

// Takes the attributes and the end of a tag off `rest`; false when one is forbidden.
bool TakeAttributes(std::string_view& rest) {
  while (!rest.empty() && rest.front() != '>') {
    const std::string_view name = TakeName(rest);
    if (name.empty()) {
      rest.remove_prefix(1);
      continue;
    }
    while (!rest.empty() && (IsSpace(rest.front()) || rest.front() == '=')) rest.remove_prefix(1);
    std::string_view value;
    if (!rest.empty() && (rest.front() == '"' || rest.front() == '\'')) {
      const size_t end = std::min(rest.find(rest.front(), 1), rest.size());
      value = rest.substr(1, end - 1);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (IsForbiddenAttribute(name, value)) return false;
  }
  if (!rest.empty()) rest.remove_prefix(1);
  return true;
}

bool IsDivStart(std::string_view div) {
  constexpr std::string_view kStart = "<div";
  return div.starts_with(kStart) && div.size() > kStart.size() && !IsNameByte(div[kStart.size()]);
}

}  // namespace

NarrativeFault CheckNarrative(std::string_view div) {
  while (!div.empty() && IsSpace(div.front())) div.remove_prefix(1);
  if (!IsDivStart(div)) return NarrativeFault::kNotDiv;
  bool content = false;
  for (std::string_view rest = div; !rest.empty();) {
    const size_t tag = std::min(rest.find('<'), rest.size());
    content = content || !std::all_of(rest.begin(), rest.begin() + static_cast<long>(tag), IsSpace);
    rest.remove_prefix(tag);
    if (rest.starts_with("<!--")) {
      const size_t end = std::min(rest.find("-->"), rest.size());
      rest.remove_prefix(std::min(end + 3, rest.size()));
      continue;
    }
    if (rest.empty()) break;
    rest.remove_prefix(1);
    if (rest.starts_with('/')) rest.remove_prefix(1);
    const std::string_view name = TakeName(rest);
    if (!IsElement(name)) return NarrativeFault::kForbidden;
    content = content || name == "img";
    if (!TakeAttributes(rest)) return NarrativeFault::kForbidden;
  }
  return content ? NarrativeFault::kNone : NarrativeFault::kEmpty;
}

}  // namespace vitalake::fhir
