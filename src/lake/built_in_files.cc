#include "lake/built_in_files.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <set>
#include <system_error>

#include "base/embedded.h"

namespace vitalake::embedded {
std::span<const EmbeddedFile> views();
std::span<const EmbeddedFile> models();
std::span<const EmbeddedFile> outbound();
}  // namespace vitalake::embedded

namespace vitalake::lake {
namespace {

std::span<const EmbeddedFile> Files(BuiltIn kind) {
  switch (kind) {
    case BuiltIn::kView:
      return embedded::views();
    case BuiltIn::kModel:
      return embedded::models();
    case BuiltIn::kOutbound:
      return embedded::outbound();
  }
  return {};
}

}  // namespace

Result<std::string> ReadBuiltIn(BuiltIn kind, const std::filesystem::path& folder,
                                std::string_view name) {
  std::error_code ignored;
  if (!folder.empty() && std::filesystem::exists(folder / name, ignored)) {
    std::ifstream file(folder / name, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(file)), {});
    if (!file) return Fail(ErrorKind::kIo, fmt::format("cannot read {}", (folder / name).string()));
    return text;
  }
  for (const EmbeddedFile& file : Files(kind)) {
    if (file.name == name) return std::string(file.text);
  }
  return Fail(ErrorKind::kNotFound, fmt::format("there is no built-in file {}", name));
}

Result<std::vector<std::string>> ListBuiltIn(BuiltIn kind, const std::filesystem::path& folder) {
  std::set<std::string> names;
  for (const EmbeddedFile& file : Files(kind)) names.emplace(file.name);
  std::error_code error;
  if (!folder.empty()) {
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
      if (entry.is_regular_file()) names.insert(entry.path().filename().string());
    }
    if (error) {
      return Fail(ErrorKind::kIo,
                  fmt::format("cannot list {}: {}", folder.string(), error.message()));
    }
  }
  return std::vector<std::string>(names.begin(), names.end());
}

}  // namespace vitalake::lake
