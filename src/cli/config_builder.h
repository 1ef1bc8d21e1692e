// ConfigBuilder: puts the settings together from file, environment, flags and defaults.
#pragma once

#include <yaml-cpp/yaml.h>

#include <string>
#include <vector>

#include "cli/config.h"

namespace vitalake::cli {

// One use: Build. Steps for each section: 1. refuse keys it does not know or has twice; 2. settle
// each key from flag, environment, file, default, in this order; 3. check what it holds.
class ConfigBuilder {
 public:
  // `file_name` is what messages call the file.
  ConfigBuilder(const ConfigSources& sources, std::string file_name)
      : sources_(sources), file_name_(std::move(file_name)) {}

  // `root` may be null or empty.
  Result<Config> Build(const YAML::Node& root);

 private:
  Status AddSection(const KeySpec& section, const YAML::Node& node, const std::string& prefix);
  Status AddChild(const KeySpec& key, const YAML::Node& node, const YAML::Node& parent,
                  const std::string& path);
  Status AddList(const KeySpec& list, const YAML::Node& node, const std::string& path);
  Status AddLeaf(const KeySpec& key, const YAML::Node& node, const YAML::Node& parent,
                 const std::string& path);
  Status CheckKeys(const KeySpec& section, const YAML::Node& node, const std::string& prefix) const;
  // A stream has exactly one kind of source.
  Status CheckStream(const YAML::Node& node, const std::string& path) const;
  bool IsInEnvironment(const KeySpec& section, const std::string& path) const;
  void RemarkOnEnvironment();
  std::string Place(const YAML::Node& node) const;
  std::unexpected<Error> Fault(const YAML::Node& node, std::string message) const;

  const ConfigSources& sources_;
  std::string file_name_;
  Config config_;
  std::vector<std::string> environment_names_;  // of all keys that can be given so
};

}  // namespace vitalake::cli
