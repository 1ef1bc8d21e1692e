// The keys of vitalake.yaml: names, types, defaults.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vitalake::cli {

enum class KeyType {
  kText,
  kPath,      // relative to the file's folder (flags and environment: to the working directory)
  kSize,      // ParseSize
  kDuration,  // ParseDuration
  kFlag,      // true or false
  kCount,     // a whole number, 0 or more
  kShare,     // a number from 0 to 1
  kChoice,    // one of `choices`
  kAddress,   // host:port
  kSection,   // more keys
  kList,      // a list of sections with these keys
};

struct KeySpec {
  std::string name;
  KeyType type = KeyType::kText;
  std::string default_text;          // empty: none
  std::vector<KeySpec> children;     // kSection, kList
  std::vector<std::string> choices;  // kChoice
  bool auto_allowed = false;         // the word "auto" besides what `type` takes
  bool off_allowed = false;          // the word "off", likewise
  bool off_when_absent = false;      // kSection: without it, its defaults do not hold
  bool secret = false;               // never shown
  bool required = false;             // of its section, when that is there
};

// The whole file as one section. Built once.
const KeySpec& ConfigSchema();

// kInvalidArgument says what a value of this key looks like. Values with ${...} left in them are
// for the caller to resolve first. Not for sections and lists.
Status CheckValue(const KeySpec& key, std::string_view text);

}  // namespace vitalake::cli
