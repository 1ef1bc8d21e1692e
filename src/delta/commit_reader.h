// Reading one commit file: NDJSON text -> actions.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_tree.h"
#include "base/result.h"
#include "delta/actions.h"

namespace vitalake::delta {

enum class ActionFilter {
  kAll,
  kState,  // commitInfo and cdc, which change no state, are passed over unread where possible
};

// Calls `action` for each action in order of the lines. kCorrupt, naming key and line, for a line
// that is not an action, and for a file without any line (what a torn write leaves behind; every
// writer has something to say in a commit).
Status ReadCommit(JsonParser& parser, std::string text, std::string_view key, ActionFilter filter,
                  const std::function<Status(Action action)>& action);

}  // namespace vitalake::delta
