// Whose alerts are a person's. An alert keeps the patient it was raised for; who looks for those of
// a person means theirs, too, whose readings count for that person: patients merged into them
// (lake/person_link.h), and the business identifiers that they alone hold, by which readings were
// sent (lake/subject_link.h).
#pragma once

#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "lake/lake.h"

namespace vitalake::ingest {

struct AlertOwner {
  std::string id_space;
  std::string id;  // patient_id of alerts
  bool operator==(const AlertOwner&) const = default;
};

// All besides the patient of that id, in any id space, as the tables say now. Reads the columns of
// silver.patient that link patients.
Result<std::vector<AlertOwner>> OtherOwners(lake::Lake& lake, const std::string& patient,
                                            const Wait& wait);

// A condition over rows of ops.alert.
std::string OwnedSql(const std::string& patient, const std::vector<AlertOwner>& others);

}  // namespace vitalake::ingest
