// Where one SQL statement ends in what a person types.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vitalake::cli {

// Gathers lines until a `;` outside quotes and comments ends a statement. Knows '...', "...",
// $tag$...$tag$, -- comments and nested /* */ comments, as PostgreSQL and DuckDB do.
class StatementReader {
 public:
  // Adds one line (without its line end).
  void AddLine(std::string_view line);
  // The next whole statement without its `;`, blank ones skipped; nullopt until there is one.
  std::optional<std::string> Next();
  // What is left when the input ends: "" when only blanks and comments are.
  std::string Rest();
  // Whether nothing but blanks waits: the prompt is that of a first line.
  bool empty() const;
  void Clear();

 private:
  std::string text_;
};

// The offset of the first `;` of `text` that ends a statement; npos when there is none.
size_t FindStatementEnd(std::string_view text);

// Whether `text` holds only blanks and comments.
bool IsBlankSql(std::string_view text);

}  // namespace vitalake::cli
