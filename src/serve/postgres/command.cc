#include "serve/postgres/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "engine/engine.h"
#include "engine/place_mark.h"
#include "serve/postgres/lexer.h"

namespace vitalake::serve {
namespace {

using Kind = PgCommand::Kind;

// Statements that write, which are refused by name: the engine's own words would not say why.
constexpr std::array<std::string_view, 22> kWriting = {
    "insert", "update", "delete",  "merge",  "create",  "drop",    "alter",   "truncate",
    "grant",  "revoke", "comment", "vacuum", "analyze", "cluster", "reindex", "refresh",
    "lock",   "call",   "attach",  "detach", "install", "load"};

// Goes through a statement's tokens.
class Reader {
 public:
  explicit Reader(std::string_view sql) : sql_(sql), tokens_(TokensOf(sql)) {}

  bool done() const { return at_ == tokens_.size(); }
  const SqlToken& token() const { return tokens_[at_]; }
  bool Is(std::string_view keyword) const { return !done() && IsKeyword(token(), keyword); }
  bool IsSymbol(std::string_view symbol) const { return !done() && token().text == symbol; }
  bool Take(std::string_view word) {
    if (!Is(word) && !IsSymbol(word)) return false;
    ++at_;
    return true;
  }
  // A name or a value of one token; "" at the end.
  std::string TakeName() { return done() ? std::string() : MeaningOf(tokens_[at_++]); }
  // The text from here on.
  std::string Rest() const {
    return done() ? std::string() : std::string(sql_.substr(token().begin));
  }
  // The text in the brackets that open here, which are passed; nullopt: they do not close.
  std::optional<std::string> TakeBrackets() {
    if (!Take("(")) return std::nullopt;
    const size_t begin = done() ? sql_.size() : token().begin;
    int depth = 1;
    for (; !done(); ++at_) {
      if (IsSymbol("(")) ++depth;
      if (IsSymbol(")") && --depth == 0) {
        const size_t end = token().begin;
        ++at_;
        return std::string(sql_.substr(begin, end - begin));
      }
    }
    return std::nullopt;
  }
  std::unexpected<Error> SyntaxError() const {
    std::string message = "Parser Error: syntax error at end of input";
    if (!done())
      message = fmt::format("Parser Error: syntax error at or near \"{}\"", token().text);
    return Fail(ErrorKind::kInvalidArgument,
                message + engine::PlaceMark(sql_, done() ? sql_.size() : token().begin));
  }

