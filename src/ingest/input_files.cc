#include "ingest/input_files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/json_tree.h"
#include "base/utf8.h"
#include "engine/path_pattern.h"
#include "ingest/bronze_copies.h"

namespace vitalake::ingest {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostNameBytes = 255;  // of a file system's

// `path` with `mark` behind the stem of its name, which is shortened where the name gets too long
// (then what stands before the name's last parts: they tell what the file holds).
std::string MarkedName(std::string_view path, std::string_view mark) {
  const size_t slash = path.rfind('/') + 1;
  const size_t dot = std::min(path.find('.', slash), path.size());
  std::string_view stem = path.substr(slash, dot - slash);
  std::string_view rest = path.substr(dot);
  const size_t room = kMostNameBytes - mark.size();
  if (stem.size() + rest.size() > room) {
    size_t keep = room - std::min(room, rest.size());
    while (keep > 0 && IsInsideCharacter(stem[keep])) --keep;
    stem = stem.substr(0, keep);
    if (rest.size() > room) rest.remove_prefix(rest.size() - room);
    while (!rest.empty() && IsInsideCharacter(rest.front())) rest.remove_prefix(1);
  }
  return fmt::format("{}{}{}{}", path.substr(0, slash), stem, mark, rest);
}

std::string DayFolder(Micros time) {
  std::string day = FormatUtc(time).substr(0, 10);
  std::ranges::replace(day, '-', '/');
  return day;
}

// The resourceType of a record, or of the first resource inside it.
std::string ResourceType(JsonParser& parser, std::string_view text) {
  const auto tree = parser.ParsePadded(text);
  return tree ? std::string(tree->String("resourceType")) : std::string();
}

}  // namespace

Result<std::vector<std::string>> FindFiles(const std::vector<std::string>& paths) {
  if (paths.empty()) {
    return Fail(ErrorKind::kInvalidArgument, "no file, folder or pattern was given");
  }
  std::vector<std::string> files;
  std::set<std::string> seen;
  for (const std::string& path : paths) {
    std::error_code error;
    const bool folder = fs::is_directory(path, error);
    auto found = engine::ExpandPaths(path);
    if (!found) {
      if (folder && found.error().kind == ErrorKind::kNotFound) continue;
      return std::unexpected(std::move(found).error());
    }
    for (std::string& file : *found) {
      if (folder && !engine::IsFhirName(file)) continue;
      if (seen.insert(file).second) files.push_back(std::move(file));
    }
  }
  return files;
}

std::optional<FileMeasure> MeasureFile(const std::string& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileMeasure{status.st_size,
                     status.st_mtim.tv_sec * 1'000'000 + status.st_mtim.tv_nsec / 1000};
}

std::string PeekSource(const std::string& path) {
  fhir::DecodeLimits limits;
  limits.block_bytes = 64 << 10;
  auto reader = fhir::RecordReader::Open(path, limits);
  if (!reader) return "mixed";
  auto block = (*reader)->Next();
  if (!block || !*block) return "mixed";
  JsonParser parser;
  for (const fhir::Record& record : (*block)->Split(parser)) {
    if (record.fault || record.text.empty()) continue;
    const std::string type = ResourceType(parser, record.text);
    return type == "Patient" ? "patient" : type == "Observation" ? "observation" : "mixed";
  }
  return "mixed";
}

std::string OwnBronzePath(std::string_view bronze_path, const RunId& run, int64_t ordinal) {
  return MarkedName(bronze_path, fmt::format("~{}-{}", run.value, ordinal));
}

Result<std::vector<lake::LedgerFile>> DescribeFiles(lake::Lake& lake, const BatchOptions& options,
                                                    const RunId& run, Micros started_at,
                                                    const std::vector<std::string>& paths,
                                                    const HashFile& hash_file) {
  std::vector<lake::LedgerFile> files;
  std::set<std::string> taken;
  for (const std::string& path : paths) {
    lake::LedgerFile file;
    file.ordinal = static_cast<int64_t>(files.size());
    file.path = path;
    file.received_at = started_at + file.ordinal;
    file.id_space = options.id_space;
    file.key_mode = options.key == fhir::KeyRule::kId ? "id" : "identifier";
    if (const auto measure = MeasureFile(path)) {
      file.bytes = measure->bytes;
      file.modified_at = measure->modified_at;
    }
    auto hash = hash_file(file);
    if (!hash && EndsTheRun(hash.error())) {
      return Because(std::move(hash).error(), fmt::format("copying {} to bronze", path));
    }
    if (hash) {
      file.sha256 = std::move(*hash);
      file.source = options.source.empty() ? PeekSource(path) : options.source;
      std::string bronze = fmt::format("bronze/{}/{}/{}", file.source, DayFolder(started_at),
                                       ValidUtf8(fs::path(path).filename().string()));
      if (bronze.size() - bronze.rfind('/') - 1 > kMostNameBytes) bronze = MarkedName(bronze, "");
      const auto there = lake.store().Head(bronze);
      if (there || taken.contains(bronze)) bronze = OwnBronzePath(bronze, run, file.ordinal);
      if (!there && there.error().kind != ErrorKind::kNotFound) {
        return std::unexpected(there.error());
      }
      taken.insert(bronze);
      file.bronze_path = std::move(bronze);
    } else {
      file.source = options.source.empty() ? "mixed" : options.source;
      file.message = hash.error().ToString();
    }
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace vitalake::ingest
