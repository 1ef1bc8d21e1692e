#include <algorithm>
#include <array>
#include <cctype>

#include "base/json_tree.h"
#include "fhir/block_internal.h"
#include "fhir/file_shape_internal.h"

namespace vitalake::fhir {
namespace {

// A line without the white space around it.
struct Line {
  std::string_view text;
  bool ended = false;  // by a newline
};

// Takes the next line that is not blank off the front of `rest`; its text is empty at the end.
Line NextLine(std::string_view& rest) {
  while (!rest.empty()) {
    const size_t newline = rest.find('\n');
    const bool ended = newline != std::string_view::npos;
    const std::string_view text = TrimBlanks(rest.substr(0, newline));
    rest.remove_prefix(ended ? newline + 1 : rest.size());
    if (!text.empty()) return {text, ended};
  }
  return {};
}

bool IsCompleteValue(std::string_view text) {
  const bool looks_so =
      (text.front() == '{' && text.back() == '}') || (text.front() == '[' && text.back() == ']');
  if (!looks_so) return false;
  JsonParser parser;
  return parser.Parse(text, {.max_bytes = text.size(), .expand_depth = 0}).has_value();
}

// Whether an object may follow this text inside a JSON text.
bool ExpectsValue(std::string_view text) {
  return std::string_view("{[,:").find(text.back()) != std::string_view::npos;
}

}  // namespace

FileShape DetectShape(std::string_view head, bool complete) {
  const Line first = NextLine(head);
  if (first.text.empty() || (!first.ended && !complete)) {
    return complete ? FileShape::kDocument : FileShape::kUndecided;
  }
  if (ExpectsValue(first.text)) return FileShape::kDocument;
  const Line second = NextLine(head);
  if (second.text.empty()) return complete ? FileShape::kDocument : FileShape::kUndecided;
  if (IsCompleteValue(first.text)) return FileShape::kLines;
  if (second.text.front() != '{') return FileShape::kDocument;
  if (!second.ended && !complete) return FileShape::kUndecided;
  return IsCompleteValue(second.text) ? FileShape::kLines : FileShape::kDocument;
}

bool IsNdjsonName(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  std::string_view stem = lower;
  for (const std::string_view packed : {".gz", ".zst"}) {
    if (stem.ends_with(packed)) stem.remove_suffix(packed.size());
  }
  return stem.ends_with(".ndjson") || stem.ends_with(".jsonl");
}

std::optional<std::string> ForeignFormat(std::string_view head) {
  using std::string_view_literals::operator""sv;
  struct Format {
    std::string_view magic, name;
  };
  static constexpr std::array kFormats = {
      Format{"\x00\x00\xfe\xff"sv, "UTF-32 text; UTF-8 is needed"},
      Format{"\xff\xfe\x00\x00"sv, "UTF-32 text; UTF-8 is needed"},
      Format{"\xff\xfe"sv, "UTF-16 text; UTF-8 is needed"},
      Format{"\xfe\xff"sv, "UTF-16 text; UTF-8 is needed"},
      Format{"PK\x03\x04"sv, "a zip archive; unpack it first"},
      Format{"\xfd\x37zXZ\x00"sv, "xz data; unpack it first (gzip and zstd are read as they are)"},
      Format{"BZh"sv, "bzip2 data; unpack it first (gzip and zstd are read as they are)"},
      Format{"PAR1"sv, "a Parquet file"},
  };
  for (const Format& format : kFormats) {
    if (head.starts_with(format.magic)) return std::string(format.name);
  }
  return std::nullopt;
}

bool BeginsWithNul(std::string_view head) {
  return head.substr(0, 4).find('\0') != std::string_view::npos;
}

size_t ByteOrderMark(std::string_view head) { return head.starts_with("\xef\xbb\xbf") ? 3 : 0; }

}  // namespace vitalake::fhir
