#include "serve/postgres/rewrite.h"

#include <algorithm>

#include "serve/postgres/lexer.h"

namespace vitalake::serve {
namespace {

using Kind = SqlToken::Kind;

// Where the catalogue's views of that schema are; not longer than its name.
constexpr std::string_view kInformationSchema = "postgres.info";

bool IsNamed(const SqlToken& token, std::string_view name) {
  return (token.kind == Kind::kWord || token.kind == Kind::kName) && MeaningOf(token) == name;
}

// The catalogue's types of oid and "char" (catalog/30_types.sql), as long as those.
constexpr std::string_view kOidType = "u32";
constexpr std::string_view kCharType = "pgchar";

// What `x.tableoid` is in the join with pg_description, which has no rows; not longer than that.
constexpr std::string_view kNoTable = "0::u32";

// Puts `text` in the place of the tokens [first, last], and blanks behind it.
void Replace(std::string& sql, const SqlToken& first, const SqlToken& last, std::string_view text) {
  const size_t end = last.begin + last.text.size();
  std::fill(sql.begin() + static_cast<std::ptrdiff_t>(first.begin),
            sql.begin() + static_cast<std::ptrdiff_t>(end), ' ');
  std::ranges::copy(text, sql.begin() + static_cast<std::ptrdiff_t>(first.begin));
}

// `#` is no operator's sign to the engine: catalog/20_operators.sql has this one's meaning.
constexpr std::string_view kPathOperator = "@>>";

// Names without quotes are in lower case; so are those that the columns of the answer have.
void Fold(std::string& sql, const SqlToken& word) {
  std::ranges::copy(MeaningOf(word), sql.begin() + static_cast<std::ptrdiff_t>(word.begin));
}

bool IsPlainCollation(const SqlToken& token) {
  const std::string name = MeaningOf(token);
  return name == "C" || name == "c" || name == "default" || name == "POSIX" ||
         name == "ucs_basic" || name == "en_US" || name == "en_US.UTF-8";
}

// Of each token, whether a type stands there: behind `::`, and behind the AS of a CAST.
std::vector<bool> TypePlaces(const std::vector<SqlToken>& tokens) {
  std::vector<bool> places(tokens.size(), false);
  std::vector<bool> casts;  // of the parentheses that are open
  for (size_t i = 0; i < tokens.size(); ++i) {
    const bool in_cast = !casts.empty() && casts.back();
    if (tokens[i].text == "(") {
      casts.push_back(i > 0 && IsKeyword(tokens[i - 1], "cast"));
    } else if (tokens[i].text == ")") {
      if (!casts.empty()) casts.pop_back();
    } else if (tokens[i].text == "::" || (in_cast && IsKeyword(tokens[i], "as"))) {
      const bool schema = i + 2 < tokens.size() && tokens[i + 2].text == ".";
      if (const size_t type = i + (schema ? 3 : 1); type < tokens.size()) places[type] = true;
    }
  }
  return places;
}

}  // namespace

std::string EngineSql(std::string_view statement) {
  std::string sql(statement);
  const std::vector<SqlToken> tokens = TokensOf(statement);
  const auto is = [&](size_t i, std::string_view symbol) {
    return i < tokens.size() && tokens[i].text == symbol;
  };
  const std::vector<bool> types = TypePlaces(tokens);
  const bool described = std::ranges::any_of(
      tokens, [](const SqlToken& token) { return IsNamed(token, "pg_description"); });
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].kind == Kind::kWord) Fold(sql, tokens[i]);
    if (types[i] && IsKeyword(tokens[i], "oid")) {
      Replace(sql, tokens[i], tokens[i], kOidType);
    } else if (types[i] && tokens[i].text == "\"char\"") {
      Replace(sql, tokens[i], tokens[i], kCharType);
    } else if (IsKeyword(tokens[i], "operator") && is(i + 1, "(") && is(i + 3, ".") &&
               is(i + 5, ")")) {
      Replace(sql, tokens[i], tokens[i + 5], tokens[i + 4].text);
      i += 5;
    } else if (IsKeyword(tokens[i], "collate") && i + 1 < tokens.size()) {
      const size_t name = is(i + 2, ".") && i + 3 < tokens.size() ? i + 3 : i + 1;
      if (!IsPlainCollation(tokens[name])) continue;
      Replace(sql, tokens[i], tokens[name], "");
      i = name;
    } else if (IsNamed(tokens[i], "pg_catalog") && is(i + 1, ".")) {
      Replace(sql, tokens[i], tokens[i + 1], "");
      ++i;
    } else if (IsNamed(tokens[i], "information_schema") && is(i + 1, ".")) {
      Replace(sql, tokens[i], tokens[i], kInformationSchema);
      ++i;
    } else if (tokens[i].text == "#>>") {
      Replace(sql, tokens[i], tokens[i], kPathOperator);
    } else if (described && is(i + 1, ".") && i + 2 < tokens.size() &&
               IsKeyword(tokens[i + 2], "tableoid")) {
      Replace(sql, tokens[i], tokens[i + 2], kNoTable);
      i += 2;
    }
  }
  return sql;
}

}  // namespace vitalake::serve
