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

// How many bytes a text with arguments comes to at most. `specs`: its places for them; `dynamic`:
// how one begins whose width is an argument itself.
constexpr std::string_view kFormattedBytes = R"sql(
CREATE MACRO limits.formatted_bytes(text, specs, arguments, dynamic) AS
  strlen(text) + coalesce(list_sum(regexp_extract_all(array_to_string(specs, ' '), '[0-9]+')::DOUBLE[]), 0)
  + len(specs) * (400 + coalesce(list_max(list_transform(arguments, lambda one: strlen(one))), 0)
    + CASE WHEN regexp_matches(array_to_string(specs, ' '), dynamic)
      THEN coalesce(list_max(list_transform(arguments, lambda one: try_cast(one AS DOUBLE))), 0) ELSE 0 END);
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

std::string LimitedBits(std::string_view function) {
  return fmt::format(
      "CREATE MACRO limits.{0}(value, size) AS CASE WHEN size > 100000000 THEN error('too many "
      "bits "
      "for one value') ELSE system.main.{0}(value, size) END;",
      function);
}

// A macro takes so many arguments as it names, so there is one for each number of them.
std::string LimitedFormatting(std::string_view function, std::string_view specs,
                              std::string_view dynamic) {
  constexpr int kMostArguments = 16;
  std::string macro = fmt::format("CREATE MACRO limits.{}", function);
  std::string names, texts;
  for (int i = 0; i <= kMostArguments; ++i) {
    if (i > 0) {
      names += fmt::format(", a{}", i);
      texts += fmt::format("{}a{}::VARCHAR", i == 1 ? "" : ", ", i);
    }
    macro += fmt::format(
        "{5}(text{1}) AS CASE WHEN limits.formatted_bytes(text, {3}, [{2}]::VARCHAR[], '{4}') > "
        "100000000 THEN error('too many characters for one value') ELSE system.main.{0}(text{1}) "
        "END",
        function, names, texts, specs, dynamic, i == 0 ? "" : ", ");
  }
  return macro + ";";
}

std::string LimitedPrintf(std::string_view function) {
  return LimitedFormatting(function, "regexp_extract_all(replace(text, '%%', ''), '%[^%a-zA-Z]*')",
                           "[*]");
}

std::string LimitedFormat(std::string_view function) {
  return LimitedFormatting(function, "regexp_extract_all(replace(text, '{{', ''), '[{][^}]*')",
                           "[{][^{]*[{]");
}

// Names, and what makes their macros.
constexpr std::array<std::pair<std::string_view, std::string (*)(std::string_view)>, 9> kLimited = {
    {{"range", LimitedLists},
     {"generate_series", LimitedLists},
     {"lpad", LimitedPadding},
     {"rpad", LimitedPadding},
     {"list_resize", LimitedResizing},
     {"array_resize", LimitedResizing},
     {"bitstring", LimitedBits},
     {"printf", LimitedPrintf},
     {"format", LimitedFormat}}};

}  // namespace

bool HasValueLimit(std::string_view function) {
  return function == "repeat" ||
         std::ranges::any_of(kLimited, [&](const auto& one) { return one.first == function; });
}

Result<std::string> InstallValueLimits(Engine& engine) {
  VL_TRY(Connection connection, engine.Connect());
  std::string macros =
      fmt::format("ATTACH ':memory:' AS limits; {}{}{}", kCountItems, kRepeat, kFormattedBytes);
  for (const auto& [function, make] : kLimited) macros += make(function);
  VL_TRY([[maybe_unused]] auto made, connection.Execute(macros));
  return "limits.main";
}

}  // namespace vitalake::engine
