// Config: every setting with its value and where that came from.
//
// A flag wins over the environment, that over the file, that over the default. The file is checked
// strictly: an unknown key, a value of the wrong type or a key given twice is an error naming
// file:line. Secrets: `${env:NAME}` and `${file:PATH}` inside a value are replaced only when the
// value is used, and are never shown.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/config_schema.h"

namespace vitalake::cli {

enum class SettingSource { kDefault, kFile, kEnvironment, kFlag };

struct Setting {
  std::string path;  // "landing.path", "streams[0].kafka.topic"
  const KeySpec* key = nullptr;
  std::string text;  // as written, references not replaced
  SettingSource source = SettingSource::kDefault;
  std::string origin;  // "vitalake.yaml:3", "VITALAKE_LAKE", "--lake", "default"
};

// What Load reads. Flags and environment by name: {"lake": "./x"}, {"VITALAKE_LAKE": "./x"}.
struct ConfigSources {
  std::map<std::string, std::string> flags;
  std::map<std::string, std::string> environment;  // variables that begin with VITALAKE_
  std::filesystem::path file;  // empty: VITALAKE_CONFIG, else ./vitalake.yaml where there is one
  std::filesystem::path working_folder = ".";
};

// The process's VITALAKE_* variables.
std::map<std::string, std::string> ReadEnvironment();

class Config {
 public:
  // kInvalidArgument: any fault in file, environment or flags, its place named. kNotFound: the file
  // asked for is not there. kIo, kPermission.
  static Result<Config> Load(const ConfigSources& sources);
  // The same with the file's text given; `name` stands for it in messages.
  static Result<Config> Parse(std::string_view yaml, std::string name,
                              const ConfigSources& sources);

  // In the order of the schema; sections that are off are not there.
  const std::vector<Setting>& settings() const { return settings_; }
  // The file read; empty when there is none.
  const std::filesystem::path& file() const { return file_; }
  // Things that are odd but no errors: unknown VITALAKE_* variables, sections without effect so
  // far.
  const std::vector<std::string>& remarks() const { return remarks_; }

  // Whether that section is on: given in the file or environment, or always there.
  bool HasSection(std::string_view path) const { return sections_.contains(path); }
  // Null when the key is unknown or its section is off.
  const Setting* Find(std::string_view path) const;
  // The value with references replaced; "" when Find gives null.
  Result<std::string> Text(std::string_view path) const;
  // kPath keys: made absolute against the folder that the value's source implies; "" and
  // "auto" give "".
  Result<std::string> Path(std::string_view path) const;
  Result<int64_t> Size(std::string_view path) const;
  Result<std::chrono::nanoseconds> Duration(std::string_view path) const;
  Result<bool> Flag(std::string_view path) const;
  // 0 for "auto".
  Result<int64_t> Count(std::string_view path) const;
  Result<double> Share(std::string_view path) const;
  // Tries every reference; the first that cannot be replaced is the error, its key named.
  Status ResolveAll() const;
  // The value for people: secrets and references masked.
  static std::string Shown(const Setting& setting);

 private:
  friend class ConfigBuilder;
  std::vector<Setting> settings_;
  std::set<std::string, std::less<>> sections_;
  std::filesystem::path file_;
  std::filesystem::path file_folder_;
  std::filesystem::path working_folder_;
  std::vector<std::string> remarks_;
};

// "VITALAKE_LANDING_ID_SPACE" for "landing.id_space".
std::string EnvironmentName(std::string_view path);

}  // namespace vitalake::cli
