#include "serve/postgres/copy.h"

#include <fmt/format.h>

#include <algorithm>

#include "serve/postgres/message.h"

namespace vitalake::serve {
namespace {

using Format = PgCopyOptions::Format;

// Behind a backslash; 0: it stands for itself.
char EscapeOf(char c, char delimiter) {
  switch (c) {
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    case '\v':
      return 'v';
    case '\\':
      return '\\';
    default:
      return c == delimiter ? c : '\0';
  }
}

void AppendTextValue(const PgCopyOptions& options, std::string_view value, std::string& out) {
  size_t begin = 0;
  for (size_t i = 0; i < value.size(); ++i) {
    const char escape = EscapeOf(value[i], options.delimiter[0]);
    if (escape == '\0') continue;
    out.append(value, begin, i - begin);
    out += '\\';
    out += escape;
    begin = i + 1;
  }
  out.append(value, begin);
}

void AppendCsvValue(const PgCopyOptions& options, std::string_view value, bool alone, bool forced,
                    std::string& out) {
  const bool quote = forced || value == options.null_text || (alone && value == "\\.") ||
                     value.find(options.delimiter) != value.npos ||
                     value.find(options.quote) != value.npos ||
                     value.find_first_of("\r\n") != value.npos;
  if (!quote) {
    out += value;
    return;
  }
  out += options.quote;
  for (const char c : value) {
    if (c == options.quote || c == options.escape) out += options.escape;
    out += c;
  }
  out += options.quote;
}

void AppendValue(const PgCopyOptions& options, std::string_view value, bool alone, bool forced,
                 std::string& out) {
  if (options.format == Format::kCsv) return AppendCsvValue(options, value, alone, forced, out);
  AppendTextValue(options, value, out);
}

}  // namespace

Result<std::vector<bool>> ForcedQuotes(const PgCopyOptions& options,
                                       const std::vector<PgColumn>& columns) {
  std::vector<bool> forced(columns.size(), options.force_quote_all);
  for (const std::string& name : options.force_quote) {
    const auto column = std::ranges::find(columns, name, &PgColumn::name);
    if (column == columns.end()) {
      return Fail(ErrorKind::kNotFound, fmt::format("column \"{}\" does not exist", name));
    }
    forced[static_cast<size_t>(column - columns.begin())] = true;
  }
  return forced;
}

void AppendCopyBegin(const PgCopyOptions& options, const std::vector<PgColumn>& columns,
                     std::string& out) {
  if (options.format == Format::kBinary) {
    constexpr std::string_view kSignature("PGCOPY\n\xff\r\n\0", 11);
    MessageWriter(out).Bytes(kSignature).Int32(0).Int32(0);
    return;
  }
  if (!options.header) return;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) out += options.delimiter;
    AppendValue(options, columns[i].name, columns.size() == 1, false, out);
  }
  out += '\n';
}

void AppendCopyRow(const PgCopyOptions& options, const std::vector<bool>& forced,
                   const engine::QueryResult& row, std::string& out) {
  const auto& types = row.types();
  if (options.format == Format::kBinary) {
    MessageWriter(out).Int16(static_cast<int16_t>(types.size()));
    for (size_t i = 0; i < types.size(); ++i) {
      AppendPgField(row.Cell(i), types[i], PgFormat::kBinary, out);
    }
    return;
  }
  std::string value;
  for (size_t i = 0; i < types.size(); ++i) {
    const engine::ResultCell cell = row.Cell(i);
    if (i > 0) out += options.delimiter;
    if (cell.is_null()) {
      out += options.null_text;
      continue;
    }
    value.clear();
    AppendPgText(cell, types[i], value);
    AppendValue(options, value, types.size() == 1, forced[i], out);
  }
  out += '\n';
}

void AppendCopyEnd(const PgCopyOptions& options, std::string& out) {
  if (options.format == Format::kBinary) MessageWriter(out).Int16(-1);
}

}  // namespace vitalake::serve
