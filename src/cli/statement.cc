#include "cli/statement.h"

namespace vitalake::cli {
namespace {

constexpr size_t kNone = std::string_view::npos;

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool IsTagLetter(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// The offset behind the quoted text that begins at `at`; the text's end when it is not closed.
size_t SkipQuoted(std::string_view text, size_t at) {
  size_t end = text.find(text[at], at + 1);
  return end == kNone ? text.size() : end + 1;  // a doubled quote begins the next quoted text
}

size_t SkipBlockComment(std::string_view text, size_t at) {
  int depth = 0;
  for (; at < text.size(); ++at) {
    if (text.substr(at, 2) == "/*") {
      ++depth;
      ++at;
    } else if (text.substr(at, 2) == "*/") {
      ++at;
      if (--depth == 0) return at + 1;
    }
  }
  return at;
}

// `at` when no dollar quote begins there.
size_t SkipDollarQuoted(std::string_view text, size_t at) {
  size_t end = at + 1;
  while (end < text.size() && IsTagLetter(text[end])) ++end;
  if (end >= text.size() || text[end] != '$') return at;
  if (end > at + 1 && text[at + 1] >= '0' && text[at + 1] <= '9') return at;  // $1$: a parameter
  std::string_view tag = text.substr(at, end + 1 - at);
  size_t close = text.find(tag, end + 1);
  return close == kNone ? text.size() : close + tag.size();
}

// The offset behind the token at `at`: a quoted text, a comment, or one character.
size_t SkipToken(std::string_view text, size_t at) {
  if (text[at] == '\'' || text[at] == '"') return SkipQuoted(text, at);
  if (text.substr(at, 2) == "--") {
    size_t end = text.find('\n', at);
    return end == kNone ? text.size() : end + 1;
  }
  if (text.substr(at, 2) == "/*") return SkipBlockComment(text, at);
  if (text[at] == '$') {
    size_t end = SkipDollarQuoted(text, at);
    if (end != at) return end;
  }
  return at + 1;
}

bool IsComment(std::string_view text, size_t at) {
  return text.substr(at, 2) == "--" || text.substr(at, 2) == "/*";
}

}  // namespace

size_t FindStatementEnd(std::string_view text) {
  for (size_t at = 0; at < text.size(); at = SkipToken(text, at)) {
    if (text[at] == ';') return at;
  }
  return kNone;
}

bool IsBlankSql(std::string_view text) {
  for (size_t at = 0; at < text.size(); at = SkipToken(text, at)) {
    if (!IsBlank(text[at]) && !IsComment(text, at)) return false;
  }
  return true;
}

void StatementReader::AddLine(std::string_view line) { text_.append(line).append("\n"); }

std::optional<std::string> StatementReader::Next() {
  while (true) {
    size_t end = FindStatementEnd(text_);
    if (end == kNone) return std::nullopt;
    std::string statement = text_.substr(0, end);
    text_.erase(0, end + 1);
    if (!IsBlankSql(statement)) return statement;
  }
}

std::string StatementReader::Rest() {
  std::string rest = IsBlankSql(text_) ? "" : std::move(text_);
  text_.clear();
  return rest;
}

bool StatementReader::empty() const {
  return text_.find_first_not_of(" \t\r\n") == std::string::npos;
}

void StatementReader::Clear() { text_.clear(); }

}  // namespace vitalake::cli
