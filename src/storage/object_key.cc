#include "storage/object_key.h"

#include <fmt/format.h>

#include <string>

namespace vitalake::storage {
namespace {

std::unexpected<Error> Invalid(std::string_view what, std::string_view text, std::string_view why) {
  return Fail(ErrorKind::kInvalidArgument, fmt::format("{} '{}' {}", what, text, why));
}

Status CheckParts(std::string_view what, std::string_view text, std::string_view parts) {
  size_t from = 0;
  while (true) {
    const size_t slash = parts.find('/', from);
    const std::string_view part = parts.substr(from, slash - from);
    if (part.empty()) return Invalid(what, text, "has an empty part");
    if (part == "." || part == "..") return Invalid(what, text, "has a part '.' or '..'");
    if (slash == std::string_view::npos) return {};
    from = slash + 1;
  }
}

Status CheckNul(std::string_view what, std::string_view text) {
  if (text.find('\0') == std::string_view::npos) return {};
  return Invalid(what, text.substr(0, text.find('\0')), "has a NUL byte");
}

}  // namespace

Status CheckKey(std::string_view key) {
  VL_RETURN_IF_ERROR(CheckNul("object key", key));
  if (key.starts_with(kStagingPrefix) || kStagingPrefix == std::string(key) + '/') {
    return Invalid("object key", key, "lies in the staging folder");
  }
  return CheckParts("object key", key, key);
}

Status CheckPrefix(std::string_view prefix) {
  VL_RETURN_IF_ERROR(CheckNul("prefix", prefix));
  const size_t slash = prefix.rfind('/');
  if (slash == std::string_view::npos) return {};
  return CheckParts("prefix", prefix, prefix.substr(0, slash));
}

Status CheckFolder(std::string_view prefix) {
  if (!prefix.empty() && !prefix.ends_with('/')) {
    return Invalid("folder", prefix, "does not end in '/'");
  }
  return CheckPrefix(prefix);
}

}  // namespace vitalake::storage
