#include "engine/value_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace vitalake::engine {
namespace {

// Of numbers, or of moments and an interval.
constexpr std::string_view kCountItems = R"sql(
CREATE MACRO limits.items_between(first, last, step) AS coalesce(
  (try_cast(last::VARCHAR AS DOUBLE) - try_cast(first::VARCHAR AS DOUBLE)) / try_cast(step::VARCHAR AS DOUBLE),
  (epoch(try_cast(last::VARCHAR AS TIMESTAMP)) - epoch(try_cast(first::VARCHAR AS TIMESTAMP)))
    / epoch(try_cast(step::VARCHAR AS INTERVAL)));
)sql";

constexpr std::string_view kRepeat = R"sql(
CREATE MACRO limits.repeat(value, times) AS CASE WHEN strlen(value::VARCHAR) * times::DOUBLE > 100000000
  THEN error('too many characters for one value') ELSE system.main.repeat(value, times) END;
)sql";

// The call stands behind the condition itself: constants are computed while the statement is
// planned, and behind a check that is a call of its own the list would be made all the same.
std::string LimitedList(std::string_view function, std::string_view arguments,
                        std::string_view between) {
  return fmt::format(
      "({1}) AS CASE WHEN limits.items_between({2}) > 1000000 THEN error('too many items for one "
      "list: ask for them in FROM') ELSE system.main.{0}({1}) END",
      function, arguments, between);
}

std::string LimitedLists(std::string_view function) {
  return fmt::format("CREATE MACRO limits.{}{}, {}, {};", function,
                     LimitedList(function, "last", "0, last, 1"),
                     LimitedList(function, "first, last", "first, last, 1"),
                     LimitedList(function, "first, last, step", "first, last, step"));
}

std::string LimitedPadding(std::string_view function) {
  return fmt::format(
      "CREATE MACRO limits.{0}(value, size, fill) AS CASE WHEN size > 100000000 THEN error('too "
      "many characters for one value') ELSE system.main.{0}(value, size, fill) END, (value, size) "
      "AS CASE WHEN size > 100000000 THEN error('too many characters for one value') ELSE "
      "system.main.{0}(value, size, ' ') END;",
      function);
}

std::string LimitedResizing(std::string_view function) {
  return fmt::format(
      "CREATE MACRO limits.{0}(list, size) AS CASE WHEN size > 1000000 THEN error('too many items "
      "for one list') ELSE system.main.{0}(list, size) END, (list, size, value) AS CASE WHEN size "
      "> 1000000 THEN error('too many items for one list') ELSE system.main.{0}(list, size, value) "
      "END;",
      function);
}

// Names, and what makes their macros.
constexpr std::array<std::pair<std::string_view, std::string (*)(std::string_view)>, 6> kLimited = {
    {{"range", LimitedLists},
     {"generate_series", LimitedLists},
     {"lpad", LimitedPadding},
     {"rpad", LimitedPadding},
     {"list_resize", LimitedResizing},
     {"array_resize", LimitedResizing}}};

}  // namespace

bool HasValueLimit(std::string_view function) {
  return function == "repeat" ||
         std::ranges::any_of(kLimited, [&](const auto& one) { return one.first == function; });
}

Result<std::string> InstallValueLimits(Engine& engine) {
  VL_TRY(Connection connection, engine.Connect());
  std::string macros = fmt::format("ATTACH ':memory:' AS limits; {}{}", kCountItems, kRepeat);
  for (const auto& [function, make] : kLimited) macros += make(function);
  VL_TRY([[maybe_unused]] auto made, connection.Execute(macros));
  return "limits.main";
}

}  // namespace vitalake::engine
