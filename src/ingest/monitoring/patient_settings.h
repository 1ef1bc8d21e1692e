// What people set for one patient, as JSON: over HTTP, and in ops.action.
//
//   {"from": "2026-11-26T00:00:00Z", "until": null, "pregnant": true, "device_type": "cuff",
//    "oxygen_scale": 2, "limits": {"85354-9": {"high": 150, "diastolic_high": 95}}}
//
// Absent members are as for anybody. A request is for all partitions of an id space, as it is not
// known which has the patient: its source_partition is SettingsScope's.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/json_tree.h"
#include "base/result.h"
#include "monitor/action.h"

namespace vitalake::ingest {

inline constexpr std::string_view kSettingsAction = "settings";

// "*/<id space>".
std::string SettingsScope(std::string_view id_space);

// The members that settings have.
std::span<const std::string_view> SettingsMembers();

// `from` is `now` where it is absent. kInvalidArgument names the member that is wrong; members of
// other names are the caller's.
Result<monitor::PatientSettings> SettingsFromJson(JsonValue json, Micros now);
// What is asked of new settings besides (recorded ones hold as they are): each limit is a value
// that a plausible reading of the vital sign may have (rules/codes.yaml). kInvalidArgument.
Status CheckLimits(const monitor::PatientSettings& settings);
// All members; times in UTC.
std::string SettingsJson(const monitor::PatientSettings& settings);

// Settings of ops.action: SettingsJson. kCorrupt.
Result<monitor::PatientSettings> SettingsFromPayload(std::string_view payload);

}  // namespace vitalake::ingest
