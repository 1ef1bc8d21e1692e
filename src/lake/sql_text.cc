#include "lake/sql_text.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <utility>

#include "base/check.h"

namespace vitalake::lake {
namespace {

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (size_t from = 0; from <= text.size();) {
    const size_t to = std::min(text.find(separator, from), text.size());
    parts.push_back(text.substr(from, to - from));
    from = to + 1;
  }
  return parts;
}

Result<std::string> DeltaType(std::string_view sql_type) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kTypes = {
      {{"VARCHAR", "string"},
       {"BIGINT", "long"},
       {"INTEGER", "integer"},
       {"DOUBLE", "double"},
       {"BOOLEAN", "boolean"},
       {"DATE", "date"},
       {"TIMESTAMP WITH TIME ZONE", "timestamp"}}};
  for (const auto& [sql, delta] : kTypes) {
    if (sql == sql_type) return std::string(delta);
  }
  return Fail(ErrorKind::kUnsupported,
              fmt::format("columns of type {} are not stored; cast it to VARCHAR, BIGINT, INTEGER, "
                          "DOUBLE, BOOLEAN, DATE or TIMESTAMPTZ",
                          sql_type));
}

}  // namespace

Status RunSql(engine::Connection& connection, const std::string& sql, const Wait& wait) {
  VL_RETURN_IF_ERROR(connection.Execute(sql, wait));
  return {};
}

Result<std::vector<std::string>> ReadStrings(engine::Connection& connection, const std::string& sql,
                                             const Wait& wait) {
  VL_TRY(engine::QueryResult rows, connection.Query(sql, {}, wait));
  std::vector<std::string> texts;
  for (;;) {
    VL_TRY(const bool more, rows.Next());
    if (!more) return texts;
    texts.emplace_back(rows.GetString(0));
  }
}

std::vector<std::string_view> Lines(std::string_view text) { return Split(text, '\n'); }

std::vector<std::string_view> SplitList(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::string_view part : Split(text, ',')) {
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ') || part.ends_with('\r')) part.remove_suffix(1);
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

bool HasWord(std::string_view text, std::string_view word) {
  const auto part_of_name = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
  };
  for (size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || !part_of_name(text[at - 1])) &&
        (end == text.size() || !part_of_name(text[end]))) {
      return true;
    }
  }
  return false;
}

std::string NameList(const std::vector<std::string>& names, std::string_view prefix) {
  std::string out;
  for (const std::string& name : names) {
    out += fmt::format("{}{}{}", out.empty() ? "" : ", ", prefix, engine::QuoteName(name));
  }
  return out;
}

std::string SameKey(const std::vector<std::string>& columns, std::string_view left,
                    std::string_view right) {
  std::string out;
  for (const std::string& column : columns) {
    const std::string name = engine::QuoteName(column);
    out += fmt::format("{}{}.{} IS NOT DISTINCT FROM {}.{}", out.empty() ? "" : " AND ", left, name,
                       right, name);
  }
  return out;
}

std::string ReadParquetSql(const std::vector<std::string>& paths) {
  VL_CHECK(!paths.empty());
  std::string list;
  for (const std::string& path : paths) {
    list += (list.empty() ? "" : ", ") + engine::QuotePath(path);
  }
  return fmt::format("SELECT * FROM read_parquet([{}])", list);
}

Result<std::vector<TableColumn>> DescribeColumns(engine::Connection& connection,
                                                 const std::string& select) {
  VL_TRY(engine::QueryResult result, connection.Query("DESCRIBE " + select));
  std::vector<TableColumn> columns;
  for (;;) {
    VL_TRY(const bool more, result.Next());
    if (!more) return columns;
    std::string name(result.GetString(0));
    auto type = DeltaType(result.GetString(1));
    if (!type) return Because(std::move(type).error(), fmt::format("column {}", name));
    columns.push_back({std::move(name), std::move(*type)});
  }
}

}  // namespace vitalake::lake
