#include "clinical/codes.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <span>

#include "base/check.h"
#include "base/embedded.h"
#include "clinical/yaml_reader.h"

namespace vitalake::embedded {
std::span<const EmbeddedFile> rules();
}

namespace vitalake::clinical {
namespace {

constexpr struct {
  std::string_view name;
  Role role;
} kRoles[] = {{"systolic", Role::kSystolic},
              {"diastolic", Role::kDiastolic},
              {"mean", Role::kMean},
              {"pressure-panel", Role::kPressurePanel},
              {"panel", Role::kPanel}};

uint32_t HashCode(std::string_view code) {
  uint32_t hash = 2166136261u;
  for (const char c : code) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash ^ (hash >> 15);
}

// {below: 70, above: 180}: what is critical; returns what is not.
Result<Bounds> ReadCritical(const YamlReader& yaml) {
  VL_RETURN_IF_ERROR(yaml.AllowKeys({"below", "at_most", "above", "at_least"}));
  Bounds bounds;
  for (const bool open : {false, true}) {
    if (const std::string_view key = open ? "at_most" : "below"; yaml.Has(key)) {
      VL_TRY(const YamlReader at, yaml.At(key));
      VL_TRY(bounds.low, at.Number());
      bounds.low_open = open;
    }
    if (const std::string_view key = open ? "at_least" : "above"; yaml.Has(key)) {
      VL_TRY(const YamlReader at, yaml.At(key));
      VL_TRY(bounds.high, at.Number());
      bounds.high_open = open;
    }
  }
  return bounds;
}

Result<VitalCode::Measure> ReadMeasure(const YamlReader& yaml) {
  VL_RETURN_IF_ERROR(yaml.AllowKeys({"unit", "possible", "plausible", "usual", "critical"}));
  VitalCode::Measure measure;
  VL_TRY(const YamlReader unit, yaml.At("unit"));
  VL_TRY(const std::string text, unit.Text());
  measure.unit = ParseUnit(text);
  if (ToString(measure.unit) != text) return unit.Wrong("not a UCUM code that is known here");
  const auto read = [&](std::string_view key, Bounds& bounds) -> Status {
    if (!yaml.Has(key)) return {};
    VL_TRY(const YamlReader at, yaml.At(key));
    VL_TRY(bounds, key == "critical" ? ReadCritical(at) : ReadBounds(at));
    return {};
  };
  VL_RETURN_IF_ERROR(read("possible", measure.possible));
  VL_RETURN_IF_ERROR(read("plausible", measure.plausible));
  VL_RETURN_IF_ERROR(read("usual", measure.usual));
  VL_RETURN_IF_ERROR(read("critical", measure.uncritical));
  return measure;
}

Result<Role> ReadRole(const YamlReader& yaml) {
  VL_TRY(const std::string text, yaml.Text());
  for (const auto& role : kRoles) {
    if (role.name == text) return role.role;
  }
  return yaml.Wrong("must be systolic, diastolic, mean, pressure-panel or panel");
}

}  // namespace

const VitalCode::Measure* VitalCode::MeasureFor(Unit unit) const {
  for (const Measure& measure : measures) {
    if (measure.unit == unit) return &measure;
  }
  for (const Measure& measure : measures) {
    if (Convert(0, unit, measure.unit)) return &measure;
  }
  return nullptr;
}

CodeTable::CodeTable() = default;
CodeTable::~CodeTable() = default;

Result<std::shared_ptr<const CodeTable>> CodeTable::Make(std::string_view file,
                                                         std::string_view text) {
  VL_TRY(const YamlReader yaml, YamlReader::Parse(file, text));
  std::shared_ptr<CodeTable> table(new CodeTable);
  VL_RETURN_IF_ERROR(table->Read(yaml));
  table->BuildSlots();
  return table;
}

const std::shared_ptr<const CodeTable>& CodeTable::Builtin() {
  static const auto& table = *new std::shared_ptr<const CodeTable>([] {
    for (const EmbeddedFile& file : embedded::rules()) {
      if (file.name != "codes.yaml") continue;
      auto made = Make(file.name, file.text);
      VL_CHECK(made.has_value());
      return *made;
    }
    VL_CHECK(false);
    return std::shared_ptr<const CodeTable>();
  }());
  return table;
}

Status CodeTable::Read(const YamlReader& yaml) {
  VL_RETURN_IF_ERROR(yaml.AllowKeys({"version", "systems", "codes"}));
  VL_TRY(const YamlReader version, yaml.At("version"));
  VL_TRY(version_, version.Text());
  VL_TRY(const YamlReader systems, yaml.At("systems"));
  VL_RETURN_IF_ERROR(ReadSystems(systems));
  VL_TRY(const YamlReader codes, yaml.At("codes"));
  VL_TRY(const auto items, codes.Items());
  for (const YamlReader& item : items) VL_RETURN_IF_ERROR(ReadCode(item));
  return {};
}

Status CodeTable::ReadSystems(const YamlReader& yaml) {
  VL_TRY(const auto members, yaml.Members());
  for (const YamlReader& member : members) {
    VL_TRY(auto uris, member.Texts());
    for (std::string& uri : uris) systems_.push_back({std::move(uri), member.name()});
  }
  return {};
}

Status CodeTable::ReadCode(const YamlReader& yaml) {
  VL_RETURN_IF_ERROR(
      yaml.AllowKeys({"code", "display", "role", "also", "absent_unit", "only_cgm", "measures"}));
  VitalCode vital;
  VL_TRY(const YamlReader code, yaml.At("code"));
  VL_TRY(vital.code, code.Text());
  VL_TRY(const YamlReader display, yaml.At("display"));
  VL_TRY(vital.display, display.Text());
  if (yaml.Has("role")) {
    VL_TRY(const YamlReader role, yaml.At("role"));
    VL_TRY(vital.role, ReadRole(role));
  }
  if (yaml.Has("only_cgm")) {
    VL_TRY(const YamlReader only, yaml.At("only_cgm"));
    VL_TRY(vital.only_cgm, only.Bool());
  }
  if (yaml.Has("absent_unit")) {
    VL_TRY(const YamlReader absent, yaml.At("absent_unit"));
    VL_TRY(vital.absent_unit, ReadBounds(absent));
  }
  if (yaml.Has("measures")) {
    VL_TRY(const YamlReader measures, yaml.At("measures"));
    VL_TRY(const auto items, measures.Items());
    for (const YamlReader& item : items) {
      VL_TRY(vital.measures.emplace_back(), ReadMeasure(item));
    }
  }
  if (vital.absent_unit && vital.measures.empty()) {
    return yaml.Wrong("'absent_unit' needs 'measures'");
  }
  codes_.push_back(std::move(vital));
  VL_RETURN_IF_ERROR(AddKey(code, "loinc", codes_.back().code));
  if (!yaml.Has("also")) return {};
  VL_TRY(const YamlReader also, yaml.At("also"));
  VL_TRY(const auto members, also.Members());
  for (const YamlReader& member : members) {
    VL_TRY(const auto codes, member.Texts());
    for (const std::string& other : codes) {
      VL_RETURN_IF_ERROR(AddKey(member, member.name(), other));
    }
  }
  return {};
}

Status CodeTable::AddKey(const YamlReader& at, std::string_view system, std::string_view code) {
  bool known = false;
  for (size_t i = 0; i < systems_.size(); ++i) {
    if (systems_[i].name != system) continue;
    known = true;
    for (const Key& key : keys_) {
      if (key.system == i && key.code == code) {
        return at.Wrong(fmt::format("the code {} is listed twice", code));
      }
    }
    keys_.push_back(
        {std::string(code), static_cast<uint16_t>(i), static_cast<uint16_t>(codes_.size() - 1)});
  }
  if (!known) return at.Wrong(fmt::format("'{}' is not among the systems", system));
  return {};
}

void CodeTable::BuildSlots() {
  slots_.assign(std::bit_ceil(keys_.size() * 4 + 1), 0);
  const size_t mask = slots_.size() - 1;
  for (size_t i = 0; i < keys_.size(); ++i) {
    size_t at = HashCode(keys_[i].code) & mask;
    while (slots_[at] != 0) at = (at + 1) & mask;
    slots_[at] = static_cast<uint16_t>(i + 1);
  }
}

const VitalCode* CodeTable::Find(std::string_view system, std::string_view code) const {
  if (code.empty() || code.size() > 32) return nullptr;
  if (system.empty()) system = kLoinc;
  const size_t mask = slots_.size() - 1;
  for (size_t at = HashCode(code) & mask; slots_[at] != 0; at = (at + 1) & mask) {
    const Key& key = keys_[slots_[at] - 1u];
    if (key.code == code && systems_[key.system].uri == system) return &codes_[key.vital];
  }
  return nullptr;
}

const VitalCode* CodeTable::Canonical(std::string_view code) const {
  const VitalCode* vital = Find(kLoinc, code);
  return vital && vital->code == code ? vital : nullptr;
}

std::vector<std::string_view> CodeTable::CodesOf(const VitalCode& vital) const {
  std::vector<std::string_view> codes;
  for (const Key& key : keys_) {
    // Once, whatever many names its system has.
    const bool known = std::ranges::find(codes, key.code) != codes.end();
    if (&codes_[key.vital] == &vital && !known) codes.emplace_back(key.code);
  }
  return codes;
}

}  // namespace vitalake::clinical
