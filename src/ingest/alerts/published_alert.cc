#include "ingest/alerts/published_alert.h"

#include <fmt/format.h>

#include <span>
#include <variant>

#include "base/json_writer.h"

namespace vitalake::ingest {
namespace {

// A column of ops.alert, and where it stands in a PublishedAlert.
struct AlertColumn {
  std::string_view name;
  view::ColumnType type;
  std::variant<std::string PublishedAlert::*, bool PublishedAlert::*, int64_t PublishedAlert::*,
               std::optional<int64_t> PublishedAlert::*, std::optional<double> PublishedAlert::*>
      part;
  bool null_when_empty = false;  // of a text
};

std::span<const AlertColumn> PartsOfAlerts() {
  using Alert = PublishedAlert;
  using enum view::ColumnType;
  static constexpr AlertColumn kColumns[] = {
      {"alert_id", kVarchar, &Alert::alert_id},
      {"id_space", kVarchar, &Alert::id_space},
      {"patient_id", kVarchar, &Alert::patient_id, true},
      {"vital", kVarchar, &Alert::vital},
      {"rule", kVarchar, &Alert::rule},
      {"rule_version", kVarchar, &Alert::rule_version},
      {"severity", kVarchar, &Alert::severity},
      {"state", kVarchar, &Alert::state},
      {"change", kVarchar, &Alert::change},
      {"queue", kVarchar, &Alert::queue},
      {"notify", kBoolean, &Alert::notify},
      {"opened_at", kTimestamp, &Alert::opened_at},
      {"updated_at", kTimestamp, &Alert::updated_at},
      {"closed_at", kTimestamp, &Alert::closed_at},
      {"acknowledged_by", kVarchar, &Alert::acknowledged_by, true},
      {"acknowledged_at", kTimestamp, &Alert::acknowledged_at},
      {"snoozed_until", kTimestamp, &Alert::snoozed_until},
      {"reading_ids", kVarchar, &Alert::reading_ids},
      {"value", kDouble, &Alert::value},
      {"diastolic", kDouble, &Alert::diastolic},
      {"baseline", kDouble, &Alert::baseline},
      {"baseline_sigma", kDouble, &Alert::baseline_sigma},
      {"baseline_readings", kBigint, &Alert::baseline_readings},
      {"window", kVarchar, &Alert::window, true},
      {"late_by", kVarchar, &Alert::late_by, true},
      {"explanation", kVarchar, &Alert::explanation},
      {"source", kVarchar, &Alert::source},
      {"source_partition", kVarchar, &Alert::source_partition},
      {"source_offset", kBigint, &Alert::source_offset},
      {"sequence", kBigint, &Alert::sequence},
  };
  return kColumns;
}

// A cell of each kind of part. Integers and times are one kind: the column's type tells.
void AppendPart(const AlertColumn& column, const std::string& text, lake::CellRow& row) {
  column.null_when_empty ? row.TextOrNull(text) : row.Text(text);
}
void AppendPart(const AlertColumn&, bool flag, lake::CellRow& row) { row.Bool(flag); }
void AppendPart(const AlertColumn&, int64_t number, lake::CellRow& row) { row.Int(number); }
void AppendPart(const AlertColumn&, std::optional<int64_t> number, lake::CellRow& row) {
  row.Int(number);
}
void AppendPart(const AlertColumn&, std::optional<double> number, lake::CellRow& row) {
  row.Double(number);
}

void WritePart(const AlertColumn& column, const std::string& text, JsonWriter& json) {
  const bool is_null = column.null_when_empty && text.empty();
  is_null ? json.Null() : json.String(text);
}
void WritePart(const AlertColumn&, bool flag, JsonWriter& json) { json.Bool(flag); }
void WritePart(const AlertColumn& column, int64_t number, JsonWriter& json) {
  column.type == view::ColumnType::kTimestamp ? json.String(FormatUtc(number)) : json.Int(number);
}
void WritePart(const AlertColumn& column, std::optional<int64_t> number, JsonWriter& json) {
  if (number) return WritePart(column, *number, json);
  json.Null();
}
void WritePart(const AlertColumn&, std::optional<double> number, JsonWriter& json) {
  number ? json.Double(*number) : json.Null();
}

void ReadPart(const engine::QueryResult& row, size_t at, std::string& text) {
  text = row.GetString(at);
}
void ReadPart(const engine::QueryResult& row, size_t at, bool& flag) { flag = row.GetBool(at); }
void ReadPart(const engine::QueryResult& row, size_t at, int64_t& number) {
  number = row.GetInt64(at);
}
void ReadPart(const engine::QueryResult& row, size_t at, std::optional<int64_t>& number) {
  if (!row.IsNull(at)) number = row.GetInt64(at);
}
void ReadPart(const engine::QueryResult& row, size_t at, std::optional<double>& number) {
  if (!row.IsNull(at)) number = row.GetDouble(at);
}

}  // namespace

std::string IsoDuration(int64_t seconds) {
  std::string text = "PT";
  if (const int64_t hours = seconds / 3600; hours != 0) text += fmt::format("{}H", hours);
  if (const int64_t minutes = seconds / 60 % 60; minutes != 0) text += fmt::format("{}M", minutes);
  if (seconds % 60 != 0 || seconds == 0) text += fmt::format("{}S", seconds % 60);
  return text;
}

const std::vector<view::ColumnSpec>& AlertColumns() {
  static const std::vector<view::ColumnSpec> columns = [] {
    std::vector<view::ColumnSpec> list;
    for (const AlertColumn& column : PartsOfAlerts()) {
      list.push_back({std::string(column.name), column.type, "", ""});
    }
    return list;
  }();
  return columns;
}

void AppendCells(const PublishedAlert& alert, lake::CellRow& row) {
  for (const AlertColumn& column : PartsOfAlerts()) {
    std::visit([&](const auto part) { AppendPart(column, alert.*part, row); }, column.part);
  }
}

PublishedAlert AlertOf(const engine::QueryResult& row) {
  PublishedAlert alert;
  for (size_t at = 0; const AlertColumn& column : PartsOfAlerts()) {
    std::visit([&](const auto part) { ReadPart(row, at, alert.*part); }, column.part);
    ++at;
  }
  return alert;
}

std::string AlertJson(const PublishedAlert& alert) {
  JsonWriter json;
  json.BeginObject();
  for (const AlertColumn& column : PartsOfAlerts()) {
    json.Key(column.name);
    std::visit([&](const auto part) { WritePart(column, alert.*part, json); }, column.part);
  }
  json.EndObject();
  return json.Take();
}

bool IsOn(std::string_view state) { return state != "closed" && state != "withdrawn"; }

}  // namespace vitalake::ingest
