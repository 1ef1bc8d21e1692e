// The body of a request by which a person changes something: who, why, and members of its own.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/json_tree.h"
#include "base/result.h"
#include "serve/http/message.h"

namespace vitalake::serve {

inline constexpr int64_t kActionBytes = 64 << 10;

struct ActionBody {
  JsonValue json;  // lives as long as the parser it came from
  std::string actor, reason;
};

// 415 for a body that is not application/json: a page of somebody else's may post forms with a
// browser's cookie, but no JSON.
std::optional<Response> RefuseOtherTypes(const Request& request);

// `own`: the members it may have beside actor and reason. kInvalidArgument: no JSON object, without
// an actor, or with a member of another name, or one twice; what is wrong is told.
Result<ActionBody> ReadActionBody(JsonParser& parser, const Request& request,
                                  std::span<const std::string_view> own);

}  // namespace vitalake::serve
