#include "ingest/monitoring/patient_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/json_writer.h"
#include "clinical/codes.h"
#include "fhir/datetime.h"

namespace vitalake::ingest {
namespace {

using clinical::Device;
using monitor::PersonalLimits;
using monitor::Vital;

constexpr std::string_view kMembers[] = {"from",        "until",        "pregnant",
                                         "device_type", "oxygen_scale", "limits"};
constexpr std::pair<std::string_view, Device> kDeviceNames[] = {
    {"cuff", Device::kCuff}, {"cuffless", Device::kCuffless}, {"unknown", Device::kUnknownType}};
constexpr std::pair<std::string_view, std::optional<double> PersonalLimits::*> kLimitNames[] = {
    {"high", &PersonalLimits::high},
    {"low", &PersonalLimits::low},
    {"diastolic_high", &PersonalLimits::diastolic_high},
    {"diastolic_low", &PersonalLimits::diastolic_low}};

std::unexpected<Error> SettingFault(std::string_view member, std::string_view wanted) {
  return Fail(ErrorKind::kInvalidArgument, fmt::format("`{}` must be {}", member, wanted));
}

Result<std::optional<Micros>> TimeMember(JsonValue json, std::string_view name) {
  const JsonValue value = json.Find(name);
  if (!value || value.is_null()) return std::nullopt;
  const auto time = value.is_string() ? fhir::ParseDateTime(value.text()) : std::nullopt;
  const auto utc = time ? time->Utc() : std::nullopt;
  if (!utc) return SettingFault(name, "a time with an offset, like 2026-11-22T17:00:00Z");
  return utc;
}

std::optional<Vital> VitalOfAlertCode(std::string_view code) {
  for (int v = 0; v < monitor::kVitalCount; ++v) {
    if (CodeOf(static_cast<Vital>(v)) == code) return static_cast<Vital>(v);
  }
  return std::nullopt;
}

Result<PersonalLimits> LimitsOf(JsonValue json, std::string_view code) {
  PersonalLimits limits;
  if (!json.is_object()) return SettingFault("limits", "an object per vital sign");
  for (const JsonValue member : json.children()) {
    const auto known =
        std::ranges::find(kLimitNames, member.key(), [](const auto& entry) { return entry.first; });
    if (known == std::end(kLimitNames)) {
      return SettingFault("limits", fmt::format("made of high, low, diastolic_high and "
                                                "diastolic_low, not \"{}\"",
                                                member.key()));
    }
    if (member.is_null()) continue;
    const auto number = member.is_number() ? member.AsDouble() : std::nullopt;
    if (!number) return SettingFault(member.key(), "a number");
    limits.*known->second = number;
  }
  const bool pressure = code == CodeOf(Vital::kBloodPressure);
  if (!pressure && (limits.diastolic_high || limits.diastolic_low)) {
    return SettingFault("limits", "without diastolic ones where it is no blood pressure");
  }
  const auto crossed = [](const auto& low, const auto& high) {
    return low && high && *low >= *high;
  };
  if (crossed(limits.low, limits.high) || crossed(limits.diastolic_low, limits.diastolic_high)) {
    return SettingFault("limits", "low ones below high ones");
  }
  return limits;
}

// What plausible readings of a limit's value lie within; null: nothing is measured.
const clinical::VitalCode::Measure* MeasureOf(Vital vital, bool diastolic) {
  std::string_view code = CodeOf(vital);
  if (vital == Vital::kBloodPressure) code = diastolic ? "8462-4" : "8480-6";
  const clinical::VitalCode* const known = clinical::CodeTable::Builtin()->Canonical(code);
  if (known == nullptr) return nullptr;
  const auto measure = std::ranges::find_if(
      known->measures, [&](const auto& one) { return monitor::VitalOf(code, one.unit) == vital; });
  return measure == known->measures.end() ? nullptr : &*measure;
}

Status CheckLimit(Vital vital, std::string_view name, double limit) {
  const auto* const measure = MeasureOf(vital, name.starts_with("diastolic"));
  const std::string member = fmt::format("limits.{}.{}", CodeOf(vital), name);
  if (measure == nullptr) return SettingFault(member, "absent: nothing is measured");
  const clinical::Bounds& plausible = measure->plausible;
  if (plausible.Contains(limit)) return {};
  return SettingFault(member, fmt::format("from {} to {} {}", plausible.low, plausible.high,
                                          ToString(measure->unit)));
}

}  // namespace

std::span<const std::string_view> SettingsMembers() { return kMembers; }

Status CheckLimits(const monitor::PatientSettings& settings) {
  for (const auto& [vital, limits] : settings.limits) {
    for (const auto& [name, member] : kLimitNames) {
      if (limits.*member) VL_RETURN_IF_ERROR(CheckLimit(vital, name, *(limits.*member)));
    }
  }
  return {};
}

std::string SettingsScope(std::string_view id_space) { return fmt::format("*/{}", id_space); }

Result<monitor::PatientSettings> SettingsFromJson(JsonValue json, Micros now) {
  monitor::PatientSettings settings;
  VL_TRY(const auto from, TimeMember(json, "from"));
  settings.from = from.value_or(now);
  VL_TRY(settings.until, TimeMember(json, "until"));
  if (settings.until && *settings.until <= settings.from) {
    return SettingFault("until", "later than `from`");
  }
  if (const JsonValue pregnant = json.Find("pregnant"); pregnant && !pregnant.is_null()) {
    if (!pregnant.is_bool()) return SettingFault("pregnant", "true or false");
    settings.pregnant = pregnant.text() == "true";
  }
  if (const JsonValue scale = json.Find("oxygen_scale"); scale && !scale.is_null()) {
    const auto number = scale.is_number() ? scale.AsInt() : std::nullopt;
    if (number != 1 && number != 2) return SettingFault("oxygen_scale", "1 or 2");
    settings.oxygen_scale_two = number == 2;
  }
  if (const JsonValue device = json.Find("device_type"); device && !device.is_null()) {
    const auto known = std::ranges::find(kDeviceNames, device.text(),
                                         [](const auto& entry) { return entry.first; });
    if (!device.is_string() || known == std::end(kDeviceNames)) {
      return SettingFault("device_type", "cuff, cuffless or unknown");
    }
    settings.device_type = known->second;
  }
  const JsonValue limits = json.Find("limits");
  if (!limits || limits.is_null()) return settings;
  if (!limits.is_object()) return SettingFault("limits", "an object by vital sign");
  for (const JsonValue one : limits.children()) {
    const auto vital = VitalOfAlertCode(one.key());
    if (!vital) {
      return SettingFault("limits", fmt::format("by the code of a vital sign as in alerts, which "
                                                "\"{}\" is not",
                                                one.key()));
    }
    VL_TRY(PersonalLimits own, LimitsOf(one, one.key()));
    settings.limits.emplace_back(*vital, own);
  }
  return settings;
}

std::string SettingsJson(const monitor::PatientSettings& settings) {
  JsonWriter json;
  json.BeginObject().Key("from").String(FormatUtc(settings.from)).Key("until");
  settings.until ? json.String(FormatUtc(*settings.until)) : json.Null();
  json.Key("pregnant").Bool(settings.pregnant).Key("device_type");
  const auto device = std::ranges::find(kDeviceNames, settings.device_type, [](const auto& entry) {
    return std::optional(entry.second);
  });
  device == std::end(kDeviceNames) ? json.Null() : json.String(device->first);
  json.Key("oxygen_scale").Int(settings.oxygen_scale_two ? 2 : 1).Key("limits").BeginObject();
  for (const auto& [vital, limits] : settings.limits) {
    json.Key(CodeOf(vital)).BeginObject();
    for (const auto& [name, member] : kLimitNames) {
      if (limits.*member) json.Key(name).Double(*(limits.*member));
    }
    json.EndObject();
  }
  json.EndObject().EndObject();
  return json.Take();
}

Result<monitor::PatientSettings> SettingsFromPayload(std::string_view payload) {
  JsonParser parser;
  const auto json = parser.Parse(payload);
  if (!json || !json->is_object()) {
    return Fail(ErrorKind::kCorrupt, "a patient's settings cannot be read");
  }
  auto settings = SettingsFromJson(*json, 0);
  if (!settings) settings.error().kind = ErrorKind::kCorrupt;
  return settings;
}

}  // namespace vitalake::ingest
