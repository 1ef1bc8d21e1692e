// SettleHomes: two processes take in versions of one resource that are at home in different tables.
//
// Each table's commit is checked against what it read of that table alone. So one process may put a
// blood-pressure panel into silver.observation having seen nothing newer in silver.vital_sign,
// while another puts a newer single value there having seen nothing in silver.observation.
// Therefore who has committed to both looks once more at what others have put into either since it
// read them, for the keys of its own records, and takes out of silver.observation what is
// superseded, and deletes there what is deleted.
//
// Of two such processes one sees the other: a row that stays wrongly was put there after its rival
// had looked for the last time, hence after the rival's own version was in silver.vital_sign; who
// put it looks there later still. What it finds it takes away by a commit of its own, checked like
// any other, and only ever rows that a higher version stands for; so nobody needs to look again.
// A process that is killed before it has looked left its batch without the ledger's row: whoever
// goes on with the batch does it, for all of its keys.
#pragma once

#include <cstdint>

#include "base/deadline.h"
#include "base/result.h"
#include "lake/lake.h"
#include "lake/upsert.h"

namespace vitalake::lake {

// `request` is that of the table that has an `elsewhere`, `own` what came of it, `other` what came
// of the other table's; a default one where a table was not asked. All of the records' keys are
// looked for where one of the results does not say what it rests on. Returns the number of rows
// changed. Errors are those of Upsert; then it must be done again.
// Cost without another writer: the newest version of both tables is asked for.
Result<int64_t> SettleHomes(Lake& lake, const UpsertRequest& request, const UpsertResult& own,
                            const UpsertResult& other, const Wait& wait);

}  // namespace vitalake::lake
