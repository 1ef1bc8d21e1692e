#include "engine/path_pattern.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

namespace vitalake::engine {
namespace fs = std::filesystem;
namespace {

bool IsGlob(std::string_view text) { return text.find_first_of("*?[") != text.npos; }

using Parts = std::vector<std::string>;

Parts PartsOf(const fs::path& path) {
  Parts parts;
  for (const auto& part : path) parts.push_back(part.string());
  return parts;
}

// Adds the files below `folder` that parts[at..] match.
void Collect(const fs::path& folder, const Parts& parts, size_t at, std::vector<std::string>& out) {
  std::error_code error;
  if (parts[at] == "**" && at + 1 < parts.size()) Collect(folder, parts, at + 1, out);
  for (const auto& entry : fs::directory_iterator(folder.empty() ? "." : folder, error)) {
    const std::string name = entry.path().filename().string();
    const fs::path path = folder / name;
    if (parts[at] == "**") {
      if (name.starts_with('.')) continue;
      if (entry.is_directory(error)) {
        Collect(path, parts, at, out);
      } else if (at + 1 == parts.size() && entry.is_regular_file(error)) {
        out.push_back(path.string());
      }
    } else if (fnmatch(parts[at].c_str(), name.c_str(), FNM_PERIOD) == 0) {
      if (at + 1 < parts.size()) {
        if (entry.is_directory(error)) Collect(path, parts, at + 1, out);
      } else if (entry.is_regular_file(error)) {
        out.push_back(path.string());
      }
    }
  }
}

std::vector<std::string> Glob(const fs::path& pattern) {
  Parts parts = PartsOf(pattern);
  fs::path folder;
  size_t first = 0;
  while (first < parts.size() && !IsGlob(parts[first])) folder /= parts[first++];
  std::vector<std::string> out;
  if (first < parts.size()) Collect(folder, parts, first, out);
  return out;
}

std::vector<std::string> FilesBelow(const fs::path& folder) {
  std::vector<std::string> out;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file(error) && !name.starts_with('.') && IsFhirName(name)) {
      out.push_back(entry.path().string());
    }
  }
  return out;
}

}  // namespace

bool IsFhirName(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const std::string_view packed : {".gz", ".zst"}) {
    if (lower.ends_with(packed)) lower.resize(lower.size() - packed.size());
  }
  return lower.ends_with(".json") || lower.ends_with(".ndjson");
}

Result<std::vector<std::string>> ExpandPaths(std::string_view pattern) {
  const fs::path path(pattern);
  std::error_code error;
  const auto status = fs::status(path, error);
  if (fs::exists(status) && !fs::is_directory(status)) return {{std::string(pattern)}};
  std::vector<std::string> files = fs::is_directory(status) ? FilesBelow(path)
                                   : IsGlob(pattern)        ? Glob(path)
                                                            : std::vector<std::string>{};
  if (files.empty()) {
    return Fail(ErrorKind::kNotFound, fmt::format("No files found that match \"{}\"", pattern));
  }
  std::ranges::sort(files);
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return files;
}

}  // namespace vitalake::engine
