// Whom readings are of that name their patient by a business identifier alone
// (`subject.identifier`, `Patient?identifier=`): silver keeps it in `subject_identifier`, as
// "system|value", or "value" of whatever system, and leaves `patient_id` null. Such a reading
// counts for the one person who holds the identifier, as long as there is one.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/deadline.h"
#include "base/result.h"
#include "delta/snapshot.h"
#include "engine/relation.h"

namespace vitalake::lake {

class Lake;

// Tables of an earlier version, or of a user's view, may not tell.
bool MayNameByIdentifier(const delta::Snapshot& readings);
bool KeepIdentifiers(const delta::Snapshot& patients);

// (id_space, subject_identifier) of those of the rows of readings that do so, each once.
std::string NamedByIdentifierSql(std::string_view readings);
// The same of a table, of which only files with readings of no known patient are read.
Result<std::string> NamedByIdentifierSql(const engine::TableFiles& readings);

// (id_space, identifier, patient_id): what patients' rows of `id_space`, `id` and `identifiers`
// hold, in both forms.
std::string HeldIdentifiersSql(std::string_view patients);

// (id_space, subject_identifier, patient_id) of the identifiers in the relation `named` that one
// person holds. `held` and `links` are relations of HeldIdentifiersSql and PersonLinkSql.
std::string SubjectLinkSql(std::string_view named, std::string_view held, std::string_view links);

// Rows of readings with the patient found in the relation `subject_link`, where they name none.
std::string WithSubjectsSql(std::string_view rows, std::string_view subject_link);

// What is known of a lake's readings of that kind. Thread-safe; the lake must outlive it.
class SubjectNames {
 public:
  explicit SubjectNames(Lake& lake) : lake_(lake) {}
  // Whether there are any in the tables as they are now; looks at a table again when it has
  // changed.
  Result<bool> Any(const Wait& wait);

  // Identifiers (id_space, identifier) that several rows of `patients` hold: whose they are as
  // SubjectLinkSql says, or nobody's. Any other one is of the row that holds it. Null: they are too
  // many to be kept. Made anew for another version.
  using Shared = std::map<std::pair<std::string, std::string>, std::optional<std::string>>;
  static constexpr size_t kMostShared = 100'000;
  Result<std::shared_ptr<const Shared>> SharedIdentifiers(const delta::SnapshotPtr& patients,
                                                          const Wait& wait);

 private:
  struct Seen {
    int64_t version = -1;
    bool any = false;
  };
  Result<bool> AnyIn(std::string_view table, const Wait& wait);

  Lake& lake_;
  std::mutex mutex_;  // guards seen_
  std::map<std::string, Seen, std::less<>> seen_;
  std::mutex sharing_;  // guards what follows, also while it is made: others wait for it
  std::shared_ptr<const Shared> shared_;
  int64_t shared_at_ = -1;  // version of silver.patient
};

}  // namespace vitalake::lake
