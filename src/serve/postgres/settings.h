// The settings of a session, as SET, SHOW and the messages ParameterStatus know them.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vitalake::serve {

// Values are kept and shown; only statement_timeout changes what the session does. Names are in any
// case.
class PostgresSettings {
 public:
  PostgresSettings();

  // A value as text; kNotFound: no such setting.
  Result<std::string> Get(std::string_view name) const;
  // The name as PostgreSQL spells it; the same where it is not known.
  std::string Spelling(std::string_view name) const;
  // kNotFound: no such setting (names with a dot are taken); kPermission: it cannot be changed;
  // kInvalidArgument: not such a value; kUnsupported: a value that is not supported here.
  Status Set(std::string_view name, std::string_view value);
  // "all": every setting.
  Status Reset(std::string_view name);
  // What Reset goes back to.
  void KeepAsDefaults() { defaults_ = values_; }

  // The settings that a client is told of, now and when they change; as PostgreSQL spells them.
  static const std::vector<std::string_view>& Reported();
  std::vector<std::pair<std::string, std::string>> All() const;

  std::chrono::milliseconds statement_timeout() const { return statement_timeout_; }  // 0: none

 private:
  struct Less {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const;
  };
  using Values = std::map<std::string, std::string, Less>;
  Values values_;
  Values defaults_;
  std::chrono::milliseconds statement_timeout_{0};
};

// The settings in the startup option `options`: "-c name=value --name=value", spaces after \.
std::vector<std::pair<std::string, std::string>> StartupOptions(std::string_view text);

}  // namespace vitalake::serve
