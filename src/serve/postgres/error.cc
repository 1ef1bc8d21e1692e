// Source: PostgreSQL documentation, appendix "PostgreSQL Error Codes".
#include "serve/postgres/error.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/utf8.h"

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
    StateRule{"Binder Error", "window functions are not allowed", "42P20"},
    StateRule{"Binder Error", "ORDER term out of range", "42P10"},
    StateRule{"Binder Error", "", "42601"},
    StateRule{"Conversion Error", "date field value out of range", "22008"},
    StateRule{"Conversion Error", "timestamp field value out of range", "22008"},
    StateRule{"Conversion Error", "out of range", "22003"},
    StateRule{"Conversion Error", "invalid date field", "22007"},
    StateRule{"Conversion Error", "invalid timestamp field", "22007"},
    StateRule{"Conversion Error", "invalid time field", "22007"},
    StateRule{"Conversion Error", "", "22P02"},
    StateRule{"Out of Range Error", "", "22003"},
    StateRule{"Divide by Zero Error", "", "22012"},
    // Those that the catalogue's macros raise.
    StateRule{"Invalid Input Error", "division by zero", "22012"},
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

std::string StateOf(const Error& error) {
  for (const StateRule& rule : kRules) {
    if (error.message.starts_with(rule.begin) && error.message.contains(rule.part)) {
      return std::string(rule.state);
    }
  }
  return std::string(StateOfKind(error.kind));
}

// The engine's "LINE 2: select nam\n               ^" as the byte of the statement it points at.
std::optional<size_t> PlaceOf(std::string_view shown, std::string_view statement) {
  constexpr std::string_view kLine = "LINE ";
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
  size_t begin = 0;
  for (; line > 1; --line) {
    begin = statement.find('\n', begin);
    if (begin == statement.npos) return std::nullopt;
    ++begin;
  }
  if (text.starts_with("...") && column >= 3) {  // a long line is shown in part
    text.remove_prefix(3);
    column -= 3;
  }
  if (text.ends_with("...")) text.remove_suffix(3);
  const size_t at = statement.find(text, begin);
  if (at == statement.npos) return std::nullopt;
  size_t byte = at;  // the caret counts characters
  for (; column > 0 && byte < statement.size(); --column) {
    ++byte;
    while (byte < statement.size() &&
           (static_cast<unsigned char>(statement[byte]) & 0xC0) == 0x80) {
      ++byte;
    }
  }
  if (column > 0) return std::nullopt;
  return byte;
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
    if (const auto byte = PlaceOf(shown, statement)) {
      const std::string_view before = statement.substr(0, *byte);
      told.position = 1 + std::ranges::count_if(before, [](char c) {
                        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
                      });
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
