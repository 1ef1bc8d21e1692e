#include "cli/ingest_report.h"

#include <fmt/format.h>

#include "base/json_writer.h"
#include "cli/quantity.h"
#include "cli/row_list.h"
#include "engine/result_format.h"

namespace vitalake::cli {
namespace {

constexpr size_t kMostFiles = 25;

void AddCounts(JsonWriter& writer, const lake::OutcomeCounts& counts) {
  writer.Key("received").Int(counts.received).Key("written").Int(counts.written);
  writer.Key("superseded").Int(counts.superseded).Key("duplicate").Int(counts.duplicate);
  writer.Key("quarantined").Int(counts.quarantined).Key("out_of_scope").Int(counts.out_of_scope);
  writer.Key("bytes").Int(counts.bytes);
}

void AddFile(JsonWriter& writer, const ingest::FileResult& file) {
  writer.BeginObject().Key("path").String(file.path).Key("bronze").String(file.bronze);
  AddCounts(writer, file.counts);
  writer.Key("failed").Bool(file.failed).Key("message").String(file.message).EndObject();
}

void AddTable(JsonWriter& writer, const ingest::TableResult& table) {
  writer.BeginObject().Key("table").String(table.table);
  writer.Key("version_before")
      .Int(table.version_before)
      .Key("version_after")
      .Int(table.version_after);
  writer.Key("rows_inserted").Int(table.rows_inserted).Key("rows_updated").Int(table.rows_updated);
  writer.EndObject();
}

bool IsRemarkable(const ingest::FileResult& file) {
  return file.failed || !file.message.empty() || file.counts.quarantined > 0;
}

std::vector<RowCell> FileRow(const std::string& path, const lake::OutcomeCounts& counts) {
  return {path,
          Cell(counts.received),
          Cell(counts.written),
          Cell(counts.superseded),
          Cell(counts.duplicate),
          Cell(counts.quarantined),
          Cell(counts.out_of_scope),
          FormatSize(counts.bytes)};
}

RowList FileRows(const ingest::BatchSummary& summary) {
  RowList rows({{"file"},
                {"received", "BIGINT"},
                {"written", "BIGINT"},
                {"superseded", "BIGINT"},
                {"duplicate", "BIGINT"},
                {"quarantined", "BIGINT"},
                {"out_of_scope", "BIGINT"},
                {"size"}});
  bool all = summary.files.size() <= kMostFiles;
  size_t shown = 0;
  for (const ingest::FileResult& file : summary.files) {
    if (shown == kMostFiles || !(all || IsRemarkable(file))) continue;
    rows.Add(FileRow(file.path, file.counts));
    ++shown;
  }
  size_t hidden = summary.files.size() - shown;
  if (hidden > 0) {
    rows.Add({fmt::format("... and {} more files", FormatCount(static_cast<int64_t>(hidden))),
              {},
              {},
              {},
              {},
              {},
              {},
              {}});
  }
  if (summary.files.size() > 1) rows.Add(FileRow("all files", summary.counts));
  return rows;
}

RowList TableRows(const ingest::BatchSummary& summary) {
  RowList rows({{"table"}, {"version"}, {"inserted", "BIGINT"}, {"updated", "BIGINT"}});
  for (const ingest::TableResult& table : summary.tables) {
    std::string before = table.version_before < 0 ? "new" : fmt::format("{}", table.version_before);
    std::string version = table.version_before == table.version_after
                              ? before
                              : fmt::format("{} → {}", before, table.version_after);
    rows.Add({table.table, version, Cell(table.rows_inserted), Cell(table.rows_updated)});
  }
  return rows;
}

Result<std::string> Render(engine::Connection& connection, const RowList& rows) {
  VL_TRY(engine::QueryResult result, connection.Query(rows.ToSql()));
  std::string text;
  VL_RETURN_IF_ERROR(engine::WriteResult(result, engine::ResultFormat::kTable,
                                         [&](std::string_view piece) -> Status {
                                           text.append(piece);
                                           return {};
                                         }));
  // The line "(n rows)" says nothing here.
  if (size_t count = text.rfind("\n("); count != std::string::npos) text.resize(count + 1);
  return text;
}

std::string Problems(const ingest::BatchSummary& summary, const Terminal& terminal) {
  std::string text;
  for (const ingest::FileResult& file : summary.files) {
    if (file.failed) {
      text += fmt::format("{} {}: {}\n", Paint(terminal, Colour::kRed, "not taken in:"), file.path,
                          file.message);
    }
  }
  if (!summary.first_problems.empty()) {
    text += Paint(terminal, Colour::kYellow,
                  summary.first_problems.size() > 1 ? "first problems:" : "problem:") +
            "\n";
    for (const std::string& problem : summary.first_problems) text += "  " + problem + "\n";
  }
  return text;
}

std::string Closing(const ingest::BatchSummary& summary, bool dry_run) {
  double rate =
      summary.seconds > 0 ? static_cast<double>(summary.counts.received) / summary.seconds : 0;
  std::string text = fmt::format(
      "{} records in {} ({} records/s, {}){}\n", FormatCount(summary.counts.received),
      FormatSeconds(summary.seconds), FormatCount(static_cast<int64_t>(rate)),
      FormatSize(summary.counts.bytes), summary.run.empty() ? "" : ", run " + summary.run);
  if (summary.recovered_runs > 0) {
    text += fmt::format("finished first: {} run(s) that an earlier stop had left open\n",
                        summary.recovered_runs);
  }
  if (summary.issues > 0) {
    text +=
        fmt::format("{} remark(s) on usable records: vitalake sql \"SELECT * FROM ops.issue\"\n",
                    FormatCount(summary.issues));
  }
  if (dry_run) return text + "nothing was written (--dry-run)\n";
  if (summary.counts.quarantined > 0) text += "next: vitalake quarantine list\n";
  return text;
}

}  // namespace

std::string IngestReportJson(const ingest::BatchSummary& summary, bool dry_run) {
  JsonWriter writer;
  writer.BeginObject().Key("run").String(summary.run).Key("dry_run").Bool(dry_run);
  AddCounts(writer, summary.counts);
  writer.Key("issues").Int(summary.issues).Key("recovered_runs").Int(summary.recovered_runs);
  writer.Key("seconds").Double(summary.seconds).Key("files").BeginArray();
  for (const ingest::FileResult& file : summary.files) AddFile(writer, file);
  writer.EndArray().Key("tables").BeginArray();
  for (const ingest::TableResult& table : summary.tables) AddTable(writer, table);
  writer.EndArray().Key("quarantine_reasons").BeginObject();
  for (const auto& [reason, count] : summary.quarantine_reasons) writer.Key(reason).Int(count);
  writer.EndObject().Key("first_problems").BeginArray();
  for (const std::string& problem : summary.first_problems) writer.String(problem);
  writer.EndArray().EndObject();
  return writer.Take() + "\n";
}

Result<std::string> IngestReportText(engine::Connection& connection,
                                     const ingest::BatchSummary& summary, bool dry_run,
                                     const Terminal& terminal) {
  std::string text;
  if (!summary.files.empty()) {
    VL_TRY(text, Render(connection, FileRows(summary)));
    text += "\n";
  }
  if (!summary.tables.empty()) {
    VL_TRY(std::string tables, Render(connection, TableRows(summary)));
    text += tables + "\n";
  }
  std::string problems = Problems(summary, terminal);
  if (!problems.empty()) text += problems + "\n";
  return text + Closing(summary, dry_run);
}

}  // namespace vitalake::cli
