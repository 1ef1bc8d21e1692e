// MonitorRules: what readings are judged by, as texts: the rule files and the settings beside them.
//
// That is what ops.action keeps of an activation, so that a replay judges by the same rules
// whatever the binary and the folder hold by then.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "monitor/monitor.h"

namespace vitalake::ingest {

struct MonitorRules {
  struct File {
    std::string name, text;
    bool operator==(const File&) const = default;
  };
  std::vector<File> files;  // by name
  // The rule set that judges blood pressures.
  std::string guideline = std::string(clinical::RuleBook::kDefault);
  Micros late_after = monitor::MonitorOptions().late_after;
  Micros late_critical_within = monitor::MonitorOptions().late_critical_within;
  // Of a stream whose senders' times cannot be used: each reading is judged as of its receipt.
  bool by_arrival = false;
  bool operator==(const MonitorRules&) const = default;

  // The rule files compiled in, those of `folder` (empty: none) before them or beside them, and
  // checked (clinical/rule_check.h; what was recorded is not). kInvalidArgument with file, line and
  // key, or where the guideline has no alerts; kIo; kNotFound: none of them has the guideline's
  // name.
  static Result<MonitorRules> Load(const std::filesystem::path& folder,
                                   std::string_view guideline = clinical::RuleBook::kDefault);

  std::string ToJson() const;
  // kCorrupt when it is none.
  static Result<MonitorRules> FromJson(std::string_view json);

  // kInvalidArgument as Load.
  Result<monitor::MonitorOptions> Options() const;
  // "aha-acc-2025 2025.1, vital-limits 2017.1": the newest version of each rule set, the guideline
  // first where it is another than usual.
  Result<std::string> Versions() const;
};

}  // namespace vitalake::ingest
