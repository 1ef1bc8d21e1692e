// PageCursor: where the next page of a list begins, as text that clients hand back unread.
//
// It holds the sort key of the last row told, so that pages neither repeat nor miss rows when
// others come in between.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vitalake::serve {

using CursorParts = std::vector<std::string>;

// Letters, digits, - and _ only.
std::string EncodeCursor(const CursorParts& parts);
// kInvalidArgument when it is not a cursor of `parts` parts (0: of any number from 1).
Result<CursorParts> DecodeCursor(std::string_view text, size_t parts);

}  // namespace vitalake::serve
