#include "cli/config_builder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/nearest.h"

namespace vitalake::cli {
namespace {

std::string Join(const std::string& prefix, const std::string& name) {
  return prefix.empty() ? name : prefix + "." + name;
}

bool IsInList(const std::string& path) { return path.find('[') != std::string::npos; }

// Paths of all keys below a section, lists' own keys left out.
void CollectPaths(const KeySpec& section, const std::string& prefix,
                  std::vector<std::string>& out) {
  for (const KeySpec& key : section.children) {
    std::string path = Join(prefix, key.name);
    if (key.type == KeyType::kSection) {
      CollectPaths(key, path, out);
    } else if (key.type != KeyType::kList) {
      out.push_back(path);
    }
  }
}

YAML::Node ChildOf(const YAML::Node& node, const std::string& name) {
  if (node && node.IsMap()) {
    for (const auto& member : node) {
      if (member.first.IsScalar() && member.first.Scalar() == name) return member.second;
    }
  }
  return YAML::Node(YAML::NodeType::Undefined);
}

bool IsGiven(const YAML::Node& node) { return node.IsDefined() && !node.IsNull(); }

}  // namespace

std::string ConfigBuilder::Place(const YAML::Node& node) const {
  if (!node.IsDefined() || node.Mark().is_null()) return file_name_;
  return fmt::format("{}:{}", file_name_, node.Mark().line + 1);
}

std::unexpected<Error> ConfigBuilder::Fault(const YAML::Node& node, std::string message) const {
  return Fail(ErrorKind::kInvalidArgument, fmt::format("{}: {}", Place(node), message));
}

Result<Config> ConfigBuilder::Build(const YAML::Node& root) {
  std::vector<std::string> paths;
  CollectPaths(ConfigSchema(), "", paths);
  for (const std::string& path : paths) environment_names_.push_back(EnvironmentName(path));
  VL_RETURN_IF_ERROR(AddSection(ConfigSchema(), root, ""));
  RemarkOnEnvironment();
  return std::move(config_);
}

Status ConfigBuilder::AddSection(const KeySpec& section, const YAML::Node& node,
                                 const std::string& prefix) {
  VL_RETURN_IF_ERROR(CheckKeys(section, node, prefix));
  config_.sections_.insert(prefix);
  for (const KeySpec& key : section.children) {
    VL_RETURN_IF_ERROR(AddChild(key, ChildOf(node, key.name), node, Join(prefix, key.name)));
  }
  return {};
}

Status ConfigBuilder::AddChild(const KeySpec& key, const YAML::Node& node, const YAML::Node& parent,
                               const std::string& path) {
  switch (key.type) {
    case KeyType::kSection: {
      bool present = node.IsDefined() || (!IsInList(path) && IsInEnvironment(key, path));
      if (!present && key.off_when_absent) return {};
      return AddSection(key, node, path);
    }
    case KeyType::kList:
      return AddList(key, node, path);
    default:
      return AddLeaf(key, node, parent, path);
  }
}

Status ConfigBuilder::AddList(const KeySpec& list, const YAML::Node& node,
                              const std::string& path) {
  if (!IsGiven(node)) return {};
  if (!node.IsSequence())
    return Fault(node, fmt::format("`{}` is a list: begin each entry with -", path));
  for (size_t i = 0; i < node.size(); ++i) {
    std::string element = fmt::format("{}[{}]", path, i);
    VL_RETURN_IF_ERROR(AddSection(list, node[i], element));
    if (list.name == "streams") VL_RETURN_IF_ERROR(CheckStream(node[i], element));
  }
  return {};
}

Status ConfigBuilder::AddLeaf(const KeySpec& key, const YAML::Node& node, const YAML::Node& parent,
                              const std::string& path) {
  Setting setting{path, &key, key.default_text, SettingSource::kDefault, "default"};
  if (IsGiven(node)) {
    if (!node.IsScalar()) return Fault(node, fmt::format("`{}` takes one value", path));
    setting = {path, &key, node.Scalar(), SettingSource::kFile, Place(node)};
  }
  std::string variable = EnvironmentName(path);
  if (auto found = sources_.environment.find(variable);
      !IsInList(path) && found != sources_.environment.end()) {
    setting = {path, &key, found->second, SettingSource::kEnvironment, variable};
  }
  if (auto found = sources_.flags.find(path); found != sources_.flags.end()) {
    std::string flag = "--" + path;
    std::ranges::replace(flag, '_', '-');
    setting = {path, &key, found->second, SettingSource::kFlag, flag};
  }
  bool is_set = setting.source != SettingSource::kDefault;
  if (key.required && setting.text.empty())
    return Fault(parent, fmt::format("`{}` is missing", path));
  if (is_set && setting.text.find("${") == std::string::npos) {
    bool unset_text = setting.text.empty() && key.type == KeyType::kPath;
    if (auto good = CheckValue(key, setting.text); !good && !unset_text) {
      return Fail(ErrorKind::kInvalidArgument,
                  setting.source == SettingSource::kFile
                      ? fmt::format("{}: `{}`: {}", setting.origin, path, good.error().message)
                      : fmt::format("{}: {}", setting.origin, good.error().message));
    }
  }
  config_.settings_.push_back(std::move(setting));
  return {};
}

Status ConfigBuilder::CheckKeys(const KeySpec& section, const YAML::Node& node,
                                const std::string& prefix) const {
  if (!IsGiven(node)) return {};
  if (!node.IsMap()) {
    return Fault(node, prefix.empty() ? "the file is no list of `key: value` lines"
                                      : fmt::format("`{}` is a section: it takes keys", prefix));
  }
  std::vector<std::string> known;
  for (const KeySpec& key : section.children) known.push_back(key.name);
  std::set<std::string> seen;
  for (const auto& member : node) {
    std::string name = member.first.IsScalar() ? member.first.Scalar() : "?";
    if (std::ranges::find(known, name) == known.end()) {
      std::string nearest = Nearest(name, known);
      std::string where = prefix.empty() ? "" : fmt::format(" in `{}`", prefix);
      if (!nearest.empty()) {
        return Fault(member.first,
                     fmt::format("unknown key `{}`{}; did you mean `{}`?", name, where, nearest));
      }
      return Fault(member.first, known.empty()
                                     ? fmt::format("unknown key `{}`{}: it takes none", name, where)
                                     : fmt::format("unknown key `{}`{}; known are {}", name, where,
                                                   fmt::join(known, ", ")));
    }
    if (!seen.insert(name).second) {
      return Fault(member.first, fmt::format("`{}` is given twice", Join(prefix, name)));
    }
  }
  return {};
}

Status ConfigBuilder::CheckStream(const YAML::Node& node, const std::string& path) const {
  constexpr std::array<const char*, 4> kKinds = {"kafka", "http", "file", "generator"};
  auto given = std::ranges::count_if(
      kKinds, [&](const char* kind) { return ChildOf(node, kind).IsDefined(); });
  if (given == 1) return {};
  return Fault(node, fmt::format("`{}` needs exactly one of kafka, http, file, generator", path));
}

bool ConfigBuilder::IsInEnvironment(const KeySpec& section, const std::string& path) const {
  std::vector<std::string> paths;
  CollectPaths(section, path, paths);
  return std::ranges::any_of(paths, [&](const std::string& leaf) {
    return sources_.environment.contains(EnvironmentName(leaf));
  });
}

void ConfigBuilder::RemarkOnEnvironment() {
  for (const auto& [name, value] : sources_.environment) {
    if (name == "VITALAKE_CONFIG") continue;
    if (std::ranges::find(environment_names_, name) != environment_names_.end()) continue;
    std::string nearest = Nearest(name, environment_names_);
    config_.remarks_.push_back(
        nearest.empty() ? fmt::format("environment variable {} names no setting", name)
                        : fmt::format("environment variable {} names no setting; did you mean {}?",
                                      name, nearest));
  }
}

}  // namespace vitalake::cli
