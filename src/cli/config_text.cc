#include "cli/config_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/json_writer.h"

namespace vitalake::cli {
namespace {

struct Line {
  std::string text;
  std::string comment;
};

// "streams[0].kafka.topic" -> {"streams", "[0]", "kafka", "topic"}.
std::vector<std::string> Split(std::string_view path) {
  std::vector<std::string> parts(1);
  for (char c : path) {
    if (c == '.') {
      parts.emplace_back();
    } else {
      if (c == '[') parts.emplace_back();
      parts.back() += c;
    }
  }
  return parts;
}

// Plain where YAML reads it back as the same text, else quoted (JSON strings are YAML).
std::string Scalar(const std::string& text) {
  bool plain = !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("./_-").find(c) != std::string_view::npos;
  });
  if (plain && text[0] != '-') return text;
  std::string quoted;
  AppendJsonString(quoted, text);
  return quoted;
}

class YamlLines {
 public:
  void Add(const Setting& setting) {
    std::vector<std::string> parts = Split(setting.path);
    size_t same = 0;
    while (same + 1 < parts.size() && same < open_.size() && open_[same] == parts[same]) ++same;
    open_.assign(parts.begin(), parts.end() - 1);
    std::string dash;
    for (size_t i = same; i + 1 < parts.size(); ++i) {
      if (parts[i][0] == '[') {
        dash = "- ";
        continue;
      }
      lines_.push_back({Indent(i, dash) + parts[i] + ":", ""});
      dash.clear();
    }
    lines_.push_back(
        {Indent(parts.size() - 1, dash) + parts.back() + ": " + Scalar(Config::Shown(setting)),
         setting.origin});
  }

  std::string Text() const {
    size_t width = 0;
    for (const Line& line : lines_) width = std::max(width, line.text.size());
    std::string text;
    for (const Line& line : lines_) {
      text += line.comment.empty() ? line.text + "\n"
                                   : fmt::format("{:<{}}  # {}\n", line.text, width, line.comment);
    }
    return text;
  }

 private:
  // Two blanks a level; a list's dash takes the place of the last two.
  static std::string Indent(size_t level, const std::string& dash) {
    std::string blanks(2 * level, ' ');
    if (!dash.empty()) blanks.replace(blanks.size() - 2, 2, dash);
    return blanks;
  }

  std::vector<std::string> open_;
  std::vector<Line> lines_;
};

}  // namespace

std::string ConfigYaml(const Config& config) {
  YamlLines lines;
  for (const Setting& setting : config.settings()) {
    if (!setting.text.empty()) lines.Add(setting);
  }
  return lines.Text();
}

std::string ConfigJson(const Config& config) {
  JsonWriter writer;
  writer.BeginObject();
  for (const Setting& setting : config.settings()) {
    writer.Key(setting.path).BeginObject().Key("value").String(Config::Shown(setting));
    writer.Key("from").String(setting.origin).EndObject();
  }
  return writer.EndObject().Take() + "\n";
}

}  // namespace vitalake::cli
