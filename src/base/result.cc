#include "base/result.h"

namespace vitalake {

std::string_view ToString(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidArgument:
      return "invalid argument";
    case ErrorKind::kNotFound:
      return "not found";
    case ErrorKind::kAlreadyExists:
      return "already exists";
    case ErrorKind::kPermission:
      return "permission denied";
    case ErrorKind::kNoSpace:
      return "no space left";
    case ErrorKind::kIo:
      return "input/output error";
    case ErrorKind::kCorrupt:
      return "corrupt";
    case ErrorKind::kUnsupported:
      return "unsupported";
    case ErrorKind::kConflict:
      return "conflict";
    case ErrorKind::kUnknownOutcome:
      return "unknown outcome";
    case ErrorKind::kCancelled:
      return "cancelled";
    case ErrorKind::kDeadline:
      return "deadline passed";
    case ErrorKind::kLimit:
      return "limit reached";
    case ErrorKind::kInternal:
      return "internal error";
  }
  return "error";
}

std::string Error::ToString() const {
  if (context.empty()) return message;
  std::string out = message + " (";
  for (size_t i = 0; i < context.size(); ++i) {
    if (i > 0) out += "; ";
    out += context[i];
  }
  return out + ")";
}

}  // namespace vitalake
