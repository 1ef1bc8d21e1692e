#include "engine/text_width.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace vitalake::engine {
namespace {

struct Range {
  uint32_t first;
  uint32_t last;
};

// Combining marks and joiners. Source: Unicode 15, general category Mn, Me, Cf (blocks in use).
constexpr Range kZeroWide[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a}, {0x064b, 0x065f},
    {0x0900, 0x0902}, {0x0e31, 0x0e31}, {0x0e34, 0x0e3a}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
    {0x200b, 0x200f}, {0x2060, 0x2064}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}};
// Source: Unicode 15, East_Asian_Width W and F (blocks).
constexpr Range kTwoWide[] = {{0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0x33ff},
                              {0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xa000, 0xa4cf},
                              {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe4f},
                              {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
                              {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};

template <size_t N>
bool Contains(const Range (&ranges)[N], uint32_t code) {
  const auto* found =
      std::upper_bound(std::begin(ranges), std::end(ranges), code,
                       [](uint32_t value, const Range& range) { return value < range.first; });
  return found != std::begin(ranges) && code <= std::prev(found)->last;
}

// Takes one character off the front; a bad byte is a character of its own.
uint32_t TakeCharacter(std::string_view& text) {
  const auto byte = [&](size_t i) {
    return static_cast<uint32_t>(static_cast<unsigned char>(text[i]));
  };
  const uint32_t lead = byte(0);
  const size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  uint32_t code = size == 1 ? lead : lead & (0xffu >> (size + 1));
  for (size_t i = 1; i < size; ++i) {
    if (i >= text.size() || (byte(i) & 0xc0) != 0x80) {
      text.remove_prefix(1);
      return '?';
    }
    code = code << 6 | (byte(i) & 0x3f);
  }
  text.remove_prefix(size);
  return code;
}

size_t WidthOf(uint32_t code) {
  if (code < 0x300) return 1;
  if (Contains(kZeroWide, code)) return 0;
  return Contains(kTwoWide, code) ? 2 : 1;
}

}  // namespace

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) width += WidthOf(TakeCharacter(text));
  return width;
}

std::string CutToWidth(std::string_view text, size_t width) {
  if (width == 0 || text.size() <= width || DisplayWidth(text) <= width) return std::string(text);
  std::string_view rest = text;
  size_t used = 0;
  size_t end = 0;
  while (!rest.empty()) {
    used += WidthOf(TakeCharacter(rest));
    if (used > width - 1) break;
    end = text.size() - rest.size();
  }
  return std::string(text.substr(0, end)) + "…";
}

}  // namespace vitalake::engine
