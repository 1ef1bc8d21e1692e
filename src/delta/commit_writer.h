// Writing commits: the text of N.json, and putting it there exactly once.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/ids.h"
#include "base/result.h"
#include "delta/actions.h"
#include "delta/table.h"

namespace vitalake::delta {

// What a commit says about itself.
struct CommitHeader {
  std::string txn_id{};
  int64_t timestamp_ms = 0;
  std::string operation{};
  StringMap parameters{};
  StringMap metrics{};
  std::optional<Version> read_version{};
  std::string_view isolation = "Serializable";
  bool is_blind_append = false;
  StringMap user_info{};  // key -> JSON text
};

// The commitInfo action as one line, without the line feed.
std::string CommitInfoLine(const CommitHeader& header);

// commitInfo of a commit file's text: nullopt when there is none.
std::optional<CommitInfo> FindCommitInfo(std::string_view text);

enum class CommitPut {
  kCreated,   // the commit is there, durable, and ours
  kReadBack,  // it is there and ours, by its txnId; the store could not say that it is durable
  kTaken,     // another commit has that version
};

// Puts `text` as version `version`. When the store cannot tell what happened, the version is read
// back and the commit known by `txn_id`. Errors: kDeadline, kCancelled (nothing was written);
// kUnknownOutcome when that did not tell either, for some tries or until `wait` ended; else the
// store's own, with nothing written.
Result<CommitPut> PutCommit(const Environment& environment, std::string_view root, Version version,
                            std::string_view text, std::string_view txn_id, const Wait& wait);

// Waits a random part of a time that doubles with each `attempt` (from 0): at most 0.5 s, and not
// past the end of `wait`. kDeadline or kCancelled when that has come.
Status PauseBeforeRetry(const Environment& environment, const Wait& wait, int attempt,
                        std::string_view what);

// Milliseconds of the log from the clock.
int64_t NowMs(Clock& clock);

}  // namespace vitalake::delta
