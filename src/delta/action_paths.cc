// Paths of data files as the log spells them (URIs) and as we hold them (plain text).
#include <fmt/format.h>

#include <algorithm>

#include "base/percent.h"
#include "delta/actions.h"

namespace vitalake::delta {
namespace {

// What is no escape stands for itself.
std::string PercentDecode(std::string_view encoded) {
  std::string out;
  out.reserve(encoded.size());
  for (size_t i = 0; i < encoded.size(); ++i) {
    const auto byte = EscapedByte(encoded.substr(i));
    out += byte.value_or(encoded[i]);
    if (byte) i += 2;
  }
  return out;
}

bool IsAlpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// "scheme:/..." Source: RFC 3986, section 3.1.
bool HasScheme(std::string_view path) {
  const size_t colon = path.find(":/");
  if (colon == std::string_view::npos || colon == 0 || !IsAlpha(path[0])) return false;
  return std::ranges::all_of(path.substr(0, colon), [](char c) {
    return IsAlpha(c) || IsDigit(c) || c == '+' || c == '-' || c == '.';
  });
}

}  // namespace

std::string DecodePath(std::string_view encoded) {
  std::string path = PercentDecode(encoded);
  if (path.starts_with("file:///")) return path.substr(7);
  if (path.starts_with("file:/") && !path.starts_with("file://")) return path.substr(5);
  return path;
}

std::string EncodePath(std::string_view path) {
  constexpr std::string_view kKept = "-_.~/=";
  std::string out;
  out.reserve(path.size());
  // The scheme of an absolute URI stays as it is.
  const size_t from = HasScheme(path) ? path.find(":/") + 1 : 0;
  out.append(path.substr(0, from));
  for (const char c : path.substr(from)) {
    if (IsAlpha(c) || IsDigit(c) || kKept.contains(c)) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

Result<std::string> ResolvePath(std::string_view root, std::string_view path) {
  if (path.starts_with('/') || HasScheme(path)) {
    return Fail(ErrorKind::kUnsupported,
                fmt::format("the data file '{}' lies outside the table's folder", path));
  }
  for (size_t from = 0; from <= path.size();) {
    const size_t end = std::min(path.find('/', from), path.size());
    const std::string_view part = path.substr(from, end - from);
    if (part.empty() || part == "." || part == "..") {
      return Fail(ErrorKind::kCorrupt, fmt::format("'{}' is no path of a data file", path));
    }
    from = end + 1;
  }
  return root.empty() ? std::string(path) : fmt::format("{}/{}", root, path);
}

}  // namespace vitalake::delta
