// Who counts as whom: what patients say of being merged, each of itself (`replaced_by`) or of
// others (`replaces`, a JSON array of ids).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "delta/snapshot.h"

namespace vitalake::lake {

// `columns`, and those of links that silver.patient may lack where its view is the user's; then the
// rows read with them, with all: null where the table has no such column.
std::vector<std::string> LinkColumns(const delta::Snapshot& patients,
                                     std::vector<std::string> columns);
std::string LinkRows(const delta::Snapshot& patients, std::string rows);

// The relation `person_link` over patients' rows: (id_space, patient_id, person_id), whom a
// patient's readings count for: the end of the chain of `replaced_by`; in or before a cycle, the
// cycle's smallest id. Who says nothing of the kind is replaced by who says to replace them
// (`replaces`), of several by the smallest id. Only patients with a link are in it.
std::string PersonLinkSql(std::string_view patients);

// The same without a row: what models join when no patient has a link (the engine then leaves the
// join out), or when only their shape is asked for.
inline constexpr std::string_view kNoLinks =
    "SELECT '' AS id_space, '' AS patient_id, '' AS person_id WHERE false";

}  // namespace vitalake::lake
