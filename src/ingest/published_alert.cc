#include "ingest/published_alert.h"

#include <fmt/format.h>

#include "base/json_writer.h"

namespace vitalake::ingest {

std::string IsoDuration(int64_t seconds) {
  std::string text = "PT";
  if (const int64_t hours = seconds / 3600; hours != 0) text += fmt::format("{}H", hours);
  if (const int64_t minutes = seconds / 60 % 60; minutes != 0) text += fmt::format("{}M", minutes);
  if (seconds % 60 != 0 || seconds == 0) text += fmt::format("{}S", seconds % 60);
  return text;
}

const std::vector<view::ColumnSpec>& AlertColumns() {
  using enum view::ColumnType;
  static const std::vector<view::ColumnSpec> columns = [] {
    std::vector<view::ColumnSpec> list;
    const auto add = [&](view::ColumnType type, std::initializer_list<const char*> names) {
      for (const char* name : names) list.push_back({name, type, "", ""});
    };
    add(kVarchar, {"alert_id", "id_space", "patient_id", "vital", "rule", "rule_version",
                   "severity", "state", "change", "queue"});
    add(kBoolean, {"notify"});
    add(kTimestamp, {"opened_at", "updated_at", "closed_at"});
    add(kVarchar, {"acknowledged_by"});
    add(kTimestamp, {"acknowledged_at", "snoozed_until"});
    add(kVarchar, {"reading_ids"});
    add(kDouble, {"value", "diastolic", "baseline", "baseline_sigma"});
    add(kBigint, {"baseline_readings"});
    add(kVarchar, {"window", "late_by", "explanation", "source", "source_partition"});
    add(kBigint, {"source_offset", "sequence"});
    return list;
  }();
  return columns;
}

void AppendCells(const PublishedAlert& alert, lake::CellRow& row) {
  row.Text(alert.alert_id).Text(alert.id_space).TextOrNull(alert.patient_id).Text(alert.vital);
  row.Text(alert.rule).Text(alert.rule_version).Text(alert.severity).Text(alert.state);
  row.Text(alert.change).Text(alert.queue).Bool(alert.notify);
  row.Int(alert.opened_at).Int(alert.updated_at).Int(alert.closed_at);
  row.TextOrNull(alert.acknowledged_by).Int(alert.acknowledged_at).Int(alert.snoozed_until);
  row.Text(alert.reading_ids).Double(alert.value).Double(alert.diastolic);
  row.Double(alert.baseline).Double(alert.baseline_sigma).Int(alert.baseline_readings);
  row.TextOrNull(alert.window).TextOrNull(alert.late_by).Text(alert.explanation);
  row.Text(alert.source).Text(alert.source_partition).Int(alert.source_offset);
  row.Int(alert.sequence);
}

bool IsOn(std::string_view state) { return state != "closed" && state != "withdrawn"; }

std::string AlertJson(const PublishedAlert& alert) {
  JsonWriter json;
  json.BeginObject();
  const auto text = [&](std::string_view name, const std::string& value) {
    json.Key(name).String(value);
  };
  const auto text_or_null = [&](std::string_view name, const std::string& value) {
    value.empty() ? json.Key(name).Null() : json.Key(name).String(value);
  };
  const auto time = [&](std::string_view name, std::optional<Micros> value) {
    value ? json.Key(name).String(FormatUtc(*value)) : json.Key(name).Null();
  };
  const auto number = [&](std::string_view name, std::optional<double> value) {
    value ? json.Key(name).Double(*value) : json.Key(name).Null();
  };
  text("alert_id", alert.alert_id);
  text("id_space", alert.id_space);
  text_or_null("patient_id", alert.patient_id);
  text("vital", alert.vital);
  text("rule", alert.rule);
  text("rule_version", alert.rule_version);
  text("severity", alert.severity);
  text("state", alert.state);
  text("change", alert.change);
  text("queue", alert.queue);
  json.Key("notify").Bool(alert.notify);
  time("opened_at", alert.opened_at);
  time("updated_at", alert.updated_at);
  time("closed_at", alert.closed_at);
  text_or_null("acknowledged_by", alert.acknowledged_by);
  time("acknowledged_at", alert.acknowledged_at);
  time("snoozed_until", alert.snoozed_until);
  text("reading_ids", alert.reading_ids);
  number("value", alert.value);
  number("diastolic", alert.diastolic);
  number("baseline", alert.baseline);
  number("baseline_sigma", alert.baseline_sigma);
  json.Key("baseline_readings");
  alert.baseline_readings ? json.Int(*alert.baseline_readings) : json.Null();
  text_or_null("window", alert.window);
  text_or_null("late_by", alert.late_by);
  text("explanation", alert.explanation);
  text("source", alert.source);
  text("source_partition", alert.source_partition);
  json.Key("source_offset").Int(alert.source_offset);
  json.Key("sequence").Int(alert.sequence);
  json.EndObject();
  return json.Take();
}

}  // namespace vitalake::ingest
