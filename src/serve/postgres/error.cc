// Source: PostgreSQL documentation, appendix "PostgreSQL Error Codes".
#include "serve/postgres/error.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "base/utf8.h"
#include "serve/postgres/lexer.h"
#include "serve/postgres/rewrite.h"

namespace vitalake::serve {
namespace {

struct StateRule {
  std::string_view begin;  // of the engine's message: its class
  std::string_view part;   // somewhere in it
  std::string_view state;
};

// The first that fits.
constexpr std::array kRules = {
    StateRule{"Parser Error", "", "42601"},
    StateRule{"Catalog Error", "Table with name", "42P01"},
    StateRule{"Catalog Error", "Function with name", "42883"},
    StateRule{"Catalog Error", "Type with name", "42704"},
    StateRule{"Catalog Error", "Schema with name", "3F000"},
    StateRule{"Catalog Error", "", "42704"},
    StateRule{"Binder Error", "No function matches", "42883"},
    StateRule{"Binder Error", "Ambiguous reference", "42702"},
    StateRule{"Binder Error", "must appear in the GROUP BY clause", "42803"},
    StateRule{"Binder Error", "cannot contain aggregates", "42803"},
    StateRule{"Binder Error", "aggregate function calls cannot be nested", "42803"},
    StateRule{"Binder Error", "Referenced table", "42P01"},
    StateRule{"Binder Error", "Referenced column", "42703"},
    StateRule{"Binder Error", "does not have a column named", "42703"},
    StateRule{"Binder Error", "not found in FROM clause", "42703"},
    StateRule{"Binder Error", "Catalog \"", "0A000"},
    StateRule{"Binder Error", "Duplicate alias", "42712"},
    StateRule{"Binder Error", "Cannot compare values", "42883"},
    StateRule{"Binder Error", "Set operations can only apply", "42601"},
    StateRule{"Binder Error", "LIMIT/OFFSET cannot be negative", "2201W"},
    // Of operators: '1' + 1 and 'a' + 1 alike.
    StateRule{"Binder Error", "STRING_LITERAL", "22P02"},
    StateRule{"Binder Error", "window functions are not allowed", "42P20"},
    StateRule{"Binder Error", "ORDER term out of range", "42P10"},
    StateRule{"Binder Error", "", "42601"},
    StateRule{"Conversion Error", "date field value out of range", "22008"},
    StateRule{"Conversion Error", "timestamp field value out of range", "22008"},
    StateRule{"Conversion Error", "Could not cast value", "22003"},
    StateRule{"Conversion Error", "out of range", "22003"},
    StateRule{"Conversion Error", "invalid date field", "22007"},
    StateRule{"Conversion Error", "invalid timestamp field", "22007"},
    StateRule{"Conversion Error", "invalid time field", "22007"},
    StateRule{"Conversion Error", " to INTERVAL", "22007"},
    StateRule{"Conversion Error", "", "22P02"},
    StateRule{"Out of Range Error", "square root of a negative", "2201F"},
    StateRule{"Out of Range Error", "cannot take logarithm", "2201E"},
    StateRule{"Out of Range Error", "", "22003"},
    StateRule{"Divide by Zero Error", "", "22012"},
    // Those that the catalogue's macros raise.
    StateRule{"Invalid Input Error", "division by zero", "22012"},
    StateRule{"Invalid Input Error", "negative substring length", "22011"},
    StateRule{"Invalid Input Error", "null values cannot be formatted", "22004"},
    StateRule{"Invalid Input Error", "too many ", "54000"},
    StateRule{"Invalid Input Error", "relation \"", "42P01"},
    StateRule{"Invalid Input Error", "type \"", "42704"},
    StateRule{"Invalid Input Error", "schema \"", "3F000"},
    StateRule{"Invalid Input Error", "unrecognized configuration parameter", "42704"},
    StateRule{"Invalid Input Error", "More than one row returned by a subquery", "21000"},
    StateRule{"Invalid Input Error", "Malformed JSON", "22P02"},
    StateRule{"Invalid Input Error", "", "22023"},
    StateRule{"Out of Memory Error", "", "53200"},
    StateRule{"Not implemented Error", "", "0A000"},
    StateRule{"Permission Error", "", "42501"},
};

std::string_view StateOfKind(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidArgument:
      return "42601";
    case ErrorKind::kNotFound:
      return "42P01";
    case ErrorKind::kPermission:
      return "42501";
    case ErrorKind::kNoSpace:
      return "53100";
    case ErrorKind::kIo:
      return "58030";
    case ErrorKind::kCorrupt:
      return "XX001";
    case ErrorKind::kUnsupported:
      return "0A000";
    case ErrorKind::kConflict:
      return "40001";
    case ErrorKind::kCancelled:
    case ErrorKind::kDeadline:
      return "57014";
    case ErrorKind::kLimit:
      return "54000";
    default:
      return "XX000";
  }
}

// What stands in the first quotes of either kind.
std::string_view Quoted(std::string_view message) {
  const size_t open = message.find_first_of("'\"");
  if (open == message.npos) return {};
  const size_t close = message.find(message[open], open + 1);
  return close == message.npos ? std::string_view{} : message.substr(open + 1, close - open - 1);
}

bool IsNumber(std::string_view text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  return !text.empty() && read.ptr == end;
}

// The engine has one message for a text that is none of the type and one that is too much for it.
std::string_view StateOfValue(std::string_view message) {
  const std::string_view value = Quoted(message);
  if (message.starts_with("Conversion Error: time field value out of range")) {
    return !value.empty() && value[0] >= '0' && value[0] <= '9' ? "22008" : "22007";
  }
  if (message.starts_with("Conversion Error: Could not convert string") && IsNumber(value)) {
    return "22003";
  }
  return "";
}

std::string StateOf(const Error& error) {
  if (const auto state = StateOfValue(error.message); !state.empty()) return std::string(state);
  for (const StateRule& rule : kRules) {
    if (error.message.starts_with(rule.begin) && error.message.contains(rule.part)) {
      return std::string(rule.state);
    }
  }
  return std::string(StateOfKind(error.kind));
}

// "cast($1 as integer)" as `$1`, which it was before it got a type. `at`, a byte of the text, goes
// with it.
std::string WithoutTypes(std::string_view text, size_t& at) {
  constexpr std::string_view kCast = "cast($";
  std::string out;
  size_t copied = 0, moved = at;
  for (size_t begin = text.find(kCast); begin != text.npos; begin = text.find(kCast, begin + 1)) {
    const size_t number = begin + kCast.size() - 1;
    const size_t number_end = text.find_first_not_of("0123456789", number + 1);
    if (number_end == text.npos || !text.substr(number_end).starts_with(" as ")) continue;
    size_t end = number_end;
    for (int depth = 1; end < text.size() && depth > 0; ++end) {
      depth += text[end] == '(' ? 1 : text[end] == ')' ? -1 : 0;
    }
    out += text.substr(copied, begin - copied);
    if (at >= begin && at < end) moved = out.size();
    out += text.substr(number, number_end - number);
    if (at >= end) moved -= (end - begin) - (number_end - number);
    copied = end;
  }
  at = moved;
  return out += text.substr(copied);
}

// The byte where a text that the engine shows in part begins in the statement's line.
std::optional<size_t> Find(std::string_view statement, std::string_view text, size_t line) {
  size_t begin = 0;
  for (; line > 1; --line) {
    begin = statement.find('\n', begin);
    if (begin == statement.npos) return std::nullopt;
    ++begin;
  }
  const size_t at = statement.find(text, begin);
  return at == statement.npos ? std::nullopt : std::optional(at);
}

// The engine's "LINE 2: select nam\n               ^" as the byte of the statement it points at.
// `engine_sql` is the statement as the engine had it, byte by byte.
std::optional<size_t> PlaceOf(std::string_view shown, std::string_view statement,
                              std::string_view engine_sql) {
  constexpr std::string_view kLine = "LINE ", kLeftOut = "...";
  size_t line = 0;
  const auto number =
      std::from_chars(shown.data() + kLine.size(), shown.data() + shown.size(), line);
  const size_t prefix = static_cast<size_t>(number.ptr - shown.data()) + 2;  // ": "
  const size_t line_end = shown.find('\n');
  if (line == 0 || line_end == shown.npos || prefix > line_end) return std::nullopt;
  const size_t caret = shown.find('^', line_end);
  if (caret == shown.npos || caret - line_end - 1 < prefix) return std::nullopt;
  size_t column = caret - line_end - 1 - prefix;
  std::string_view text = shown.substr(prefix, line_end - prefix);
  if (text.starts_with(kLeftOut) && column >= kLeftOut.size()) {  // a long line is shown in part
    text.remove_prefix(kLeftOut.size());
    column -= kLeftOut.size();
  }
  if (text.ends_with(kLeftOut)) text.remove_suffix(kLeftOut.size());
  size_t at = 0;  // the caret counts characters
  for (; column > 0 && at < text.size(); --column) {
    ++at;
    while (at < text.size() && IsInsideCharacter(text[at])) ++at;
  }
  if (column > 0) return std::nullopt;
  for (const std::string_view sql : {engine_sql, statement}) {
    if (const auto begin = Find(sql, text, line)) return *begin + at;
  }
  const std::string untyped = WithoutTypes(text, at);
  if (const auto begin = Find(engine_sql, untyped, line)) return *begin + at;
  return std::nullopt;
}

// Of a cast PostgreSQL names the place of the constant, the engine that of `::` or CAST.
size_t PlaceOfConstant(std::string_view statement, size_t byte) {
  using Kind = SqlToken::Kind;
  const std::vector<SqlToken> tokens = TokensOf(statement);
  const auto found = std::ranges::find(tokens, byte, &SqlToken::begin);
  const auto i = static_cast<size_t>(found - tokens.begin());
  const auto is_constant = [&](size_t at) {
    return at < tokens.size() &&
           (tokens[at].kind == Kind::kString || tokens[at].kind == Kind::kNumber);
  };
  if (found == tokens.end()) return byte;
  if (found->text == "::" && i > 0 && is_constant(i - 1)) return tokens[i - 1].begin;
  if (IsKeyword(*found, "cast") && is_constant(i + 2)) return tokens[i + 2].begin;
  return byte;
}

// LIMIT and OFFSET have one message.
bool IsOffset(std::string_view statement, size_t byte) {
  const std::vector<SqlToken> tokens = TokensOf(statement.substr(0, byte));
  return !tokens.empty() && IsKeyword(tokens.back(), "offset");
}

// Takes what begins with `mark` off the end.
std::string TakeFrom(std::string& text, std::string_view mark) {
  const size_t at = text.find(mark);
  if (at == text.npos) return {};
  std::string rest = text.substr(at);
  text.resize(at);
  return rest;
}

void TrimEnd(std::string& text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
}

}  // namespace

