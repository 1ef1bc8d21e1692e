#include "lake/leftovers.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

#include "base/log.h"
#include "storage/owned_folder.h"

namespace vitalake::lake {
namespace {

namespace fs = std::filesystem;

constexpr size_t kUuidLength = 36;

// Whether `name` is "<prefix>-<uuid>"; any prefix when it is empty.
bool IsScratchName(std::string_view name, std::string_view prefix) {
  if (name.size() < kUuidLength + 2) return false;
  const std::string_view uuid = name.substr(name.size() - kUuidLength);
  const std::string_view before = name.substr(0, name.size() - kUuidLength - 1);
  if (name[before.size()] != '-' || (!prefix.empty() && before != prefix)) return false;
  for (size_t i = 0; i < uuid.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool hex = (uuid[i] >= '0' && uuid[i] <= '9') || (uuid[i] >= 'a' && uuid[i] <= 'f');
    if (dash ? uuid[i] != '-' : !hex) return false;
  }
  return true;
}

bool IsOld(const fs::directory_entry& entry) {
  std::error_code error;
  const auto written = entry.last_write_time(error);
  return !error && fs::file_time_type::clock::now() - written > std::chrono::hours(24);
}

void SweepFiles(const fs::path& staging) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(staging, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("put-") && !name.starts_with("checkpoint-")) continue;
    std::error_code ignored;  // another process may sweep as well
    if (entry.is_regular_file(ignored) && IsOld(entry)) fs::remove(entry.path(), ignored);
  }
}

}  // namespace

void SweepStaging(const fs::path& staging) {
  const int64_t removed = storage::RemoveOrphans(
      staging, [](std::string_view name) { return IsScratchName(name, ""); });
  if (removed > 0) log::Info("removed {} work folders of killed processes", removed);
  SweepFiles(staging);
}

void SweepSpill(const fs::path& spill) {
  const std::string prefix = spill.filename().string();
  storage::RemoveOrphans(spill.parent_path(),
                         [&](std::string_view name) { return IsScratchName(name, prefix); });
}

}  // namespace vitalake::lake
