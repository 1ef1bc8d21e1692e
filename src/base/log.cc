#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace vitalake::log {
namespace {

spdlog::logger& Logger() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto made = std::make_shared<spdlog::logger>(
        "vitalake", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc);
    made->set_level(spdlog::level::warn);
    return made;
  }();
  return *logger;
}

}  // namespace

Status SetLevel(std::string_view level) {
  for (std::string_view name : {"trace", "debug", "info", "warn", "error", "off"}) {
    if (level != name) continue;
    Logger().set_level(spdlog::level::from_str(std::string(level)));
    return {};
  }
  return Fail(ErrorKind::kInvalidArgument,
              fmt::format("log level '{}' is none of trace, debug, info, warn, error, off", level));
}

void Write(int level, std::string_view message) {
  Logger().log(static_cast<spdlog::level::level_enum>(level), "{}", message);
}

}  // namespace vitalake::log
