// Numbers in a request's query.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "serve/http/message.h"

namespace vitalake::serve {

// The parameter as a number from 1 to `most` (a larger one counts as `most`), `usual` without it.
// kInvalidArgument names it when it is none.
Result<size_t> PositiveOf(const Request& request, std::string_view name, size_t usual, size_t most);

}  // namespace vitalake::serve
