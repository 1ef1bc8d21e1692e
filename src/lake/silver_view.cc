#include "lake/silver_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lake/built_in_files.h"
#include "lake/sql_text.h"

namespace vitalake::lake {
namespace {

constexpr std::string_view kAllRows = "SELECT * FROM rows";

// What follows "-- <label>: " in the leading comment of an SQL file; "" when there is no such line.
std::string_view HeaderText(std::string_view sql, std::string_view label) {
  const std::string mark = fmt::format("-- {}: ", label);
  for (std::string_view line : Lines(sql)) {
    if (!line.starts_with("--")) break;
    if (line.starts_with(mark)) return line.substr(mark.size());
  }
  return {};
}

std::vector<std::string> HeaderList(std::string_view sql, std::string_view label) {
  const auto names = SplitList(HeaderText(sql, label));
  return {names.begin(), names.end()};
}

bool HasColumn(const std::vector<view::ColumnSpec>& columns, std::string_view name) {
  return std::ranges::find(columns, name, &view::ColumnSpec::name) != columns.end();
}

Result<SilverView> Load(const std::filesystem::path& folder, std::string_view name) {
  SilverView silver;
  silver.table = fmt::format("silver.{}", name);
  VL_TRY(const std::string definition,
         ReadBuiltIn(BuiltIn::kView, folder, fmt::format("{}.json", name)));
  auto view = view::View::Compile(definition);
  if (!view) return Because(std::move(view).error(), fmt::format("views/{}.json", name));
  silver.view = *view;
  silver.finishing_sql = kAllRows;
  if (auto sql = ReadBuiltIn(BuiltIn::kView, folder, fmt::format("{}.sql", name))) {
    silver.finishing_sql = *sql;
  } else if (sql.error().kind != ErrorKind::kNotFound) {
    return std::unexpected(std::move(sql).error());
  }
  silver.measured = HeaderList(silver.finishing_sql, "measured");
  silver.clustered_by = HeaderList(silver.finishing_sql, "clustered");
  for (const std::string& column : silver.SortColumns()) {
    if (!HasColumn(silver.view->columns(), column) && !HasColumn(RecordColumns(), column)) {
      return Fail(ErrorKind::kInvalidArgument,
                  fmt::format("views/{0}.sql is clustered by {1}, which views/{0}.json lacks", name,
                              column));
    }
  }
  silver.home = HeaderText(silver.finishing_sql, "home");
  if (silver.home.empty()) silver.home = "true";
  if (const auto bare = HeaderText(silver.finishing_sql, "bare"); !bare.empty()) silver.bare = bare;
  silver.row_key = {"id_space", "id"};
  if (HasColumn(silver.view->columns(), "component")) silver.row_key.emplace_back("component");
  silver.has_status = silver.view->resource() != "Patient";
  return silver;
}

}  // namespace

const std::vector<view::ColumnSpec>& RecordColumns() {
  using enum view::ColumnType;
  static const std::vector<view::ColumnSpec> columns = {
      {"_id", kVarchar, "", ""},
      {"_id_space", kVarchar, "", ""},
      {"_resource_id", kVarchar, "", ""},
      {"_identifier", kVarchar, "", ""},
      {"_status", kVarchar, "", ""},
      {"_version_id", kVarchar, "", ""},
      {"_last_updated", kTimestamp, "", ""},
      {"_content_hash", kVarchar, "", ""},
      {"_retraction", kBoolean, "", ""},
      {"_deleted", kBoolean, "", ""},
      {"_quality", kVarchar, "", ""},
      {"_source", kVarchar, "", ""},
      {"_source_partition", kVarchar, "", ""},
      {"_source_offset", kBigint, "", ""},
      {"_source_length", kBigint, "", ""},
      {"_received_at", kTimestamp, "", ""},
      {"_home", kVarchar, "", ""},
  };
  return columns;
}

std::vector<bool> SilverView::UsedColumns() const {
  const bool all = finishing_sql == kAllRows;
  std::vector<bool> used;
  for (const auto& column : view->columns()) {
    used.push_back(all || HasWord(finishing_sql, column.name));
  }
  return used;
}

std::string SilverView::RowsSql(std::string_view rows, Micros ingestion_date) const {
  std::string excluded;
  for (const auto& column : RecordColumns()) {
    excluded += (excluded.empty() ? "" : ", ") + column.name;
  }
  std::string emptied;
  for (const std::string& column : measured) {
    emptied +=
        fmt::format("{}CASE WHEN NOT _retraction THEN {} END AS {}", emptied.empty() ? "" : ", ",
                    engine::QuoteName(column), engine::QuoteName(column));
  }
  if (!emptied.empty()) emptied = fmt::format(" REPLACE ({})", emptied);
  return fmt::format(
      "WITH rows AS (SELECT * FROM {}), finished AS ({})\n"
      "SELECT _id AS id, _id_space AS id_space, _resource_id AS resource_id, {}"
      "_version_id AS version_id, _last_updated AS last_updated, _content_hash AS content_hash,\n"
      "  CASE WHEN _retraction THEN _received_at END AS retracted_at, _deleted AS deleted,\n"
      "  _identifier AS identifier, _quality AS quality, _source AS source,\n"
      "  _source_partition AS source_partition, _source_offset AS source_offset,\n"
      "  _source_length AS source_length, _received_at AS received_at,\n"
      "  make_timestamptz({}) AS ingestion_date, NULL::TIMESTAMPTZ AS update_date,\n"
      "  * EXCLUDE ({}){}\nFROM finished",
      rows, finishing_sql, has_status ? "_status AS status, " : "", ingestion_date, excluded,
      emptied);
}

Result<std::vector<SilverView>> LoadSilverViews(const std::filesystem::path& folder) {
  std::vector<SilverView> views;
  for (std::string_view name : {"patient", "observation", "vital_sign"}) {
    VL_TRY(SilverView view, Load(folder, name));
    views.push_back(std::move(view));
  }
  return views;
}

std::vector<std::string> SilverView::SortColumns() const {
  std::vector<std::string> columns;
  for (const std::string& column : clustered_by) {
    const std::string own = "_" + column;
    columns.push_back(HasColumn(RecordColumns(), own) ? own : column);
  }
  return columns;
}

std::unique_ptr<engine::RowBuffer> SilverView::StagingBuffer(engine::Engine& engine) const {
  std::vector<view::ColumnSpec> columns = view->columns();
  std::vector<bool> held = UsedColumns();
  const std::vector<std::string> sorted = SortColumns();
  for (size_t i = 0; i < columns.size(); ++i) {
    if (std::ranges::find(sorted, columns[i].name) != sorted.end()) held[i] = true;
  }
  columns.insert(columns.end(), RecordColumns().begin(), RecordColumns().end());
  held.resize(columns.size(), true);
  return std::make_unique<engine::RowBuffer>(engine, std::move(columns), std::move(held));
}

Result<std::vector<TableColumn>> SilverColumns(engine::Engine& engine, const SilverView& view) {
  VL_TRY(engine::Connection connection, engine.Connect());
  const auto rows = view.StagingBuffer(engine);
  auto columns = DescribeColumns(connection, view.RowsSql(rows->sql(), 0));
  if (!columns) return Because(std::move(columns).error(), fmt::format("views of {}", view.table));
  return columns;
}

}  // namespace vitalake::lake
