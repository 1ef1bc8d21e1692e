// What a new rule file must keep beside its form (rule_set.h): that it says for whom it holds, and
// that its limits can be meant. Files recorded with a stream hold as they are: a replay judges by
// them again.
#pragma once

#include <string_view>

#include "base/result.h"
#include "clinical/codes.h"

namespace vitalake::clinical {

// `text`: a file that ReadRuleSet reads.
//   age          is there, with one end at least
//   limits       codes of `codes`, in a unit they are stored in; bounds within what is plausible
//                there; low ones below high ones; what is graver no less extreme (noted, ordinary,
//                at once)
//   alerts       low below high; what is graver no less extreme (high, severe, at once)
// kInvalidArgument with file, line and key.
Status CheckRuleFile(std::string_view file, std::string_view text, const CodeTable& codes);

}  // namespace vitalake::clinical
