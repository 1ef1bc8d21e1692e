// Errors as PostgreSQL tells them: with an SQLSTATE, a hint and the place in the statement.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vitalake::serve {

struct PgError {
  std::string state = "XX000";  // SQLSTATE
  std::string message;
  std::string hint = {};
  std::optional<int64_t> position = std::nullopt;  // character of the statement, from 1
  bool fatal = false;                              // the session ends
};

// Of an error of the engine or the lake, of this statement.
PgError PgErrorOf(const Error& error, std::string_view statement);

}  // namespace vitalake::serve
