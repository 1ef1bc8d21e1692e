// The code table: which codes are vital signs, and what Vitalake knows about each.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "clinical/bounds.h"
#include "clinical/units.h"

namespace vitalake::clinical {

// What a code is to the blood-pressure rules.
enum class Role : uint8_t { kNone, kSystolic, kDiastolic, kMean, kPressurePanel, kPanel };

// One vital sign. Bounds are in the canonical unit of the same place in `measures`.
struct VitalCode {
  // One unit that values are stored in; glucose has two, mass and molar.
  struct Measure {
    Unit unit = Unit::kUnknown;
    Bounds possible;    // outside: quarantined
    Bounds plausible;   // outside: kept, out of averages
    Bounds usual;       // outside: used, flagged
    Bounds uncritical;  // outside: needs someone's eyes at once, whatever else is wrong
  };

  std::string code;     // LOINC
  std::string display;  // LOINC's or the profile's short name
  Role role = Role::kNone;
  std::vector<Measure> measures;  // empty for panels
  // A value without unit is in measures[0].unit when it lies in here.
  std::optional<Bounds> absent_unit;
  bool only_cgm = false;  // in scope only from a source declared a continuous glucose monitor

  // The measure whose unit `unit` can be converted to; null when there is none.
  const Measure* MeasureFor(Unit unit) const;
};

// Immutable; share it among threads.
class CodeTable {
 public:
  static constexpr std::string_view kLoinc = "http://loinc.org";

  // Reads codes.yaml. `file` is for messages. kInvalidArgument with file, line and key.
  static Result<std::shared_ptr<const CodeTable>> Make(std::string_view file,
                                                       std::string_view text);
  // The table compiled into the binary.
  static const std::shared_ptr<const CodeTable>& Builtin();
  ~CodeTable();

  // The vital sign that a coding names, or null. `system` must be one of the systems of the file;
  // an empty one counts as LOINC's.
  const VitalCode* Find(std::string_view system, std::string_view code) const;
  // By canonical LOINC code; null when it is not in the table.
  const VitalCode* Canonical(std::string_view code) const;
  // The codes that mean `vital`, one of codes(), in any of their systems.
  std::vector<std::string_view> CodesOf(const VitalCode& vital) const;

  const std::string& version() const { return version_; }
  const std::vector<VitalCode>& codes() const { return codes_; }

 private:
  struct Key {
    std::string code;
    uint16_t system;  // in systems_
    uint16_t vital;   // in codes_
  };
  struct System {
    std::string uri;
    std::string name;  // "loinc", "snomed", "mdc"
  };
  CodeTable();
  Status Read(const class YamlReader& yaml);
  Status ReadSystems(const class YamlReader& yaml);
  Status ReadCode(const class YamlReader& yaml);
  Status AddKey(const class YamlReader& at, std::string_view system, std::string_view code);
  void BuildSlots();

  std::string version_;
  std::vector<System> systems_;
  std::vector<VitalCode> codes_;
  std::vector<Key> keys_;
  std::vector<uint16_t> slots_;  // hash of the code -> place in keys_ + 1; 0 = empty
};

}  // namespace vitalake::clinical
