#include "view/lexer.h"

#include <fmt/format.h>

#include <charconv>

#include "view/temporal.h"

namespace vitalake::view {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> Run() {
    std::vector<Token> tokens;
    for (;;) {
      VL_RETURN_IF_ERROR(SkipBlank());
      start_ = at_;
      VL_TRY(Token token, Next());
      token.offset = start_;
      tokens.push_back(std::move(token));
      if (tokens.back().kind == TokenKind::kEnd) return tokens;
    }
  }

 private:
  char Peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  std::unexpected<Error> Bad(std::string_view what) const {
    return Fail(ErrorKind::kInvalidArgument, fmt::format("{} at character {}", what, start_ + 1));
  }

  Status SkipBlank() {
    for (;;) {
      const char c = Peek();
      if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        ++at_;
      } else if (c == '/' && Peek(1) == '/') {
        while (at_ < text_.size() && Peek() != '\n') ++at_;
      } else if (c == '/' && Peek(1) == '*') {
        start_ = at_;
        const size_t end = text_.find("*/", at_ + 2);
        if (end == std::string_view::npos) return Bad("a comment is not closed");
        at_ = end + 2;
      } else {
        return {};
      }
    }
  }

  Result<Token> Next() {
    const char c = Peek();
    if (at_ == text_.size()) return Token{TokenKind::kEnd, "", at_};
    if (IsLetter(c)) return Token{TokenKind::kName, Name(), 0};
    if (IsDigit(c)) return Number();
    switch (c) {
      case '\'':
        return Quoted(TokenKind::kString, '\'');
      case '`':
        return Quoted(TokenKind::kQuoted, '`');
      case '@':
        return Moment();
      case '$':
        ++at_;
        if (!IsLetter(Peek())) return Bad("'$' without a name");
        return Token{TokenKind::kVariable, Name(), 0};
      case '%':
        return Constant();
      default:
        return Symbol();
    }
  }

  std::string Name() {
    const size_t from = at_;
    while (IsLetter(Peek()) || IsDigit(Peek())) ++at_;
    return std::string(text_.substr(from, at_ - from));
  }

  Result<Token> Number() {
    while (IsDigit(Peek())) ++at_;
    if (Peek() == '.' && IsDigit(Peek(1))) {
      ++at_;
      while (IsDigit(Peek())) ++at_;
    }
    if (IsLetter(Peek())) return Bad("a number runs into a name");
    return Token{TokenKind::kNumber, std::string(text_.substr(start_, at_ - start_)), 0};
  }

  Result<Token> Constant() {
    ++at_;
    if (IsLetter(Peek())) return Token{TokenKind::kConstant, Name(), 0};
    if (Peek() == '\'' || Peek() == '`') return Quoted(TokenKind::kConstant, Peek());
    return Bad("'%' without a name");
  }

  // yyyy-mm-ddThh:mm:ss.fff+zz:zz, shortened from the right, or Thh:mm.
  Result<Token> Moment() {
    ++at_;
    const auto rest_of = [&](std::string_view more) {
      const size_t from = at_;
      while (IsDigit(Peek()) || (Peek() != '\0' && more.find(Peek()) != std::string_view::npos)) {
        if (Peek() == '.' && !IsDigit(Peek(1))) break;
        ++at_;
      }
      return text_.substr(from, at_ - from);
    };
    if (Peek() == 'T') {
      ++at_;
      const std::string_view time = rest_of(":.");
      if (!ParseTime(time)) return Bad("no valid time");
      return Token{TokenKind::kTime, std::string(time), 0};
    }
    const std::string_view moment = rest_of("-T:.+Z");
    if (!ParseMoment(moment)) return Bad("no valid date or time");
    const bool has_time = moment.find('T') != std::string_view::npos;
    return Token{has_time ? TokenKind::kDateTime : TokenKind::kDate, std::string(moment), 0};
  }

  Result<Token> Quoted(TokenKind kind, char quote) {
    Token token{kind, "", 0};
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == quote) {
        ++at_;
        return token;
      }
      if (c != '\\') {
        token.text += c;
      } else if (!Escape(token.text)) {
        return Bad("a bad escape in the text");
      }
    }
    return Bad("a text is not closed");
  }

  // At the backslash; leaves at_ at the escape's last character.
  bool Escape(std::string& out) {
    static constexpr std::string_view kFrom = "'\"`rntf\\/", kTo = "'\"`\r\n\t\f\\/";
    ++at_;
    if (const size_t k = kFrom.find(Peek()); Peek() != '\0' && k != std::string_view::npos) {
      out += kTo[k];
      return true;
    }
    unsigned code = 0;
    if (Peek() != 'u' || at_ + 4 >= text_.size()) return false;
    const char* digits = text_.data() + at_ + 1;
    if (std::from_chars(digits, digits + 4, code, 16).ptr != digits + 4) return false;
    at_ += 4;
    if (code >= 0xD800 && code < 0xE000) return false;
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += {static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F))};
    } else {
      out += {static_cast<char>(0xE0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 0x3F)),
              static_cast<char>(0x80 | (code & 0x3F))};
    }
    return true;
  }

  Result<Token> Symbol() {
    for (std::string_view two : {"<=", ">=", "!=", "!~"}) {
      if (text_.substr(at_).starts_with(two)) {
        at_ += 2;
        return Token{TokenKind::kSymbol, std::string(two), 0};
      }
    }
    if (std::string_view("+-*/|&()[]{}.,<>=~").find(Peek()) == std::string_view::npos) {
      return Bad(fmt::format("unexpected '{}'", Peek()));
    }
    return Token{TokenKind::kSymbol, std::string(1, text_[at_++]), 0};
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t start_ = 0;
};

}  // namespace

Result<std::vector<Token>> Tokenize(std::string_view expression) { return Lexer(expression).Run(); }

}  // namespace vitalake::view
