// Statements that the session carries out itself: settings, transactions, cursors, COPY.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vitalake::serve {

struct PgCopyOptions {
  enum class Format { kText, kCsv, kBinary };
  Format format = Format::kText;
  std::string delimiter = "\t";
  std::string null_text = "\\N";
  bool header = false;
  char quote = '"';
  char escape = '"';
  bool force_quote_all = false;
  std::vector<std::string> force_quote = {};  // columns
};

struct PgCommand {
  enum class Kind {
    kQuery,  // for the engine
    kExplain,
    kShow,  // `name`, or "all"
    kSet,   // `name` to `value`
    kReset,
    kBegin,
    kCommit,
    kRollback,
    kSavepoint,   // `name`: of settings, there is nothing else to undo
    kRelease,     // savepoint `name`
    kRollbackTo,  // savepoint `name`
    kDiscard,     // `name`: what
    kDeallocate,  // `name`, or all when it is empty
    kDeclare,     // cursor `name` for `query`
    kFetch,       // `count` rows of cursor `name`
    kMove,        // the same without giving them
    kClose,       // cursor `name`, or all when it is empty
    kCopyOut,     // `query`
    kPrepare,     // `name`, `types` of one word, with "[]" behind that of arrays, `query`
    kExecute,     // `name`, `query`: the values, a list of expressions
    kNothing,     // is answered and does nothing
  };
  Kind kind = Kind::kQuery;
  std::string tag = {};  // of CommandComplete; of rows without their number
  std::string name = {};
  std::string value = {};
  std::string query = {};
  int64_t count = std::numeric_limits<int64_t>::max();
  std::vector<std::string> types = {};
  PgCopyOptions copy = {};
  bool local = false;  // SET LOCAL
};

// What a statement is. kInvalidArgument: it is one of those above, but wrong (a syntax error);
// kUnsupported: a form that does not exist here; kPermission: it would write.
Result<PgCommand> ParsePgCommand(std::string_view statement);

}  // namespace vitalake::serve
