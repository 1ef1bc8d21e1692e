#include "clinical/quality.h"

#include <algorithm>

namespace vitalake::clinical {
namespace {

constexpr std::string_view kNames[kQualityCount] = {
    "unit_assumed", "converted", "text_number", "time_imprecise", "clock_ahead",
    "implausible",  "unusual",   "partial",     "off_scale",      "repeat_of"};

}  // namespace

QualitySet QualitySet::Parse(std::string_view text) {
  QualitySet set;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    for (int i = 0; i < kQualityCount; ++i) {
      if (kNames[i] == text.substr(0, end)) set.Add(static_cast<Quality>(i));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return set;
}

std::string QualitySet::ToString() const {
  std::string text;
  for (int i = 0; i < kQualityCount; ++i) {
    if (!Has(static_cast<Quality>(i))) continue;
    if (!text.empty()) text += ' ';
    text += kNames[i];
  }
  return text;
}

}  // namespace vitalake::clinical
