#include <array>

#include "engine/duckdb_internal.h"

namespace vitalake::engine {
namespace {

struct Rule {
  std::string_view part;
  ErrorKind kind;
};

// By the words inside, tried first: DuckDB's own classes are too wide to tell these apart.
constexpr std::array kByWords = {
    Rule{"No space left on device", ErrorKind::kNoSpace},
    Rule{"No files found that match", ErrorKind::kNotFound},
    Rule{"No such file or directory", ErrorKind::kNotFound},
    Rule{"Permission denied", ErrorKind::kPermission},
    Rule{"No magic bytes found", ErrorKind::kCorrupt},
    Rule{"too small to be a Parquet file", ErrorKind::kCorrupt},
    Rule{"TProtocolException", ErrorKind::kCorrupt},
    Rule{"Invalid Parquet", ErrorKind::kCorrupt},
    Rule{"ecompression failure", ErrorKind::kCorrupt},
    Rule{"ecompression failed", ErrorKind::kCorrupt},
    Rule{"Footer length error", ErrorKind::kCorrupt},
    Rule{"footer length", ErrorKind::kCorrupt},
    Rule{"Out of buffer", ErrorKind::kCorrupt},
};

// By the class that begins the message.
constexpr std::array kByClass = {
    Rule{"Parser Error", ErrorKind::kInvalidArgument},
    Rule{"Syntax Error", ErrorKind::kInvalidArgument},
    Rule{"Binder Error", ErrorKind::kInvalidArgument},
    Rule{"Catalog Error", ErrorKind::kInvalidArgument},
    Rule{"Conversion Error", ErrorKind::kInvalidArgument},
    Rule{"Invalid Input Error", ErrorKind::kInvalidArgument},
    Rule{"Out of Range Error", ErrorKind::kInvalidArgument},
    Rule{"Mismatch Type Error", ErrorKind::kInvalidArgument},
    Rule{"Divide by Zero Error", ErrorKind::kInvalidArgument},
    Rule{"Constraint Error", ErrorKind::kInvalidArgument},
    Rule{"Parameter", ErrorKind::kInvalidArgument},
    Rule{"Settings Error", ErrorKind::kInvalidArgument},
    Rule{"Invalid Configuration Error", ErrorKind::kInvalidArgument},
    Rule{"Dependency Error", ErrorKind::kInvalidArgument},
    Rule{"Invalid type Error", ErrorKind::kInvalidArgument},
    Rule{"Expression Error", ErrorKind::kInvalidArgument},
    Rule{"Decimal Error", ErrorKind::kInvalidArgument},
    Rule{"Permission Error", ErrorKind::kPermission},
    Rule{"Out of Memory Error", ErrorKind::kLimit},
    Rule{"Object Size Error", ErrorKind::kLimit},
    Rule{"INTERRUPT Error", ErrorKind::kCancelled},
    Rule{"Interrupt Error", ErrorKind::kCancelled},
    Rule{"IO Error", ErrorKind::kIo},
    Rule{"Not implemented Error", ErrorKind::kUnsupported},
    Rule{"Missing Extension Error", ErrorKind::kUnsupported},
    Rule{"TransactionContext Error", ErrorKind::kConflict},
    Rule{"Serialization Error", ErrorKind::kCorrupt},
};

ErrorKind KindOf(std::string_view message) {
  for (const Rule& rule : kByWords) {
    if (message.find(rule.part) != message.npos) return rule.kind;
  }
  for (const Rule& rule : kByClass) {
    if (message.starts_with(rule.part)) return rule.kind;
  }
  return ErrorKind::kInternal;
}

}  // namespace

std::string TakeText(char* text) {
  if (!text) return {};
  std::string copy(text);
  duckdb_free(text);
  return copy;
}

Error ErrorFromDuckDb(std::string_view message) {
  return {KindOf(message), std::string(message), {}};
}

}  // namespace vitalake::engine
