// Logging: to standard error, one line an event, no patient data. Levels as spdlog's.
#pragma once

#include <fmt/format.h>

#include <string_view>

#include "base/result.h"

namespace vitalake::log {

// "trace|debug|info|warn|error|off"; kInvalidArgument for anything else.
Status SetLevel(std::string_view level);

void Write(int level, std::string_view message);

template <class... A>
void Debug(fmt::format_string<A...> format, A&&... args) {
  Write(1, fmt::format(format, std::forward<A>(args)...));
}
template <class... A>
void Info(fmt::format_string<A...> format, A&&... args) {
  Write(2, fmt::format(format, std::forward<A>(args)...));
}
template <class... A>
void Warn(fmt::format_string<A...> format, A&&... args) {
  Write(3, fmt::format(format, std::forward<A>(args)...));
}
template <class... A>
void Fault(fmt::format_string<A...> format, A&&... args) {
  Write(4, fmt::format(format, std::forward<A>(args)...));
}

}  // namespace vitalake::log
