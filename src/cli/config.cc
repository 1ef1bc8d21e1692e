#include "cli/config.h"

#include <fmt/format.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

#include "cli/config_builder.h"
#include "cli/quantity.h"

namespace vitalake::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDefaultFile = "vitalake.yaml";

Result<std::string> ReadText(const fs::path& file) {
  std::error_code error;
  if (fs::is_directory(file, error)) {
    return Fail(ErrorKind::kInvalidArgument, fmt::format("{} is a folder", file.string()));
  }
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    bool there = fs::exists(file, error);
    return Fail(there ? ErrorKind::kPermission : ErrorKind::kNotFound,
                fmt::format("{} {}", file.string(), there ? "cannot be read" : "does not exist"));
  }
  std::ostringstream text;
  text << in.rdbuf();
  if (in.bad()) return Fail(ErrorKind::kIo, fmt::format("{} cannot be read", file.string()));
  return std::move(text).str();
}

// The file to read, empty for none; what was asked for must be there.
Result<fs::path> ChooseFile(const ConfigSources& sources) {
  fs::path asked = sources.file;
  if (asked.empty()) {
    auto variable = sources.environment.find("VITALAKE_CONFIG");
    if (variable != sources.environment.end()) asked = variable->second;
  }
  std::error_code error;
  if (!asked.empty()) {
    if (!fs::exists(sources.working_folder / asked, error)) {
      return Fail(ErrorKind::kNotFound,
                  fmt::format("config file {} does not exist", asked.string()));
    }
    return asked;
  }
  bool there = fs::exists(sources.working_folder / kDefaultFile, error);
  return there ? fs::path(kDefaultFile) : fs::path();
}

std::string_view TrimEnd(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

Result<std::string> ReadReference(std::string_view reference, const fs::path& folder) {
  size_t colon = reference.find(':');
  std::string_view kind = reference.substr(0, colon);
  std::string name(colon == std::string_view::npos ? "" : reference.substr(colon + 1));
  if (kind == "env" && !name.empty()) {
    const char* value = std::getenv(name.c_str());
    if (value) return std::string(value);
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("environment variable {} is not set", name));
  }
  if (kind == "file" && !name.empty()) {
    VL_TRY(std::string text, ReadText(folder / name));
    return std::string(TrimEnd(text));
  }
  return Fail(ErrorKind::kInvalidArgument,
              fmt::format("${{{}}} is neither ${{env:NAME}} nor ${{file:PATH}}", reference));
}

Result<std::string> ReplaceReferences(std::string_view text, const fs::path& folder) {
  std::string out;
  while (true) {
    size_t begin = text.find("${");
    size_t end = begin == std::string_view::npos ? begin : text.find('}', begin);
    if (end == std::string_view::npos) return out.append(text);
    VL_TRY(std::string value, ReadReference(text.substr(begin + 2, end - begin - 2), folder));
    out.append(text.substr(0, begin)).append(value);
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::map<std::string, std::string> ReadEnvironment() {
  std::map<std::string, std::string> found;
  for (char** at = environ; at && *at; ++at) {
    std::string_view entry(*at);
    size_t equals = entry.find('=');
    if (entry.starts_with("VITALAKE_") && equals != std::string_view::npos) {
      found.emplace(entry.substr(0, equals), entry.substr(equals + 1));
    }
  }
  return found;
}

std::string EnvironmentName(std::string_view path) {
  std::string name = "VITALAKE_";
  for (char c : path) {
    name += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return name;
}

Result<Config> Config::Load(const ConfigSources& sources) {
  VL_TRY(fs::path file, ChooseFile(sources));
  if (file.empty()) return Parse("", "", sources);
  VL_TRY(std::string text, ReadText(sources.working_folder / file));
  return Parse(text, file.string(), sources);
}

Result<Config> Config::Parse(std::string_view yaml, std::string name,
                             const ConfigSources& sources) {
  YAML::Node root;
  try {
    std::vector<YAML::Node> documents = YAML::LoadAll(std::string(yaml));
    if (documents.size() > 1) {
      return Fail(ErrorKind::kInvalidArgument,
                  fmt::format("{}: more than one document (---)", name));
    }
    if (!documents.empty()) root = documents[0];
  } catch (const YAML::Exception& fault) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("{}:{}: {}", name, fault.mark.line + 1, fault.msg));
  }
  auto config = [&]() -> Result<Config> {
    try {
      return ConfigBuilder(sources, name).Build(root);
    } catch (const YAML::Exception& fault) {
      return Fail(ErrorKind::kInvalidArgument,
                  fmt::format("{}:{}: {}", name, fault.mark.line + 1, fault.msg));
    }
  }();
  if (!config) return config;
  config->working_folder_ = fs::absolute(sources.working_folder);
  config->file_folder_ = config->working_folder_;
  if (!name.empty()) {
    config->file_ = name;
    config->file_folder_ = fs::absolute(config->working_folder_ / name).parent_path();
  }
  return config;
}

const Setting* Config::Find(std::string_view path) const {
  auto found = std::ranges::find(settings_, path, &Setting::path);
  return found == settings_.end() ? nullptr : &*found;
}

Result<std::string> Config::Text(std::string_view path) const {
  const Setting* setting = Find(path);
  if (!setting) return std::string();
  if (setting->text.find("${") == std::string::npos) return setting->text;
  auto text = ReplaceReferences(setting->text, file_folder_);
  if (!text)
    return Because(std::move(text).error(), fmt::format("{} at {}", path, setting->origin));
  if (auto good = CheckValue(*setting->key, *text); !good) {
    std::string what = setting->key->secret ? "its value is not valid" : good.error().message;
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("{}: `{}`: {}", setting->origin, path, what));
  }
  return text;
}

Result<std::string> Config::Path(std::string_view path) const {
  VL_TRY(std::string text, Text(path));
  if (text.empty() || text.find("://") != std::string::npos) return text;
  const Setting* setting = Find(path);
  if (setting->key->auto_allowed && text == "auto") return "";
  bool from_file = setting->source == SettingSource::kFile;
  fs::path folder = from_file ? file_folder_ : working_folder_;
  return (folder / text).lexically_normal().string();
}

Result<int64_t> Config::Size(std::string_view path) const {
  VL_TRY(std::string text, Text(path));
  return ParseSize(text);
}

Result<std::chrono::nanoseconds> Config::Duration(std::string_view path) const {
  VL_TRY(std::string text, Text(path));
  return ParseDuration(text);
}

Result<bool> Config::Flag(std::string_view path) const {
  auto text = Text(path);
  if (!text) return std::unexpected(std::move(text).error());
  return *text == "true";
}

Result<int64_t> Config::Count(std::string_view path) const {
  VL_TRY(std::string text, Text(path));
  int64_t value = 0;
  if (text != "auto") std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Result<double> Config::Share(std::string_view path) const {
  VL_TRY(std::string text, Text(path));
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Status Config::ResolveAll() const {
  for (const Setting& setting : settings_) {
    if (auto text = Text(setting.path); !text) return std::unexpected(std::move(text).error());
  }
  return {};
}

std::string Config::Shown(const Setting& setting) {
  if (setting.text.empty()) return "";
  if (setting.key->secret && !setting.text.starts_with("${")) return "********";
  return setting.text;
}

}  // namespace vitalake::cli
