#include "serve/fhir/stats.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/json_writer.h"
#include "fhir/references.h"
#include "serve/fhir/exchange.h"
#include "serve/fhir/rows.h"
#include "serve/fhir/search_sql.h"
#include "serve/fhir/search_value.h"

namespace vitalake::serve {
namespace {

constexpr std::string_view kStatisticSystem =
    "http://terminology.hl7.org/CodeSystem/observation-statistics";
constexpr Micros kHour = 3'600'000'000;
constexpr Micros kAlways = 253'402'300'800'000'000;  // the end of the year 9999

struct Statistic {
  std::string_view code, sql;
};
constexpr std::array kStatistics = {
    Statistic{"average", "avg(v)"}, Statistic{"count", "CAST(count(v) AS DOUBLE)"},
    Statistic{"maximum", "max(v)"}, Statistic{"median", "median(v)"},
    Statistic{"minimum", "min(v)"}, Statistic{"std-dev", "stddev_samp(v)"},
    Statistic{"sum", "sum(v)"},     Statistic{"variance", "var_samp(v)"},
};

struct StatsAsked {
  std::string patient;
  bool of_patient = true;  // not of another subject: of these nothing is measured
  std::string system;
  std::vector<std::string> codes;
  std::vector<const Statistic*> statistics;
  Micros begin = -kAlways, end = kAlways;
};

std::unexpected<Error> WrongStats(std::string message) {
  return Fail(ErrorKind::kInvalidArgument, std::move(message));
}

// All values of a parameter, given again or by comma.
std::vector<std::string> ValuesOf(const Request& request, std::string_view name) {
  std::vector<std::string> values;
  for (const auto& [one, value] : request.query) {
    if (one != name) continue;
    for (const std::string_view part : SplitEscaped(value, ',')) {
      if (!part.empty()) values.emplace_back(part);
    }
  }
  return values;
}

Status ReadPeriod(const Request& request, Micros now, StatsAsked& asked) {
  if (const std::string* const duration = request.Query("duration")) {
    VL_TRY(const NumberRange hours, ParseSearchNumber(*duration));
    asked.begin = now - static_cast<Micros>(std::min(hours.value, 1e9) * kHour);
    asked.end = now;
  }
  if (const std::string* const start = request.Query("start")) {
    VL_TRY(const TimeRange range, ParseSearchDate(*start));
    asked.begin = range.begin;
  }
  if (const std::string* const end = request.Query("end")) {
    VL_TRY(const TimeRange range, ParseSearchDate(*end));
    asked.end = range.end;
  }
  return {};
}

constexpr std::array<std::string_view, 8> kParameters = {"subject",  "code",  "system", "statistic",
                                                         "duration", "start", "end",    "_format"};

Status RefuseUnknown(const Request& request) {
  for (const auto& [name, _] : request.query) {
    if (std::ranges::find(kParameters, name) == kParameters.end()) {
      return WrongStats(fmt::format("$stats takes no {}", name.substr(0, 100)));
    }
  }
  return {};
}

Result<StatsAsked> ReadStats(const Request& request, Micros now) {
  StatsAsked asked;
  if (IsStrict(request)) VL_RETURN_IF_ERROR(RefuseUnknown(request));
  const std::string* const subject = request.Query("subject");
  const fhir::ReferenceTarget target =
      fhir::ParseReference(subject != nullptr ? std::string_view(*subject) : std::string_view());
  if (subject != nullptr) asked.patient = target.id.empty() ? *subject : std::string(target.id);
  asked.of_patient = target.type.empty() || target.type == "Patient";
  const std::string* const system = request.Query("system");
  if (system != nullptr) asked.system = *system;
  asked.codes = ValuesOf(request, "code");
  for (const std::string& name : ValuesOf(request, "statistic")) {
    const auto found = std::ranges::find(kStatistics, name, &Statistic::code);
    if (found == kStatistics.end()) {
      return WrongStats(fmt::format("the statistic {} is not served", name.substr(0, 50)));
    }
    asked.statistics.push_back(&*found);
  }
  if (asked.patient.empty() || asked.codes.empty() || asked.statistics.empty()) {
    return WrongStats("$stats needs subject, code and statistic");
  }
  VL_RETURN_IF_ERROR(ReadPeriod(request, now, asked));
  return asked;
}

void AddUnit(JsonWriter& json, std::string_view unit) {
  json.Key("unit").String(unit).Key("system").String("http://unitsofmeasure.org");
  json.Key("code").String(unit);
}

// One Observation: the statistics of one code in one unit.
std::string StatsObservation(const StatsAsked& asked, const std::string& code,
                             const engine::QueryResult& row) {
  JsonWriter json;
  json.BeginObject().Key("resourceType").String("Observation").Key("status").String("final");
  json.Key("code").BeginObject().Key("coding").BeginArray().BeginObject();
  if (!asked.system.empty()) json.Key("system").String(asked.system);
  json.Key("code").String(code).EndObject().EndArray().EndObject();
  json.Key("subject").BeginObject().Key("reference");
  json.String("Patient/" + asked.patient).EndObject();
  json.Key("effectivePeriod").BeginObject().Key("start").String(FormatUtc(row.GetInt64(1)));
  json.Key("end").String(FormatUtc(row.GetInt64(2))).EndObject().Key("component").BeginArray();
  for (size_t i = 0; i < asked.statistics.size(); ++i) {
    const std::string_view statistic = asked.statistics[i]->code;
    json.BeginObject().Key("code").BeginObject().Key("coding").BeginArray().BeginObject();
    json.Key("system").String(kStatisticSystem).Key("code").String(statistic);
    json.EndObject().EndArray().EndObject();
    if (row.IsNull(i + 3)) {
      json.Key("dataAbsentReason").BeginObject().Key("text").String("too few values").EndObject();
    } else {
      json.Key("valueQuantity").BeginObject().Key("value").Double(row.GetDouble(i + 3));
      if (statistic == "count") {
        AddUnit(json, "1");
      } else if (statistic != "variance" && !row.IsNull(0)) {
        AddUnit(json, row.GetString(0));
      }
      json.EndObject();
    }
    json.EndObject();
  }
  return json.EndArray().EndObject().Take();
}

}  // namespace

Result<Response> FhirStats(const FhirPlace& place, const Request& request) {
  VL_TRY(const StatsAsked asked, ReadStats(request, place.lake.clock().NowMicros()));
  std::vector<std::string> aggregates;
  for (const Statistic* const one : asked.statistics) aggregates.emplace_back(one->sql);
  JsonWriter json;
  json.BeginObject().Key("resourceType").String("Parameters");
  bool any = false;
  for (const std::string& code : asked.codes) {
    if (!asked.of_patient) break;
    const std::string coding = asked.system.empty() ? code : asked.system + "|" + code;
    const StatsRequest wanted{asked.patient, coding, asked.begin, asked.end};
    const auto statement = [&](const FhirTables& tables) {
      return CompileFhirStats(wanted, aggregates, tables);
    };
    const FhirKeys keys{.of = FhirKeys::Of::kSubjects, .served_ids = {asked.patient}};
    VL_TRY(engine::QueryResult rows, RunFhirQuery(place, statement, keys));
    while (true) {
      VL_TRY(const bool more, rows.Next());
      if (!more) break;
      // An empty array is no FHIR.
      if (!any) json.Key("parameter").BeginArray();
      any = true;
      json.BeginObject().Key("name").String("statistics").Key("resource");
      json.Raw(StatsObservation(asked, Unescaped(code), rows)).EndObject();
    }
  }
  if (any) json.EndArray();
  return FhirAnswer(json.EndObject().Take());
}

}  // namespace vitalake::serve