PgError PgErrorOf(const Error& error, std::string_view statement) {
  PgError told{.state = StateOf(error), .message = error.message};
  if (error.kind == ErrorKind::kCancelled) {
    told.message = "canceling statement due to user request";
    return told;
  }
  if (error.kind == ErrorKind::kDeadline) {
    told.message = "canceling statement due to statement timeout";
    return told;
  }
  const std::string shown = TakeFrom(told.message, "LINE ");
  if (!shown.empty()) {
    if (const auto byte = PlaceOf(shown, statement, EngineSql(statement))) {
      if (told.state == "2201W" && IsOffset(statement, *byte)) told.state = "2201X";
      const auto before = statement.substr(0, PlaceOfConstant(statement, *byte));
      told.position = 1 + CharactersIn(before);
    }
  }
  TrimEnd(told.message);
  told.hint = TakeFrom(told.message, "Did you mean");
  if (told.hint.empty()) told.hint = TakeFrom(told.message, "Candidate ");
  if (told.hint.empty()) told.hint = TakeFrom(told.message, "HINT: ");
  TrimEnd(told.message);
  constexpr std::string_view kClassEnd = " Error: ";
  if (const size_t end = told.message.find(kClassEnd);
      end != std::string::npos && end < 24) {  // "Catalog Error: "
    told.message.erase(0, end + kClassEnd.size());
  }
  return told;
}

}  // namespace vitalake::serve
