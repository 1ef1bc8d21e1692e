#include "clinical/yaml_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "fhir/datetime.h"

namespace vitalake::clinical {
namespace {

int Line(const YAML::Node& node, int otherwise) {
  const YAML::Mark mark = node.Mark();
  return mark.is_null() ? otherwise : mark.line + 1;
}

}  // namespace

YamlReader::YamlReader(std::string file, std::string key, std::string name, int line,
                       const YAML::Node& node)
    : file_(std::move(file)),
      key_(std::move(key)),
      name_(std::move(name)),
      line_(line),
      node_(node) {}

Result<YamlReader> YamlReader::Parse(std::string_view file, std::string_view text) {
  try {
    const YAML::Node node = YAML::Load(std::string(text));
    const int line = Line(node, 1);
    return YamlReader(std::string(file), "", "", line, node);
  } catch (const YAML::Exception& e) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("{}:{}: {}", file, e.mark.line + 1, e.msg));
  }
}

std::unexpected<Error> YamlReader::Wrong(std::string_view what) const {
  return Fail(ErrorKind::kInvalidArgument,
              fmt::format("{}:{}: {}: {}", file_, line_, key_.empty() ? "(top)" : key_, what));
}

YamlReader YamlReader::Child(const std::string& name, std::string key,
                             const YAML::Node& node) const {
  return YamlReader(file_, std::move(key), name, Line(node, line_), node);
}

Status YamlReader::AllowKeys(std::initializer_list<std::string_view> keys) const {
  VL_TRY(const auto members, Members());
  for (const YamlReader& member : members) {
    if (std::find(keys.begin(), keys.end(), member.name()) != keys.end()) continue;
    return member.Wrong(fmt::format("unknown key; known are {}", fmt::join(keys, ", ")));
  }
  return {};
}

bool YamlReader::Has(std::string_view key) const {
  return node_.IsMap() && node_[std::string(key)].IsDefined();
}

Result<YamlReader> YamlReader::At(std::string_view key) const {
  if (!node_.IsMap()) return Wrong("must be a mapping");
  const std::string name(key);
  const YAML::Node member = node_[name];
  if (!member.IsDefined()) return Wrong(fmt::format("the key '{}' is missing", key));
  return Child(name, key_.empty() ? name : key_ + "." + name, member);
}

Result<std::vector<YamlReader>> YamlReader::Items() const {
  if (!node_.IsSequence()) return Wrong("must be a list");
  std::vector<YamlReader> items;
  for (const YAML::Node& item : node_) {
    items.push_back(Child(name_, fmt::format("{}[{}]", key_, items.size()), item));
  }
  return items;
}

Result<std::vector<YamlReader>> YamlReader::Members() const {
  if (!node_.IsMap()) return Wrong("must be a mapping");
  std::vector<YamlReader> members;
  for (const auto& member : node_) {
    const std::string name = member.first.Scalar();
    members.push_back(Child(name, key_.empty() ? name : key_ + "." + name, member.second));
    if (const int line = Line(member.first, 0)) members.back().line_ = line;
  }
  return members;
}

Result<std::string> YamlReader::Text() const {
  if (!node_.IsScalar() || node_.Scalar().empty()) return Wrong("must be a text");
  return node_.Scalar();
}

Result<double> YamlReader::Number() const {
  double value = 0;
  const std::string text = node_.IsScalar() ? node_.Scalar() : "";
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return Wrong("must be a number");
  }
  return value;
}

Result<bool> YamlReader::Bool() const {
  if (node_.IsScalar() && node_.Scalar() == "true") return true;
  if (node_.IsScalar() && node_.Scalar() == "false") return false;
  return Wrong("must be true or false");
}

Result<int32_t> YamlReader::Date() const {
  const auto date = node_.IsScalar() ? fhir::ParseDateTime(node_.Scalar()) : std::nullopt;
  if (!date || date->precision != fhir::DatePrecision::kDay) {
    return Wrong("must be a date, YYYY-MM-DD");
  }
  return date->LocalDay();
}

Result<std::vector<std::string>> YamlReader::Texts() const {
  VL_TRY(const auto items, Items());
  std::vector<std::string> texts;
  for (const YamlReader& item : items) {
    VL_TRY(texts.emplace_back(), item.Text());
  }
  return texts;
}

}  // namespace vitalake::clinical
