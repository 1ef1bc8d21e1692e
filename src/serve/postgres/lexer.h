// SQL text as tokens: enough to tell statements apart, and the commands that the session handles
// itself. What a query means is for the engine's parser.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vitalake::serve {

struct SqlToken {
  enum class Kind {
    kWord,       // an unquoted name or keyword
    kName,       // "a name"
    kString,     // 'text', E'text', $tag$text$tag$
    kNumber,     // 1, 1.5e3
    kParameter,  // $1
    kSymbol,     // one character of punctuation, or an operator
  };
  Kind kind = Kind::kSymbol;
  std::string_view text;  // as written
  size_t begin = 0;       // byte in the whole
};

// White space and comments are left out. A quote that is not closed reaches to the end.
std::vector<SqlToken> TokensOf(std::string_view sql);

// The statements between semicolons, those without tokens left out.
std::vector<std::string_view> SplitStatements(std::string_view sql);

// A name as it is meant: unquoted in lower case, quoted without its quotes. A string likewise.
std::string MeaningOf(const SqlToken& token);

// Whether the token is this keyword (given in lower case), unquoted.
bool IsKeyword(const SqlToken& token, std::string_view keyword);

}  // namespace vitalake::serve
