#include "delta/commit_reader.h"

#include <fmt/format.h>

namespace vitalake::delta {
namespace {

bool IsBlank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

bool ChangesNoState(std::string_view line) {
  return line.starts_with(R"({"commitInfo":)") || line.starts_with(R"({"cdc":)");
}

Status ReadLine(JsonParser& parser, std::string_view line,
                const std::function<Status(Action)>& action) {
  const auto root = parser.ParsePadded(line);
  if (!root) return Fail(ErrorKind::kCorrupt, root.error().message);
  VL_TRY(std::optional<Action> parsed, ParseAction(*root));
  return parsed ? action(*std::move(parsed)) : Status();
}

}  // namespace

Status ReadCommit(JsonParser& parser, std::string text, std::string_view key, ActionFilter filter,
                  const std::function<Status(Action action)>& action) {
  const size_t size = text.size();
  text.append(JsonParser::kPadding, ' ');
  size_t line_number = 0;
  size_t lines_with_text = 0;
  for (size_t from = 0; from < size;) {
    const size_t end = std::min(text.find('\n', from), size);
    const std::string_view line(text.data() + from, end - from);
    from = end + 1;
    ++line_number;
    if (IsBlank(line)) continue;
    ++lines_with_text;
    if (filter == ActionFilter::kState && ChangesNoState(line)) continue;
    if (auto status = ReadLine(parser, line, action); !status) {
      return Because(std::move(status).error(), fmt::format("{}:{}", key, line_number));
    }
  }
  if (lines_with_text == 0) {
    return Fail(ErrorKind::kCorrupt, fmt::format("the commit file {} is empty", key));
  }
  return {};
}

}  // namespace vitalake::delta