 private:
  std::string_view sql_;
  std::vector<SqlToken> tokens_;
  size_t at_ = 0;
};

PgCommand Plain(Kind kind, std::string_view tag) {
  PgCommand command;
  command.kind = kind;
  command.tag = tag;
  return command;
}

// The values of SET, put together as PostgreSQL shows them.
std::string TakeValues(Reader& reader) {
  std::string value;
  bool minus = false;
  while (!reader.done()) {
    if (reader.Take(",")) {
      value += ", ";
    } else if (reader.Take("-")) {
      minus = true;
    } else if (!reader.Take("+")) {
      value += (minus ? "-" : "") + reader.TakeName();
      minus = false;
    }
  }
  return value;
}

// Modes of transactions are taken as they come: there is one snapshot per statement, read-only.
Result<PgCommand> ParseSet(Reader& reader) {
  PgCommand command = Plain(Kind::kSet, "SET");
  if (reader.Take("session")) {
    if (reader.Take("characteristics")) return Plain(Kind::kNothing, "SET");
    if (reader.Take("authorization")) return Plain(Kind::kNothing, "SET");
  } else {
    command.local = reader.Take("local");
  }
  if (reader.Take("transaction")) return Plain(Kind::kNothing, "SET");
  if (reader.Take("constraints")) return Plain(Kind::kNothing, "SET CONSTRAINTS");
  if (reader.Take("time")) {
    if (!reader.Take("zone")) return reader.SyntaxError();
    command.name = "TimeZone";
  } else if (reader.Take("names")) {
    command.name = "client_encoding";
  } else {
    command.name = reader.TakeName();
    while (reader.Take(".")) command.name += "." + reader.TakeName();
    if (command.name == "role") return Plain(Kind::kNothing, "SET");
    if (!reader.Take("to") && !reader.Take("=")) return reader.SyntaxError();
  }
  if (reader.done()) return reader.SyntaxError();
  command.value = TakeValues(reader);
  return command;
}

Result<PgCommand> ParseShow(Reader& reader) {
  PgCommand command = Plain(Kind::kShow, "SHOW");
  if (reader.Take("time")) {
    command.name = "TimeZone";
    return command;
  }
  if (reader.Take("transaction")) {
    command.name = "transaction_isolation";
    return command;
  }
  if (reader.Is("tables") || reader.Is("databases") || reader.Is("schemas") ||
      reader.Is("columns")) {
    return Plain(Kind::kQuery, "SHOW");
  }
  command.name = reader.TakeName();
  while (reader.Take(".")) command.name += "." + reader.TakeName();
  if (command.name == "all" && reader.Is("tables")) return Plain(Kind::kQuery, "SHOW");
  if (command.name.empty() || !reader.done()) return reader.SyntaxError();
  return command;
}

Result<PgCommand> ParseSavepoint(Reader& reader, Kind kind, std::string_view tag) {
  PgCommand command = Plain(kind, tag);
  if (kind != Kind::kSavepoint) reader.Take("savepoint");
  if (reader.done()) return reader.SyntaxError();
  command.name = reader.TakeName();
  return command;
}

Result<PgCommand> ParseRollback(Reader& reader) {
  if (!reader.Take("transaction")) reader.Take("work");
  if (reader.Take("to")) return ParseSavepoint(reader, Kind::kRollbackTo, "ROLLBACK");
  return Plain(Kind::kRollback, "ROLLBACK");
}

Result<PgCommand> ParseDeclare(Reader& reader) {
  PgCommand command = Plain(Kind::kDeclare, "DECLARE CURSOR");
  command.name = reader.TakeName();
  while (!reader.done() && !reader.Is("for")) {
    if (reader.Take("scroll")) {
      return Fail(ErrorKind::kUnsupported, "cursors can only be read forwards: NO SCROLL");
    }
    if (reader.Take("no")) {
      if (!reader.Take("scroll")) return reader.SyntaxError();
    } else if (reader.Take("with")) {
      return Fail(ErrorKind::kUnsupported, "cursors end with their transaction: WITHOUT HOLD");
    } else if (reader.Take("binary")) {
      command.value = "binary";
    } else if (!reader.Take("insensitive") && !reader.Take("asensitive") &&
               !reader.Take("cursor") && !reader.Take("without") && !reader.Take("hold")) {
      return reader.SyntaxError();
    }
  }
  if (!reader.Take("for")) return reader.SyntaxError();
  command.query = reader.Rest();
  return command;
}

Result<PgCommand> ParseFetch(Reader& reader, Kind kind, std::string_view tag) {
  PgCommand command = Plain(kind, tag);
  command.count = 1;
  if (reader.Take("backward") || reader.Take("prior") || reader.Take("last") ||
      reader.Take("absolute") || reader.Take("relative") || reader.Take("first")) {
    return Fail(ErrorKind::kUnsupported, "cursors can only be read forwards");
  }
  if (!reader.Take("next")) reader.Take("forward");
  if (reader.Take("all")) {
    command.count = std::numeric_limits<int64_t>::max();
  } else if (!reader.done() && reader.token().kind == SqlToken::Kind::kNumber) {
    const std::string number = reader.TakeName();
    std::from_chars(number.data(), number.data() + number.size(), command.count);
  }
  if (!reader.Take("from")) reader.Take("in");
  if (reader.done()) return reader.SyntaxError();
  command.name = reader.TakeName();
  return command;
}

// Options of COPY that have another default in CSV: whether they were given.
struct CopyGiven {
  bool delimiter = false, null_text = false, escape = false;
};

// Behind FORCE_QUOTE: `*`, or columns, which the old form has without brackets.
Status TakeForceQuote(Reader& reader, PgCopyOptions& copy) {
  copy.force_quote_all = reader.Take("*");
  if (copy.force_quote_all) return {};
  const bool brackets = reader.Take("(");
  do {
    if (reader.done() || reader.IsSymbol(")")) return reader.SyntaxError();
    copy.force_quote.push_back(reader.TakeName());
  } while (reader.Take(","));
  if (brackets && !reader.Take(")")) return reader.SyntaxError();
  return {};
}

// One option of COPY; of the old form without brackets, too.
Status TakeCopyOption(Reader& reader, PgCopyOptions& copy, CopyGiven& given) {
  using Format = PgCopyOptions::Format;
  std::string name = reader.TakeName();
  if (name == "format") name = reader.TakeName();
  if (name == "csv" || name == "text" || name == "binary") {
    copy.format = name == "csv" ? Format::kCsv : name == "text" ? Format::kText : Format::kBinary;
  } else if (name == "header") {
    copy.header = true;
    if (reader.Is("false") || reader.Is("off") || reader.IsSymbol("0")) copy.header = false;
    if (!reader.done() && !reader.IsSymbol(",") && !reader.IsSymbol(")")) {
      if (reader.Is("true") || reader.Is("false") || reader.Is("on") || reader.Is("off") ||
          reader.IsSymbol("0") || reader.IsSymbol("1")) {
        reader.TakeName();
      }
    }
  } else if (name == "delimiter" || name == "null" || name == "quote" || name == "escape") {
    reader.Take("as");
    const std::string value = reader.TakeName();
    if (name == "null") {
      copy.null_text = value;
      given.null_text = true;
      return {};
    }
    if (value.size() != 1) {
      return Fail(ErrorKind::kInvalidArgument,
                  fmt::format("COPY {} must be a single one-byte character", name));
    }
    if (name == "delimiter") {
      copy.delimiter = value;
      given.delimiter = true;
    } else if (name == "quote") {
      copy.quote = value[0];
    } else {
      copy.escape = value[0];
      given.escape = true;
    }
  } else if (name == "force_quote" || (name == "force" && reader.Take("quote"))) {
    return TakeForceQuote(reader, copy);
  } else if (name == "encoding") {
    reader.TakeName();
  } else {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("Parser Error: option \"{}\" of COPY is not recognized", name));
  }
  return {};
}

Result<PgCommand> ParseCopy(Reader& reader) {
  PgCommand command = Plain(Kind::kCopyOut, "COPY");
  if (reader.IsSymbol("(")) {
    auto query = reader.TakeBrackets();
    if (!query) return reader.SyntaxError();
    command.query = std::move(*query);
  } else {
    std::string table = engine::QuoteName(reader.TakeName());
    while (reader.Take(".")) table += "." + engine::QuoteName(reader.TakeName());
    std::string columns = "*";
    if (reader.IsSymbol("(")) columns = reader.TakeBrackets().value_or("*");
    command.query = fmt::format("SELECT {} FROM {}", columns, table);
  }
  if (reader.Take("from")) {
    return Fail(ErrorKind::kPermission, "cannot execute COPY FROM in a read-only transaction");
  }
  if (!reader.Take("to")) return reader.SyntaxError();
  if (!reader.Take("stdout")) {
    return Fail(ErrorKind::kPermission, "COPY writes to STDOUT only, to no file or program");
  }
  reader.Take("with");
  const bool brackets = reader.Take("(");
  CopyGiven given;
  while (!reader.done() && !reader.IsSymbol(")")) {
    VL_RETURN_IF_ERROR(TakeCopyOption(reader, command.copy, given));
    if (brackets) reader.Take(",");
  }
  if (brackets && !reader.Take(")")) return reader.SyntaxError();
  if (command.copy.format == PgCopyOptions::Format::kCsv) {
    if (!given.delimiter) command.copy.delimiter = ",";
    if (!given.null_text) command.copy.null_text.clear();
    if (!given.escape) command.copy.escape = command.copy.quote;
  }
  return command;
}

// Types as they are declared: "int, pg_catalog.text[], timestamp(3) with time zone".
std::vector<std::string> TypesIn(std::string_view list) {
  struct LongName {
    std::string_view name, word;
  };
  constexpr std::array kLongNames = {
      LongName{"double precision", "float8"},
      LongName{"character varying", "varchar"},
      LongName{"character", "bpchar"},
      LongName{"char", "bpchar"},
      LongName{"time without time zone", "time"},
      LongName{"timestamp without time zone", "timestamp"},
      LongName{"timestamp with time zone", "timestamptz"},
  };
  std::vector<std::string> types;
  std::string name;
  bool array = false;
  int depth = 0;
  const auto end = [&] {
    const auto found = std::ranges::find(kLongNames, name, &LongName::name);
    if (found != kLongNames.end()) name = found->word;
    types.push_back(name + (array ? "[]" : ""));
    name.clear();
    array = false;
  };
  for (const SqlToken& token : TokensOf(list)) {
    if (token.text == "(") ++depth;
    if (token.text == ")") --depth;
    if (depth > 0 || token.text == ")") continue;
    if (token.text == ",") {
      end();
    } else if (token.text == ".") {
      name.clear();  // the schema
    } else if (token.text == "[") {
      array = true;
    } else if (token.text != "]") {
      name += (name.empty() ? "" : " ") + MeaningOf(token);
    }
  }
  end();
  return types;
}

Result<PgCommand> ParsePrepare(Reader& reader) {
  PgCommand command = Plain(Kind::kPrepare, "PREPARE");
  command.name = reader.TakeName();
  if (reader.IsSymbol("(")) {
    const auto types = reader.TakeBrackets();
    if (!types) return reader.SyntaxError();
    command.types = TypesIn(*types);
  }
  if (!reader.Take("as")) return reader.SyntaxError();
  command.query = reader.Rest();
  return command;
}

}  // namespace

