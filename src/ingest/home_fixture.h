// Observations of one id that are at home in one silver table or in the other.
#pragma once

#include <fmt/format.h>

#include <string>

namespace vitalake::ingest {

enum class Shape {
  kPanel,
  kHeartRate,
  kDelete,
  kRetractedHeartRate,
  kRetraction,
  kRetractedHaemoglobin  // of a code that no silver table holds
};

struct Sent {
  Shape shape;
  int version = 0;  // 0: none
};

inline std::string Message(const std::string& id, const Sent& sent) {
  if (sent.shape == Shape::kDelete) {
    return fmt::format(
        R"({{"resourceType":"Bundle","type":"transaction","entry":[{{"request":{{"method":"DELETE","url":"Observation/{}"}}}}]}})",
        id);
  }
  if (sent.shape == Shape::kRetraction) {
    return fmt::format(
        R"({{"resourceType":"Observation","id":"{}",{}"status":"entered-in-error"}})", id,
        sent.version == 0 ? "" : fmt::format(R"("meta":{{"versionId":"{}"}},)", sent.version));
  }
  const bool retracted =
      sent.shape == Shape::kRetractedHeartRate || sent.shape == Shape::kRetractedHaemoglobin;
  const std::string head = fmt::format(
      R"({{"resourceType":"Observation","id":"{}",{}"status":"{}","subject":{{"reference":"Patient/p"}},"effectiveDateTime":"2026-01-01T08:00:00Z",)",
      id, sent.version == 0 ? "" : fmt::format(R"("meta":{{"versionId":"{}"}},)", sent.version),
      retracted ? "entered-in-error" : "final");
  if (sent.shape == Shape::kRetractedHaemoglobin) {
    return head +
           R"("code":{"coding":[{"system":"http://loinc.org","code":"718-7"}]},"valueQuantity":{"value":14,"unit":"g/dL","system":"http://unitsofmeasure.org","code":"g/dL"}})";
  }
  if (sent.shape != Shape::kPanel) {
    return head +
           R"("code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}]},"valueQuantity":{"value":61,"unit":"/min","system":"http://unitsofmeasure.org","code":"/min"}})";
  }
  return head +
         R"("code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},"component":[)"
         R"({"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":121,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}},)"
         R"({"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"valueQuantity":{"value":81,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}}]})";
}

}  // namespace vitalake::ingest
