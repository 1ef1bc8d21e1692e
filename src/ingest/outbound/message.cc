#include "ingest/outbound/message.h"

#include <fmt/format.h>

#include "engine/relation.h"
#include "lake/key_index.h"
#include "lake/row_fetch.h"
#include "lake/sql_text.h"
#include "lake/staged_keys.h"

namespace vitalake::ingest {
namespace {

constexpr std::string_view kIso =
    "CREATE OR REPLACE TEMP MACRO iso(t) AS strftime(t AT TIME ZONE 'UTC', "
    "'%Y-%m-%dT%H:%M:%S.%fZ')";

// patients: the rows of silver.patient that the changes name, unless they were retracted.
Status LoadOutboundPatients(const OutboundSession& session, const Wait& wait) {
  lake::Lake& lake = session.lake;
  engine::Connection& connection = session.connection;
  VL_TRY(const delta::SnapshotPtr snapshot, lake.Latest(kOutboundPatients));
  VL_TRY(const auto wanted,
         lake::HashKeys(connection,
                        "SELECT DISTINCT id_space, patient_id AS id FROM changes "
                        "WHERE patient_id IS NOT NULL",
                        wait));
  VL_TRY(const auto hits,
         lake::KeyIndex(lake, kOutboundPatients).Find(snapshot, snapshot->files(), wanted, wait));
  VL_RETURN_IF_ERROR(
      lake::FetchRows(lake, connection,
                      {kOutboundPatients,
                       snapshot,
                       hits,
                       {"id_space", "id", "family_name", "given_name", "retracted_at"},
                       "patient_row"},
                      wait));
  const std::string_view name = session.names ? "{0}" : "NULL::VARCHAR AS {0}";
  return lake::RunSql(
      connection,
      fmt::format("CREATE OR REPLACE TEMP VIEW patients AS SELECT coalesce(id_space, '') AS "
                  "id_space, id, {}, {} FROM patient_row WHERE retracted_at IS NULL",
                  fmt::format(fmt::runtime(name), "family_name"),
                  fmt::format(fmt::runtime(name), "given_name")),
      wait);
}

// The columns of the SQL's rows that are fields, as arguments of json_object.
Result<std::string> FieldsOf(engine::Connection& connection, const std::string& sql) {
  VL_TRY(const auto columns, lake::DescribeColumns(connection, sql));
  std::string fields;
  for (const lake::TableColumn& column : columns) {
    if (column.name.starts_with('_')) continue;
    fields += fmt::format("{}{}, {}", fields.empty() ? "" : ", ", engine::QuoteLiteral(column.name),
                          engine::QuoteName(column.name));
  }
  return fields;
}

}  // namespace

Status SendChanges(const OutboundSession& session, const std::string& sql,
                   const std::function<std::string(int64_t version)>& position_of,
                   OutboundSink& sink, const Wait& wait) {
  engine::Connection& connection = session.connection;
  VL_RETURN_IF_ERROR(LoadOutboundPatients(session, wait));
  VL_RETURN_IF_ERROR(lake::RunSql(connection, std::string(kIso), wait));
  VL_TRY(const std::string fields, FieldsOf(connection, sql));
  VL_TRY(engine::QueryResult messages,
         connection.Stream(fmt::format("SELECT coalesce(_key, ''), _version, "
                                       "CAST(json_object({}) AS VARCHAR) FROM ({}) "
                                       "ORDER BY _version",
                                       fields, sql),
                           {}, wait));
  for (;;) {
    VL_TRY(const bool more, messages.Next());
    if (!more) break;
    const std::string position = position_of(messages.GetInt64(1));
    VL_RETURN_IF_ERROR(sink.Send({messages.GetString(0), messages.GetString(2), position}, wait));
  }
  return sink.Flush(wait);
}

}  // namespace vitalake::ingest
