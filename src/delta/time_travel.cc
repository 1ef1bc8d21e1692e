// Versions by time, and what each of them did.
#include <fmt/format.h>

#include <algorithm>

#include "delta/commit_reader.h"
#include "delta/commit_times.h"
#include "delta/json_copy.h"
#include "delta/table.h"

namespace vitalake::delta {
namespace {

StringMap Texts(JsonValue object) {
  StringMap out;
  for (const JsonValue member : object.children()) {
    if (member.is_null()) continue;
    out.insert_or_assign(std::string(member.key()),
                         member.is_string() ? std::string(member.text()) : CopyJson(member));
  }
  return out;
}

Result<HistoryEntry> ReadEntry(storage::ObjectStore& store, const TimedCommit& commit) {
  VL_TRY(std::string text, store.Read(commit.key));
  HistoryEntry entry{.version = commit.version, .timestamp = commit.time};
  JsonParser parser;
  VL_RETURN_IF_ERROR(
      ReadCommit(parser, std::move(text), commit.key, ActionFilter::kAll, [&](Action action) {
        if (auto* info = std::get_if<CommitInfo>(&action)) {
          entry.operation = std::move(info->operation);
          entry.info = std::move(info->json);
        }
        return Status();
      }));
  if (const auto info = parser.Parse(entry.info); !entry.info.empty() && info) {
    entry.parameters = Texts(info->Find("operationParameters"));
    entry.metrics = Texts(info->Find("operationMetrics"));
  }
  return entry;
}

}  // namespace

std::vector<TimedCommit> TimesOf(const LogListing& listing) {
  constexpr Micros kStep = 1000;
  std::vector<TimedCommit> out;
  out.reserve(listing.commits.size());
  for (const CommitFile& commit : listing.commits) {
    Micros time = commit.object.modified;
    if (!out.empty()) time = std::max(time, out.back().time + kStep);
    out.push_back({commit.version, commit.object.key, time});
  }
  return out;
}

Result<SnapshotPtr> Table::AtTimestamp(Micros time) {
  VL_TRY(const LogListing listing, ListLog(environment_.store, root_, Version{0}));
  const std::vector<TimedCommit> commits = TimesOf(listing);
  const auto after = std::ranges::upper_bound(commits, time, {}, &TimedCommit::time);
  if (after == commits.begin()) {
    return Fail(ErrorKind::kNotFound,
                commits.empty()
                    ? fmt::format("there is no Delta table at '{}'", root_)
                    : fmt::format("table {} has no version as old as {}; its first is {} of {}",
                                  root_, FormatUtc(time), commits.front().version.value,
                                  FormatUtc(commits.front().time)));
  }
  return At(std::prev(after)->version);
}

Result<std::vector<HistoryEntry>> Table::History(size_t limit) {
  VL_TRY(const LogListing listing, ListLog(environment_.store, root_, Version{0}));
  if (listing.empty()) {
    return Fail(ErrorKind::kNotFound, fmt::format("there is no Delta table at '{}'", root_));
  }
  const std::vector<TimedCommit> commits = TimesOf(listing);
  std::vector<HistoryEntry> out;
  for (size_t i = commits.size(); i > 0 && out.size() < limit; --i) {
    VL_TRY(HistoryEntry entry, ReadEntry(environment_.store, commits[i - 1]));
    out.push_back(std::move(entry));
  }
  return out;
}

}  // namespace vitalake::delta
