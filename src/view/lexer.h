// Lexer: the tokens of a FHIRPath expression.
// Source: FHIRPath 2.0, Lexical Elements and the grammar's lexer rules.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vitalake::view {

enum class TokenKind : uint8_t {
  kName,    // identifier or keyword
  kQuoted,  // `delimited identifier`
  kString,  // unescaped
  kNumber,
  kDate,  // the three without '@'; a time without its 'T'
  kDateTime,
  kTime,
  kVariable,  // $this: without '$'
  kConstant,  // %name: without '%'
  kSymbol,    // operators and brackets
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;
  size_t offset = 0;  // in the expression, bytes
};

// Ends with a kEnd token. kInvalidArgument with the place of what is no token.
Result<std::vector<Token>> Tokenize(std::string_view expression);

}  // namespace vitalake::view
