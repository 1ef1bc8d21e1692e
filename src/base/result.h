// Result<T> and Error: how every fallible function of Vitalake answers.
//
// An Error is for a run (or one call) that could not go on. A bad *record* is not an Error: it is
// an Issue (fhir/issue.h), and the run goes on.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vitalake {

enum class ErrorKind {
  kInvalidArgument,  // the caller's (user's) words are off: a flag, a key, a query
  kNotFound,         // the named file, table, version, column does not exist
  kAlreadyExists,    // it exists and must not
  kPermission,       // the operating system or store refused
  kNoSpace,          // disk or quota full
  kIo,               // any other failed read or write
  kCorrupt,          // bytes on disk break their own format
  kUnsupported,      // understood, but a feature we do not have (named in the message)
  kConflict,         // lost an optimistic race for good
  kUnknownOutcome,   // a write may or may not have happened
  kCancelled,        // stop was requested
  kDeadline,         // the deadline passed
  kLimit,            // a configured limit was reached
  kInternal,         // a fault of ours
};

// "not found", "no space left", ...: for messages and logs.
std::string_view ToString(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string message;               // what happened and, where known, what to do next
  std::vector<std::string> context;  // where, innermost first: "table silver.patient", "a.json:3"

  // "message (innermost; ...; outermost)".
  std::string ToString() const;
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

inline std::unexpected<Error> Fail(ErrorKind kind, std::string message) {
  return std::unexpected<Error>(Error{kind, std::move(message), {}});
}

// Adds one line of context to an error on its way up.
inline std::unexpected<Error> Because(Error error, std::string where) {
  error.context.push_back(std::move(where));
  return std::unexpected<Error>(std::move(error));
}

}  // namespace vitalake

#define VL_CONCAT_INNER(a, b) a##b
#define VL_CONCAT(a, b) VL_CONCAT_INNER(a, b)

// VL_TRY(auto x, Call()): x = *Call(), or returns its error. VL_TRY(x, ...) assigns.
#define VL_TRY_IMPL(result, target, ...)                              \
  auto result = (__VA_ARGS__);                                        \
  if (!result) return ::std::unexpected(::std::move(result).error()); \
  target = ::std::move(*result)
#define VL_TRY(target, ...) VL_TRY_IMPL(VL_CONCAT(vl_result_, __LINE__), target, __VA_ARGS__)

// VL_RETURN_IF_ERROR(Call()): for Status; returns its error.
#define VL_RETURN_IF_ERROR_IMPL(result, ...) \
  if (auto result = (__VA_ARGS__); !result) return ::std::unexpected(::std::move(result).error())
#define VL_RETURN_IF_ERROR(...) \
  VL_RETURN_IF_ERROR_IMPL(VL_CONCAT(vl_status_, __LINE__), __VA_ARGS__)
