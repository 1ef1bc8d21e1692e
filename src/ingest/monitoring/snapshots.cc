#include "ingest/monitoring/snapshots.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/log.h"

namespace vitalake::ingest {
namespace {

constexpr std::string_view kSuffix = ".snap";
constexpr size_t kKept = 2;
constexpr std::string_view kTold = "told";

// The app id as a path: what is no plain character of a file's name is written as %XX.
std::string PathOf(std::string_view app) {
  std::string path;
  for (const char c : app) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' ||
                       (c == '.' && !path.empty() && path.back() != '/') || c == '/';
    path += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return path;
}

}  // namespace

MonitorSnapshots::MonitorSnapshots(storage::ObjectStore& store, std::string_view app)
    : store_(store), folder_(fmt::format("_vitalake/monitor/{}/", PathOf(app))) {}

std::string MonitorSnapshots::KeyOf(int64_t offset) const {
  return fmt::format("{}{:020}{}", folder_, offset, kSuffix);
}

std::string MonitorSnapshots::ToldKey() const { return folder_ + std::string(kTold); }

Result<std::vector<int64_t>> MonitorSnapshots::List() const {
  VL_TRY(const auto names, store_.ListFolder(folder_));
  std::vector<int64_t> offsets;
  for (const std::string& name : names) {
    if (!name.ends_with(kSuffix)) continue;
    int64_t offset = 0;
    const char* const end = name.data() + name.size() - kSuffix.size();
    const auto [at, error] = std::from_chars(name.data(), end, offset);
    if (error == std::errc() && at == end) offsets.push_back(offset);
  }
  std::ranges::sort(offsets, std::greater<>());
  return offsets;
}

Result<std::string> MonitorSnapshots::Read(int64_t offset) const {
  return store_.Read(KeyOf(offset));
}

Status MonitorSnapshots::Write(int64_t offset, std::string_view bytes) const {
  VL_RETURN_IF_ERROR(store_.Put(KeyOf(offset), bytes));
  VL_TRY(const std::vector<int64_t> offsets, List());
  for (size_t i = kKept; i < offsets.size(); ++i) {
    if (auto gone = store_.Delete(KeyOf(offsets[i])); !gone) {
      log::Warn("cannot delete {}: {}", KeyOf(offsets[i]), gone.error().ToString());
    }
  }
  return {};
}

// A line with a number; anything else is what a machine left that lost its power.
Result<int64_t> MonitorSnapshots::ReadTold() const {
  const auto text = store_.Read(ToldKey());
  if (!text && text.error().kind == ErrorKind::kNotFound) return 0;
  if (!text) return std::unexpected(text.error());
  int64_t offset = 0;
  const char* const end = text->data() + text->size();
  const auto [at, error] = std::from_chars(text->data(), end, offset);
  if (error == std::errc() && at + 1 == end && *at == '\n') return offset;
  log::Warn("{} cannot be read", ToldKey());
  return 0;
}

Status MonitorSnapshots::WriteTold(int64_t offset) const {
  return store_.PutMark(ToldKey(), fmt::format("{:020}\n", offset));
}

}  // namespace vitalake::ingest
