// Patients' facts as the monitor takes them: out of silver.patient, and as ops.action keeps them.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "ingest/monitoring/watched_record.h"
#include "lake/lake.h"

namespace vitalake::ingest {

// {"birth_day": 7000, "deceased": true, "version": 3, ...}; what is absent is left out.
std::string ToJson(const WatchedPatient& patient);
// kCorrupt when it is none. The id is not in it.
Result<WatchedPatient> PatientFromJson(std::string_view id, std::string_view json);

// The ids in a JSON array of texts; none when it is no such array.
std::vector<std::string> IdsOf(std::string_view json);

// One stream's look at silver.patient. Not thread-safe.
class PatientFacts {
 public:
  PatientFacts(lake::Lake& lake, std::string id_space)
      : lake_(lake), id_space_(std::move(id_space)) {}

  // Those of `ids` that the table has, in the order of their ids, and all that are identifiers
  // (kByIdentifier); and whoever they were merged into, by their own word or the survivors', and so
  // on.
  Result<std::vector<WatchedPatient>> Find(const std::set<std::string>& ids, const Wait& wait);

  // From the first call on changes count: whoever asks Find for all patients behind it misses none.
  Status Begin();
  // The patients whose rows changed since the last call, or since Begin, whom these say to replace,
  // and the identifiers they hold, or said and held; with kByIdentifier itself, any identifier may
  // be another's, as it changed who is one person. nullopt: the table's history does not reach back
  // so far, all may have. Cheap when the table did not change.
  Result<std::optional<std::set<std::string>>> Changed(const Wait& wait);

 private:
  Result<std::vector<WatchedPatient>> FindRows(const std::set<std::string>& ids, const Wait& wait);
  Result<std::vector<WatchedPatient>> FindHolders(const std::set<std::string>& ids,
                                                  const Wait& wait);
  Result<std::string> SubjectLinks(const delta::SnapshotPtr& patients,
                                   const std::string& wanted) const;
  Status ReadClaims(const Wait& wait);

  lake::Lake& lake_;
  std::string id_space_;
  // Who say to replace a patient: of version claims_at_ of the table.
  std::map<std::string, std::set<std::string>> claims_;
  int64_t claims_at_ = -1;
  int64_t seen_ = -1;  // version of silver.patient
};

}  // namespace vitalake::ingest
