#include "lake/catalogue.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace vitalake::lake {
namespace {

std::vector<TableColumn> Typed(std::string_view type, std::initializer_list<const char*> names) {
  std::vector<TableColumn> columns;
  for (const char* name : names) columns.push_back({name, std::string(type)});
  return columns;
}

template <class... Parts>
std::vector<TableColumn> Join(const Parts&... parts) {
  std::vector<TableColumn> all;
  (all.insert(all.end(), parts.begin(), parts.end()), ...);
  return all;
}

// Rows with the payload of a message: so many are sorted in the memory there is.
constexpr int64_t kPayloadRowsPerFile = 40'960;

TableSpec Make(std::string name, std::vector<TableColumn> columns,
               std::vector<std::string> key = {}, std::vector<std::string> clustered_by = {},
               int64_t rows_per_file = 0) {
  std::string path = name;
  std::ranges::replace(path, '.', '/');
  return {std::move(name),         std::move(path),      std::move(columns), std::move(key),
          std::move(clustered_by), /*change_feed=*/true, rows_per_file};
}

std::vector<TableSpec> MakeFixedTables() {
  return {
      Make("bronze.observation_stream",
           Join(Typed("binary", {"payload"}), Typed("string", {"source", "partition"}),
                Typed("long", {"offset"}), Typed("timestamp", {"received_at"}),
                Typed("string", {"request_key"})),
           {}, {"partition", "offset"}, kPayloadRowsPerFile),
      Make("ops.quarantine",
           Join(Typed("string", {"id", "run", "source", "position", "reason", "element_path",
                                 "message", "payload"}),
                Typed("timestamp", {"received_at", "replayed_at"}),
                Typed("string", {"id_space", "key_mode", "source_partition"}),
                Typed("long", {"source_offset", "source_length"})),
           {}, {"received_at"}, kPayloadRowsPerFile),
      Make("ops.issue",
           Join(Typed("string", {"run", "source", "position", "severity", "rule", "element_path",
                                 "message", "resource_type", "id"})),
           {}, {"run"}),
      Make("ops.ledger",
           Join(Typed("string", {"run", "source", "range"}),
                Typed("long", {"received", "written", "superseded", "duplicate", "quarantined",
                               "out_of_scope", "bytes"}),
                Typed("timestamp", {"started_at", "finished_at"}), Typed("long", {"ordinal"}),
                Typed("string", {"sha256", "bronze_path"}),
                Typed("timestamp", {"modified_at", "received_at"}),
                Typed("string", {"id_space", "key_mode", "message"})),
           {}, {"run"}),
      Make("ops.alert",
           Join(Typed("string", {"alert_id", "patient_id", "vital", "rule", "rule_version",
                                 "severity", "state"}),
                Typed("timestamp", {"opened_at", "updated_at", "closed_at"}),
                Typed("string", {"acknowledged_by"}),
                Typed("timestamp", {"acknowledged_at", "snoozed_until"}),
                Typed("string", {"reading_ids"}), Typed("double", {"value", "baseline"}),
                Typed("string", {"window", "late_by", "explanation", "source", "source_partition"}),
                Typed("long", {"source_offset", "sequence"}),
                Typed("string", {"id_space", "change", "queue"}), Typed("boolean", {"notify"}),
                Typed("double", {"diastolic", "baseline_sigma"}),
                Typed("long", {"baseline_readings"})),
           {"source_partition", "sequence"}, {"patient_id", "opened_at"}),
      Make("ops.action",
           Join(Typed("string", {"actor"}), Typed("timestamp", {"time"}),
                Typed("string", {"action", "target", "reason"}), Typed("timestamp", {"expiry"}),
                Typed("string", {"id", "source_partition"}),
                Typed("long", {"source_offset", "ordinal"}),
                Typed("string", {"request", "payload", "id_space"})),
           {}, {"source_partition", "source_offset", "time"}),
  };
}

}  // namespace

const std::vector<TableSpec>& FixedTables() {
  static const std::vector<TableSpec> tables = MakeFixedTables();
  return tables;
}

const TableSpec& FixedTable(std::string_view name) {
  const auto found = std::ranges::find(FixedTables(), name, &TableSpec::name);
  VL_CHECK(found != FixedTables().end());
  return *found;
}

Result<TableSpec> SilverSpec(engine::Engine& engine, const SilverView& view) {
  VL_TRY(std::vector<TableColumn> columns, SilverColumns(engine, view));
  return Make(view.table, std::move(columns), view.row_key, view.clustered_by);
}

bool IsPlainName(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

Result<std::string> TablePath(std::string_view name) {
  const size_t dot = name.find('.');
  const std::string_view schema = name.substr(0, dot);
  const bool ours = schema == "bronze" || schema == "silver" || schema == "gold" || schema == "ops";
  if (dot == std::string_view::npos || !ours || !IsPlainName(name.substr(dot + 1))) {
    return Fail(
        ErrorKind::kNotFound,
        fmt::format("there is no table {}; tables are named bronze.*, silver.*, gold.*, ops.*",
                    name));
  }
  return fmt::format("{}/{}", schema, name.substr(dot + 1));
}

}  // namespace vitalake::lake
