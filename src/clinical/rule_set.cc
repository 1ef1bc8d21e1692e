#include "clinical/rule_set.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "clinical/yaml_reader.h"

namespace vitalake::embedded {
std::span<const EmbeddedFile> rules();
}

namespace vitalake::clinical {
namespace {

constexpr std::string_view kSettings[kSettingCount] = {"office", "home", "day", "night", "24h"};
constexpr std::string_view kCodes[] = {"N", "L", "H", "LL", "HH", "A", "AA"};

Result<std::vector<RuleSet::CodeBand>> ReadCodeBands(const YamlReader& yaml) {
  VL_TRY(const auto items, yaml.Items());
  std::vector<RuleSet::CodeBand> bands;
  for (const YamlReader& item : items) {
    VL_RETURN_IF_ERROR(item.AllowKeys({"code", "above", "at_least", "below", "at_most"}));
    RuleSet::CodeBand& band = bands.emplace_back();
    VL_TRY(const YamlReader code, item.At("code"));
    VL_TRY(band.code, code.Text());
    if (std::find(std::begin(kCodes), std::end(kCodes), band.code) == std::end(kCodes)) {
      return code.Wrong("must be N, L, H, LL, HH, A or AA");
    }
    VL_TRY(band.bounds, ReadBounds(item));
  }
  if (bands.empty()) return yaml.Wrong("must not be empty");
  const Bounds& last = bands.back().bounds;
  if (last.low != Bounds().low || last.high != Bounds().high) {
    return yaml.Wrong("the last line must fit every value");
  }
  return bands;
}

Result<std::optional<Bounds>> ReadOptionalBounds(const YamlReader& yaml, std::string_view key) {
  if (!yaml.Has(key)) return std::nullopt;
  VL_TRY(const YamlReader at, yaml.At(key));
  VL_RETURN_IF_ERROR(at.AllowKeys({"above", "at_least", "below", "at_most"}));
  VL_TRY(Bounds bounds, ReadBounds(at));
  return bounds;
}

Result<std::vector<RuleSet::Category>> ReadCategories(const YamlReader& yaml) {
  VL_TRY(const auto items, yaml.Items());
  std::vector<RuleSet::Category> categories;
  for (const YamlReader& item : items) {
    VL_RETURN_IF_ERROR(item.AllowKeys({"name", "systolic", "diastolic"}));
    RuleSet::Category& category = categories.emplace_back();
    VL_TRY(const YamlReader name, item.At("name"));
    VL_TRY(category.name, name.Text());
    VL_TRY(category.systolic, ReadOptionalBounds(item, "systolic"));
    VL_TRY(category.diastolic, ReadOptionalBounds(item, "diastolic"));
  }
  if (categories.empty() || categories.back().systolic || categories.back().diastolic) {
    return yaml.Wrong("the last category must fit every value");
  }
  return categories;
}

Status ReadAge(const YamlReader& yaml, RuleSet& set) {
  VL_RETURN_IF_ERROR(yaml.AllowKeys({"from", "to"}));
  for (const auto& [key, target] :
       {std::pair{"from", &set.age_from}, std::pair{"to", &set.age_to}}) {
    if (!yaml.Has(key)) continue;
    VL_TRY(const YamlReader at, yaml.At(key));
    VL_TRY(*target, at.Number());
  }
  return {};
}

Status ReadWithoutAge(const YamlReader& yaml, RuleSet& set) {
  VL_RETURN_IF_ERROR(yaml.AllowKeys({"systolic_at_least", "diastolic_at_least", "systolic_below"}));
  RuleSet::WithoutAge without;
  for (const auto& [key, target] : {std::pair{"systolic_at_least", &without.systolic_at_least},
                                    std::pair{"diastolic_at_least", &without.diastolic_at_least},
                                    std::pair{"systolic_below", &without.systolic_below}}) {
    VL_TRY(const YamlReader at, yaml.At(key));
    VL_TRY(*target, at.Number());
  }
  set.without_age = without;
  return {};
}

Status ReadInterpretation(const YamlReader& yaml, RuleSet& set) {
  VL_RETURN_IF_ERROR(yaml.AllowKeys({"systolic", "diastolic"}));
  VL_TRY(const YamlReader systolic, yaml.At("systolic"));
  VL_TRY(set.systolic, ReadCodeBands(systolic));
  VL_TRY(const YamlReader diastolic, yaml.At("diastolic"));
  VL_TRY(set.diastolic, ReadCodeBands(diastolic));
  return {};
}

Status ReadSettings(const YamlReader& yaml, RuleSet& set) {
  VL_RETURN_IF_ERROR(yaml.AllowKeys({"office", "home", "day", "night", "24h"}));
  VL_TRY(const auto members, yaml.Members());
  for (const YamlReader& member : members) {
    const auto setting = ParseSetting(member.name());
    VL_TRY(set.categories[static_cast<size_t>(*setting)], ReadCategories(member));
  }
  return {};
}

Status ReadAlertsPart(const YamlReader& yaml, RuleSet& set) {
  VL_TRY(set.alerts, ReadPressureAlerts(yaml));
  return {};
}

Status ReadLimitsPart(const YamlReader& yaml, RuleSet& set) {
  VL_TRY(set.limits, ReadVitalLimits(yaml));
  return {};
}

Status ReadNames(const YamlReader& yaml, RuleSet& set) {
  for (const auto& [key, target] :
       {std::pair{"name", &set.name}, std::pair{"guideline", &set.guideline},
        std::pair{"version", &set.version}, std::pair{"population", &set.population}}) {
    VL_TRY(const YamlReader at, yaml.At(key));
    VL_TRY(*target, at.Text());
  }
  VL_TRY(const YamlReader effective, yaml.At("effective"));
  VL_TRY(set.effective_day, effective.Date());
  return {};
}

// Reads a part of the file where it is there.
Status ReadPart(const YamlReader& yaml, std::string_view key, RuleSet& set,
                Status (*read)(const YamlReader&, RuleSet&)) {
  if (!yaml.Has(key)) return {};
  VL_TRY(const YamlReader part, yaml.At(key));
  return read(part, set);
}

}  // namespace

std::string_view ToString(Setting setting) { return kSettings[static_cast<size_t>(setting)]; }

std::optional<Setting> ParseSetting(std::string_view text) {
  const auto at = std::find(std::begin(kSettings), std::end(kSettings), text);
  if (at == std::end(kSettings)) return std::nullopt;
  return static_cast<Setting>(at - std::begin(kSettings));
}

Result<RuleSet> ReadRuleSet(std::string_view file, std::string_view text) {
  VL_TRY(const YamlReader yaml, YamlReader::Parse(file, text));
  VL_RETURN_IF_ERROR(
      yaml.AllowKeys({"name", "guideline", "version", "effective", "population", "age",
                      "without_age", "interpretation", "categories", "pregnancy",
                      "not_in_pregnancy", "not_alert_at_once", "alerts", "limits"}));
  RuleSet set;
  VL_RETURN_IF_ERROR(ReadNames(yaml, set));
  VL_RETURN_IF_ERROR(ReadPart(yaml, "age", set, ReadAge));
  VL_RETURN_IF_ERROR(ReadPart(yaml, "without_age", set, ReadWithoutAge));
  VL_RETURN_IF_ERROR(ReadPart(yaml, "limits", set, ReadLimitsPart));
  if (set.limits.empty() || yaml.Has("interpretation")) {
    VL_TRY(const YamlReader interpretation, yaml.At("interpretation"));
    VL_RETURN_IF_ERROR(ReadInterpretation(interpretation, set));
  }
  VL_RETURN_IF_ERROR(ReadPart(yaml, "alerts", set, ReadAlertsPart));
  if (yaml.Has("not_in_pregnancy")) {
    VL_TRY(const YamlReader not_in, yaml.At("not_in_pregnancy"));
    VL_TRY(set.not_in_pregnancy, not_in.Bool());
  }
  if (yaml.Has("not_alert_at_once")) {
    VL_TRY(const YamlReader not_alert, yaml.At("not_alert_at_once"));
    VL_TRY(set.not_alert_at_once, not_alert.Bool());
  }
  VL_RETURN_IF_ERROR(ReadPart(yaml, "categories", set, ReadSettings));
  if (yaml.Has("pregnancy")) {
    VL_TRY(const YamlReader pregnancy, yaml.At("pregnancy"));
    VL_TRY(set.pregnancy, ReadCategories(pregnancy));
  }
  return set;
}

Result<std::shared_ptr<const RuleBook>> RuleBook::Make(std::span<const EmbeddedFile> files) {
  auto book = std::make_shared<RuleBook>();
  for (const EmbeddedFile& file : files) {
    if (file.name == "codes.yaml") continue;
    VL_TRY(RuleSet set, ReadRuleSet(file.name, file.text));
    auto& versions = book->sets_[set.name];
    for (const RuleSet& other : versions) {
      if (other.effective_day != set.effective_day) continue;
      return Fail(ErrorKind::kInvalidArgument,
                  fmt::format("{}: the rule set '{}' of this effective date is there already",
                              file.name, set.name));
    }
    versions.push_back(std::move(set));
    std::sort(versions.begin(), versions.end(),
              [](const RuleSet& a, const RuleSet& b) { return a.effective_day < b.effective_day; });
  }
  return book;
}

const std::shared_ptr<const RuleBook>& RuleBook::Builtin() {
  static const auto& book = *new std::shared_ptr<const RuleBook>([] {
    auto made = Make(embedded::rules());
    VL_CHECK(made.has_value());
    return *made;
  }());
  return book;
}

const RuleSet* RuleBook::Find(std::string_view name, std::optional<Micros> time) const {
  const auto at = sets_.find(name);
  if (at == sets_.end()) return nullptr;
  const std::vector<RuleSet>& versions = at->second;
  if (!time) return &versions.back();
  constexpr Micros kDay = Micros{24} * 3600 * 1'000'000;
  const RuleSet* found = &versions.front();
  for (const RuleSet& set : versions) {
    if (set.effective_day * kDay <= *time) found = &set;
  }
  return found;
}

std::span<const RuleSet> RuleBook::Versions(std::string_view name) const {
  const auto at = sets_.find(name);
  if (at == sets_.end()) return {};
  return at->second;
}

std::vector<std::string_view> RuleBook::names() const {
  std::vector<std::string_view> names;
  for (const auto& [name, versions] : sets_) names.push_back(name);
  return names;
}

}  // namespace vitalake::clinical
