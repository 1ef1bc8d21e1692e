#include "fhir/issue.h"

namespace vitalake::fhir {

std::string_view ToString(Severity severity) {
  switch (severity) {
    case Severity::kFatal:
      return "fatal";
    case Severity::kError:
      return "error";
    case Severity::kWarning:
      return "warning";
    case Severity::kInformation:
      return "information";
  }
  return "error";
}

}  // namespace vitalake::fhir
