#include "serve/postgres/lexer.h"

#include <algorithm>

namespace vitalake::serve {
namespace {

using Kind = SqlToken::Kind;

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameBegin(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool IsNamePart(char c) { return IsNameBegin(c) || IsDigit(c) || c == '$'; }
bool IsOperator(char c) {
  return std::string_view("+-*/<>=~!@#%^&|`?").find(c) != std::string_view::npos;
}
char LowerOf(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Reads one token after the other.
class Lexer {
 public:
  explicit Lexer(std::string_view sql) : sql_(sql) {}

  bool Next(SqlToken& token) {
    SkipBlank();
    if (at_ >= sql_.size()) return false;
    token.begin = at_;
    token.kind = Take();
    token.text = sql_.substr(token.begin, at_ - token.begin);
    return true;
  }

 private:
  char Peek(size_t ahead = 0) const { return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0'; }

  void SkipBlank() {
    while (at_ < sql_.size()) {
      if (IsSpace(sql_[at_])) {
        ++at_;
      } else if (sql_.substr(at_, 2) == "--") {
        at_ = std::min(sql_.find('\n', at_), sql_.size());
      } else if (sql_.substr(at_, 2) == "/*") {
        SkipComment();
      } else {
        return;
      }
    }
  }

  void SkipComment() {
    int depth = 0;
    while (at_ < sql_.size()) {
      const std::string_view two = sql_.substr(at_, 2);
      if (two == "/*") {
        ++depth;
        at_ += 2;
      } else if (two == "*/") {
        at_ += 2;
        if (--depth == 0) return;
      } else {
        ++at_;
      }
    }
  }

  Kind Take() {
    const char c = Peek();
    if (c == '\'') return TakeQuoted('\'', false, Kind::kString);
    if (c == '"') return TakeQuoted('"', false, Kind::kName);
    if ((c == 'e' || c == 'E') && Peek(1) == '\'') {
      ++at_;
      return TakeQuoted('\'', true, Kind::kString);
    }
    if (c == '$') return TakeDollar();
    if (IsNameBegin(c)) {
      while (IsNamePart(Peek())) ++at_;
      return Kind::kWord;
    }
    if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) return TakeNumber();
    if (!IsOperator(c)) {
      at_ += sql_.substr(at_, 2) == "::" ? 2 : 1;
      return Kind::kSymbol;
    }
    while (IsOperator(Peek()) && sql_.substr(at_, 2) != "--" && sql_.substr(at_, 2) != "/*") ++at_;
    return Kind::kSymbol;
  }

  Kind TakeQuoted(char quote, bool backslash, Kind kind) {
    for (++at_; at_ < sql_.size(); ++at_) {
      if (backslash && Peek() == '\\') {
        ++at_;
      } else if (Peek() == quote) {
        if (Peek(1) != quote) {
          ++at_;
          return kind;
        }
        ++at_;
      }
    }
    at_ = sql_.size();
    return kind;
  }

  Kind TakeDollar() {
    if (IsDigit(Peek(1))) {
      for (++at_; IsDigit(Peek()); ++at_) {
      }
      return Kind::kParameter;
    }
    size_t end = at_ + 1;
    while (end < sql_.size() && IsNamePart(sql_[end]) && sql_[end] != '$') ++end;
    if (end >= sql_.size() || sql_[end] != '$') {
      ++at_;
      return Kind::kSymbol;
    }
    const std::string_view tag = sql_.substr(at_, end + 1 - at_);
    const size_t close = sql_.find(tag, end + 1);
    at_ = close == sql_.npos ? sql_.size() : close + tag.size();
    return Kind::kString;
  }

  Kind TakeNumber() {
    while (IsDigit(Peek()) || Peek() == '.') ++at_;
    if (LowerOf(Peek()) == 'e') {
      const size_t sign = Peek(1) == '+' || Peek(1) == '-' ? 2 : 1;
      if (IsDigit(Peek(sign))) {
        at_ += sign;
        while (IsDigit(Peek())) ++at_;
      }
    }
    return Kind::kNumber;
  }

  std::string_view sql_;
  size_t at_ = 0;
};

std::string Undoubled(std::string_view text, char quote) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (text[i] == quote && i + 1 < text.size() && text[i + 1] == quote) ++i;
  }
  return out;
}

}  // namespace

std::vector<SqlToken> TokensOf(std::string_view sql) {
  std::vector<SqlToken> tokens;
  Lexer lexer(sql);
  for (SqlToken token; lexer.Next(token);) tokens.push_back(token);
  return tokens;
}

std::vector<std::string_view> SplitStatements(std::string_view sql) {
  std::vector<std::string_view> statements;
  size_t begin = 0;
  bool any = false;
  const auto end_at = [&](size_t end, size_t next) {
    if (any) statements.push_back(sql.substr(begin, end - begin));
    begin = next;
    any = false;
  };
  Lexer lexer(sql);
  for (SqlToken token; lexer.Next(token);) {
    if (token.text == ";") {
      end_at(token.begin, token.begin + 1);
    } else {
      any = true;
    }
  }
  end_at(sql.size(), sql.size());
  return statements;
}

std::string MeaningOf(const SqlToken& token) {
  std::string_view text = token.text;
  if (token.kind == Kind::kName || token.kind == Kind::kString) {
    const char quote = token.kind == Kind::kName ? '"' : '\'';
    if (text.front() == '$') {
      const size_t tag = text.find('$', 1) + 1;
      return std::string(text.substr(tag, text.size() - std::min(text.size(), 2 * tag)));
    }
    if (text.front() != quote) text.remove_prefix(1);  // E'...'
    text.remove_prefix(1);
    if (text.ends_with(quote)) text.remove_suffix(1);
    return Undoubled(text, quote);
  }
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), LowerOf);
  return lower;
}

bool IsKeyword(const SqlToken& token, std::string_view keyword) {
  return token.kind == Kind::kWord && token.text.size() == keyword.size() &&
         std::ranges::equal(token.text, keyword, [](char a, char b) { return LowerOf(a) == b; });
}

}  // namespace vitalake::serve
