#include "lake/gold_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

#include "lake/built_in_files.h"
#include "lake/sql_text.h"

namespace vitalake::lake {
namespace {

constexpr std::string_view kCountAll = "count(*)";

bool IsNameCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
}

// Every whole-word occurrence of `name` outside line comments, replaced.
std::string ReplaceName(std::string_view sql, std::string_view name, std::string_view by) {
  std::string out;
  for (std::string_view line : Lines(sql)) {
    const size_t comment = std::min(line.find("--"), line.size());
    size_t from = 0;
    for (size_t at = line.find(name); at < comment; at = line.find(name, from)) {
      const size_t end = at + name.size();
      const bool whole = (at == 0 || !IsNameCharacter(line[at - 1])) &&
                         (end == line.size() || !IsNameCharacter(line[end]));
      out.append(line.substr(from, at - from)).append(whole ? by : name);
      from = end;
    }
    out.append(line.substr(from)).push_back('\n');
  }
  return out;
}

std::string WithoutComments(std::string_view sql) {
  std::string out;
  for (const std::string_view line : Lines(sql)) {
    out.append(line.substr(0, line.find("--"))).push_back('\n');
  }
  return out;
}

Result<GoldSource> ParseSource(std::string_view text) {
  const size_t open = text.find('(');
  if (open == std::string_view::npos || !text.ends_with(')')) {
    return Fail(ErrorKind::kInvalidArgument, fmt::format("'{}' is not table(person column)", text));
  }
  const auto columns = SplitList(text.substr(open + 1, text.size() - open - 2));
  if (columns.empty() || columns.size() > 2) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("'{}' names not one person column and at most one day column", text));
  }
  return GoldSource{std::string(text.substr(0, open)), std::string(columns[0]),
                    std::string(columns.size() > 1 ? columns[1] : "")};
}

// "a(x, y), b(z)" -> "a(x, y)", "b(z)".
std::vector<std::string_view> SourceTexts(std::string_view text) {
  std::vector<std::string_view> parts;
  for (size_t from = 0; from < text.size();) {
    const size_t end = std::min(text.find(')', from), text.size() - 1) + 1;
    const std::string_view part = text.substr(from, end - from);
    const size_t first = part.find_first_not_of(", \r");
    if (first != part.npos) parts.push_back(part.substr(first));
    from = end;
  }
  return parts;
}

// Whether `name` stands in the SQL outside comments.
bool Mentions(std::string_view sql, std::string_view name) {
  const std::string text = WithoutComments(sql);
  return ReplaceName(text, name, "?") != ReplaceName(text, name, name);
}

// A model by day: every source says its day, and of patients it knows the links alone.
Status CheckDays(const GoldModel& model) {
  for (const GoldSource& source : model.sources) {
    if (source.table == "silver.patient") continue;
    if (source.day_column.empty() != model.day_column.empty()) {
      return Fail(ErrorKind::kInvalidArgument,
                  fmt::format("'-- day:' and the day column of {} go together", source.table));
    }
  }
  if (!model.day_column.empty() && Mentions(model.sql, "silver.patient")) {
    return Fail(ErrorKind::kInvalidArgument,
                "a model with '-- day:' reads of silver.patient no more than person_link");
  }
  return {};
}

Result<GoldModel> Parse(std::string_view name, std::string sql) {
  GoldModel model;
  model.table = fmt::format("gold.{}", name);
  for (std::string_view line : Lines(sql)) {
    if (!line.starts_with("-- ")) break;
    line.remove_prefix(3);
    const size_t colon = line.find(": ");
    const std::string_view label = line.substr(0, colon);
    const auto values = SplitList(colon == std::string_view::npos ? "" : line.substr(colon + 2));
    if (label == "view") model.is_view = true;
    if (label == "key") model.key.assign(values.begin(), values.end());
    if (label == "clustered") model.clustered_by.assign(values.begin(), values.end());
    if (label == "day" && values.size() == 1) model.day_column = values[0];
    if (label == "person" && values.size() == 1) model.person_column = values[0];
    if (label != "source") continue;
    for (std::string_view value : SourceTexts(line.substr(colon + 2))) {
      VL_TRY(GoldSource source, ParseSource(value));
      model.sources.push_back(std::move(source));
    }
  }
  model.sql = std::move(sql);
  if (!model.is_view &&
      (model.key.empty() || model.person_column.empty() || model.sources.empty())) {
    return Fail(
        ErrorKind::kInvalidArgument,
        "the leading comment needs '-- key:', '-- person:' and '-- source:' (or '-- view')");
  }
  VL_RETURN_IF_ERROR(CheckDays(model));
  return model;
}

}  // namespace

Result<std::vector<GoldModel>> LoadGoldModels(const std::filesystem::path& folder) {
  VL_TRY(const std::vector<std::string> names, ListBuiltIn(BuiltIn::kModel, folder));
  std::vector<GoldModel> models;
  for (const std::string& name : names) {
    if (!name.ends_with(".sql")) continue;
    VL_TRY(std::string sql, ReadBuiltIn(BuiltIn::kModel, folder, name));
    auto model = Parse(std::string_view(name).substr(0, name.size() - 4), std::move(sql));
    if (!model) return Because(std::move(model).error(), fmt::format("models/{}", name));
    models.push_back(std::move(*model));
  }
  return models;
}

std::string BindSources(const GoldModel& model, const std::vector<std::string>& relations,
                        std::string_view person_link_sql) {
  std::string sql = model.sql;
  for (size_t i = 0; i < model.sources.size(); ++i) {
    sql = ReplaceName(sql, model.sources[i].table, fmt::format("({})", relations[i]));
  }
  return ReplaceName(sql, "person_link", fmt::format("({})", person_link_sql));
}

bool ReadsTable(const GoldModel& model, std::string_view table) {
  return Mentions(model.sql, table);
}

std::vector<std::string> ColumnsRead(const GoldModel& model,
                                     const std::vector<std::string>& columns) {
  std::set<std::string, std::less<>> words;
  std::string word;
  std::string text = WithoutComments(model.sql) + " ";
  for (size_t at = text.find(kCountAll); at != text.npos; at = text.find(kCountAll, at)) {
    text.erase(at, kCountAll.size());
  }
  for (const char c : text) {
    if (c == '*') return columns;
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_') {
      word.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    } else if (!word.empty()) {
      words.insert(std::exchange(word, {}));
    }
  }
  std::vector<std::string> read;
  for (const std::string& column : columns) {
    if (words.contains(column)) read.push_back(column);
  }
  return read;
}

}  // namespace vitalake::lake
