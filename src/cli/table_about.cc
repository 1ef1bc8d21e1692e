#include "cli/table_about.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json_writer.h"
#include "cli/quantity.h"

namespace vitalake::cli {
namespace {

std::vector<std::string> FeaturesOf(const delta::Protocol& protocol) {
  std::vector<std::string> names = protocol.writer_features.value_or(std::vector<std::string>{});
  for (const std::string& name : protocol.reader_features.value_or(std::vector<std::string>{})) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return names;
}

std::string Line(std::string_view name, std::string_view value) {
  return value.empty() ? "" : fmt::format("{:<13} {}\n", name, value);
}

std::string TimeText(Micros time) { return time == 0 ? "" : FormatUtc(time); }

}  // namespace

RowList ColumnRows(const delta::Snapshot& snapshot) {
  RowList rows({{"column"}, {"type"}, {"nullable", "BOOLEAN"}});
  for (const delta::Field& field : snapshot.schema().fields()) {
    rows.Add({field.name, field.type.name(), field.nullable ? "true" : "false"});
  }
  return rows;
}

std::string TableAboutText(TableSource& source, const std::string& named,
                           const delta::Snapshot& snapshot) {
  auto rows = snapshot.NumRecords();
  const delta::Metadata& metadata = snapshot.metadata();
  const delta::Protocol& protocol = snapshot.protocol();
  std::string text =
      Line("table", named) + Line("location", source.location()) +
      Line("description", metadata.description.value_or("")) +
      Line("version", fmt::format("{}", snapshot.version().value)) +
      Line("changed", TimeText(snapshot.timestamp())) +
      Line("rows", rows ? FormatCount(*rows) : "not told by the log") +
      Line("files",
           fmt::format("{}, {}", FormatCount(static_cast<int64_t>(snapshot.files().size())),
                       FormatSize(snapshot.size_bytes()))) +
      Line("partitions", fmt::format("{}", fmt::join(metadata.partition_columns, ", "))) +
      Line("protocol", fmt::format("reader {}, writer {}", protocol.min_reader_version,
                                   protocol.min_writer_version)) +
      Line("features", fmt::format("{}", fmt::join(FeaturesOf(protocol), ", ")));
  for (const auto& [name, value] : metadata.configuration) {
    text += Line("property", fmt::format("{} = {}", name, value));
  }
  for (const auto& [app, txn] : snapshot.txns()) {
    text += Line("position", fmt::format("{} = {}", app, txn.version));
  }
  return text;
}

std::string TableAboutJson(TableSource& source, const std::string& named,
                           const delta::Snapshot& snapshot) {
  JsonWriter writer;
  writer.BeginObject().Key("table").String(named).Key("location").String(source.location());
  writer.Key("version").Int(snapshot.version().value);
  writer.Key("changed").String(TimeText(snapshot.timestamp()));
  auto rows = snapshot.NumRecords();
  writer.Key("rows");
  rows ? writer.Int(*rows) : writer.Null();
  writer.Key("files").Int(static_cast<int64_t>(snapshot.files().size()));
  writer.Key("bytes").Int(snapshot.size_bytes());
  writer.Key("protocol").Raw(delta::ToJson(snapshot.protocol()));
  writer.Key("partition_columns").BeginArray();
  for (const std::string& column : snapshot.metadata().partition_columns) writer.String(column);
  writer.EndArray().Key("properties").BeginObject();
  for (const auto& [name, value] : snapshot.metadata().configuration)
    writer.Key(name).String(value);
  writer.EndObject().Key("columns").BeginArray();
  for (const delta::Field& field : snapshot.schema().fields()) {
    writer.BeginObject().Key("name").String(field.name).Key("type").String(field.type.name());
    writer.Key("nullable").Bool(field.nullable).EndObject();
  }
  writer.EndArray().EndObject();
  return writer.Take() + "\n";
}

}  // namespace vitalake::cli
