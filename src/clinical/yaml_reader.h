// Reading rule files: values with their type checked, errors that name file, line and key.
#pragma once

#include <yaml-cpp/yaml.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vitalake::clinical {

// A node of a YAML document that knows its file and key. Every error is kInvalidArgument with
// "FILE:LINE: KEY: what is wrong". Copy freely.
class YamlReader {
 public:
  // Parses a whole text. `file` is used in messages only.
  static Result<YamlReader> Parse(std::string_view file, std::string_view text);

  // Fails when a mapping has other keys than these, or when this is no mapping.
  Status AllowKeys(std::initializer_list<std::string_view> keys) const;
  bool Has(std::string_view key) const;
  // The member; fails when it is missing or this is no mapping.
  Result<YamlReader> At(std::string_view key) const;
  // The items of a sequence, the members of a mapping (in order).
  Result<std::vector<YamlReader>> Items() const;
  Result<std::vector<YamlReader>> Members() const;

  Result<std::string> Text() const;
  Result<double> Number() const;
  Result<bool> Bool() const;
  // A date YYYY-MM-DD as days since 1970-01-01.
  Result<int32_t> Date() const;
  // The texts of a sequence.
  Result<std::vector<std::string>> Texts() const;

  bool is_null() const { return node_.IsNull(); }
  bool is_map() const { return node_.IsMap(); }
  // The last part of the key: a member's name.
  const std::string& name() const { return name_; }
  std::unexpected<Error> Wrong(std::string_view what) const;

 private:
  YamlReader(std::string file, std::string key, std::string name, int line, const YAML::Node& node);
  YamlReader Child(const std::string& name, std::string key, const YAML::Node& node) const;

  std::string file_, key_, name_;
  int line_ = 1;
  YAML::Node node_;
};

}  // namespace vitalake::clinical
