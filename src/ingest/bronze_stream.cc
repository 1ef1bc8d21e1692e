#include "ingest/bronze_stream.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <deque>
#include <map>

#include "base/utf8.h"
#include "engine/relation.h"
#include "engine/row_buffer.h"
#include "lake/catalogue.h"
#include "lake/cell_row.h"

namespace vitalake::ingest {
namespace {

constexpr int64_t kRowGroupRows = 20'480;

std::string Hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const unsigned char byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

const std::vector<view::ColumnSpec>& BufferColumns() {
  using enum view::ColumnType;
  static const std::vector<view::ColumnSpec> columns = {
      {"text", kVarchar, "", ""},       {"hex", kVarchar, "", ""},
      {"source", kVarchar, "", ""},     {"partition", kVarchar, "", ""},
      {"offset", kBigint, "", ""},      {"received_at", kTimestamp, "", ""},
      {"request_key", kVarchar, "", ""}};
  return columns;
}

// Of the current row: offset, received_at, payload.
StreamMessage MessageOf(const engine::QueryResult& row, int32_t partition) {
  return {partition, row.GetInt64(0), row.GetInt64(1), {}, std::string(row.GetString(2))};
}

// Of a range; its partition's name is the parameter.
Result<std::string> RowsOf(lake::Lake& lake, const MessageRange& range) {
  using Op = engine::ColumnBound::Op;
  VL_TRY(const delta::SnapshotPtr snapshot, lake.Latest(kBronzeStream));
  VL_TRY(const std::string rows,
         engine::RelationSql(lake.Files(snapshot, kBronzeStream),
                             {.bounds = {{"partition", Op::kEqual, range.partition.AppId()},
                                         {"offset", Op::kGreaterEqual, range.first},
                                         {"offset", Op::kLess, range.end}}}));
  return fmt::format("({}) WHERE \"partition\" = ? AND \"offset\" >= {} AND \"offset\" < {}", rows,
                     range.first, range.end);
}

}  // namespace

Status AppendToBronze(lake::Lake& lake, std::span<const StreamMessage> messages,
                      const MessageRanges& ranges, const std::string& source,
                      const lake::CommitNote& note, const Wait& wait) {
  std::map<int32_t, std::string> apps;
  for (const auto& [partition, range] : ranges) apps[partition] = range.partition.AppId();
  std::deque<std::string> hexes;
  engine::RowBuffer rows(lake.engine(), BufferColumns(), {}, engine::RowBuffer::Texts::kBorrowed);
  lake::CellRow row;
  for (const auto& [partition, app] : apps) {
    for (const StreamMessage& message : messages) {
      if (message.partition != partition) continue;
      row.Clear();
      // Text in memory is UTF-8; what is not (a gzip body) goes to the file the long way round.
      if (IsValidUtf8(message.payload)) {
        row.Text(message.payload).Null();
      } else {
        row.Null().Text(hexes.emplace_back(Hex(message.payload)));
      }
      row.Text(source).Text(app).Int(message.offset).Int(message.received_at);
      row.TextOrNull(message.request_key);
      rows.Append(row.cells());
    }
  }
  VL_TRY(engine::Connection connection, lake.engine().Connect());
  const std::string select = fmt::format(
      "SELECT CASE WHEN hex IS NULL THEN encode(text) ELSE unhex(hex) END AS payload, source, "
      "\"partition\", \"offset\", received_at, request_key FROM {}",
      rows.sql());
  engine::ParquetOptions options;
  options.row_group_rows = kRowGroupRows;
  options.values_repeat = false;
  VL_TRY(const lake::AppendResult done,
         lake::AppendRows(lake, connection, lake::FixedTable(kBronzeStream), select, note, wait,
                          options));
  (void)done;
  return {};
}

Result<StreamBatch> ReadFromBronze(lake::Lake& lake, const MessageRange& range, int64_t most,
                                   int64_t most_bytes, const Wait& wait) {
  StreamBatch batch;
  VL_TRY(const std::string rows, RowsOf(lake, range));
  VL_TRY(engine::Connection connection, lake.engine().Connect());
  VL_TRY(engine::QueryResult found,
         connection.Stream(fmt::format("SELECT \"offset\", received_at, payload FROM {} ORDER BY "
                                       "\"offset\" LIMIT {}",
                                       rows, most),
                           {range.partition.AppId()}, wait));
  MessageRange read = range;
  for (;;) {
    VL_TRY(const bool more, found.Next());
    if (!more) break;
    StreamMessage message = MessageOf(found, range.partition.partition);
    batch.bytes += static_cast<int64_t>(message.payload.size());
    batch.messages.push_back(std::move(message));
    if (batch.bytes >= most_bytes) break;
  }
  const bool all = static_cast<int64_t>(batch.messages.size()) < most && batch.bytes < most_bytes;
  if (!all) read.end = batch.messages.back().offset + 1;
  batch.ranges.emplace(range.partition.partition, std::move(read));
  return batch;
}

Result<int64_t> FirstInBronze(lake::Lake& lake, const MessageRange& range, const Wait& wait) {
  if (range.first >= range.end) return range.end;
  VL_TRY(const std::string rows, RowsOf(lake, range));
  VL_TRY(engine::Connection connection, lake.engine().Connect());
  return connection.ScalarInt(
      fmt::format("SELECT coalesce(min(\"offset\"), {}) FROM {}", range.end, rows),
      {range.partition.AppId()}, wait);
}

Result<std::vector<StreamMessage>> ReadMessagesAt(lake::Lake& lake, const std::string& app_id,
                                                  const std::set<int64_t>& offsets,
                                                  int32_t partition) {
  using Op = engine::ColumnBound::Op;
  std::vector<StreamMessage> messages;
  if (offsets.empty()) return messages;
  VL_TRY(const delta::SnapshotPtr snapshot, lake.Latest(kBronzeStream));
  VL_TRY(const std::string rows,
         engine::RelationSql(lake.Files(snapshot, kBronzeStream),
                             {.bounds = {{"partition", Op::kEqual, app_id},
                                         {"offset", Op::kGreaterEqual, *offsets.begin()},
                                         {"offset", Op::kLessEqual, *offsets.rbegin()}}}));
  VL_TRY(engine::Connection connection, lake.engine().Connect());
  VL_TRY(engine::QueryResult found,
         connection.Stream(fmt::format("SELECT \"offset\", received_at, payload FROM ({}) WHERE "
                                       "\"partition\" = ? AND \"offset\" IN ({}) ORDER BY 1",
                                       rows, fmt::join(offsets, ", ")),
                           {app_id}));
  for (;;) {
    VL_TRY(const bool more, found.Next());
    if (!more) return messages;
    messages.push_back(MessageOf(found, partition));
  }
}

}  // namespace vitalake::ingest