Result<PgCommand> ParsePgCommand(std::string_view statement) {
  Reader reader(statement);
  if (reader.done()) return Plain(Kind::kNothing, "");
  for (const std::string_view word : kWriting) {
    if (!reader.Is(word)) continue;
    std::string tag(word);
    std::ranges::transform(tag, tag.begin(), [](unsigned char c) { return std::toupper(c); });
    return Fail(ErrorKind::kPermission,
                fmt::format("cannot execute {} in a read-only transaction", tag));
  }
  if (reader.Take("set")) return ParseSet(reader);
  if (reader.Take("reset")) {
    PgCommand command = Plain(Kind::kReset, "RESET");
    command.name = reader.TakeName();
    if (command.name == "session") return Plain(Kind::kNothing, "RESET");
    return command;
  }
  if (reader.Take("show")) return ParseShow(reader);
  if (reader.Take("begin")) return Plain(Kind::kBegin, "BEGIN");
  if (reader.Take("start")) return Plain(Kind::kBegin, "START TRANSACTION");
  if (reader.Take("commit") || reader.Take("end")) return Plain(Kind::kCommit, "COMMIT");
  if (reader.Take("rollback") || reader.Take("abort")) return ParseRollback(reader);
  if (reader.Take("savepoint")) return ParseSavepoint(reader, Kind::kSavepoint, "SAVEPOINT");
  if (reader.Take("release")) return ParseSavepoint(reader, Kind::kRelease, "RELEASE");
  if (reader.Take("discard")) {
    PgCommand command = Plain(Kind::kDiscard, "DISCARD");
    command.name = reader.TakeName();
    command.tag += command.name == "all" ? " ALL" : command.name == "plans" ? " PLANS" : " TEMP";
    return command;
  }
  if (reader.Take("deallocate")) {
    PgCommand command = Plain(Kind::kDeallocate, "DEALLOCATE");
    reader.Take("prepare");
    if (reader.Take("all")) {
      command.tag = "DEALLOCATE ALL";
    } else {
      command.name = reader.TakeName();
    }
    return command;
  }
  if (reader.Take("declare")) return ParseDeclare(reader);
  if (reader.Take("fetch")) return ParseFetch(reader, Kind::kFetch, "FETCH");
  if (reader.Take("move")) return ParseFetch(reader, Kind::kMove, "MOVE");
  if (reader.Take("close")) {
    PgCommand command = Plain(Kind::kClose, "CLOSE CURSOR");
    if (reader.Take("all")) {
      command.tag = "CLOSE CURSOR ALL";
    } else {
      command.name = reader.TakeName();
    }
    return command;
  }
  if (reader.Take("listen")) return Plain(Kind::kNothing, "LISTEN");
  if (reader.Take("unlisten")) return Plain(Kind::kNothing, "UNLISTEN");
  if (reader.Take("notify")) return Plain(Kind::kNothing, "NOTIFY");
  if (reader.Take("copy")) return ParseCopy(reader);
  if (reader.Take("prepare")) return ParsePrepare(reader);
  if (reader.Take("execute")) {
    PgCommand command = Plain(Kind::kExecute, "EXECUTE");
    command.name = reader.TakeName();
    if (reader.IsSymbol("(")) command.query = reader.TakeBrackets().value_or("");
    return command;
  }
  if (reader.Is("explain")) return Plain(Kind::kExplain, "EXPLAIN");
  return Plain(Kind::kQuery, "SELECT");
}

}  // namespace vitalake::serve
