// Whom readings are of that name their patient by a business identifier alone
// (`subject.identifier`, `Patient?identifier=`): silver keeps it in `subject_identifier`, as
// "system|value", or "value" of whatever system, and leaves `patient_id` null. Such a reading
// counts for the one person who holds the identifier, as long as there is one.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

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

// Whether a lake has such readings. Thread-safe; the lake must outlive it.
class SubjectNames {
 public:
  explicit SubjectNames(Lake& lake) : lake_(lake) {}
  // Of the tables as they are now; looks at a table again when it has changed.
  Result<bool> Any(const Wait& wait);

 private:
  struct Seen {
    int64_t version = -1;
    bool any = false;
  };
  Result<bool> AnyIn(std::string_view table, const Wait& wait);

  Lake& lake_;
  std::mutex mutex_;  // guards what follows
  std::map<std::string, Seen, std::less<>> seen_;
};

}  // namespace vitalake::lake
