// Rows in the formats of COPY TO.
//
// Source: PostgreSQL documentation, "COPY", section "File Formats".
#pragma once

#include <string>
#include <vector>

#include "engine/engine.h"
#include "serve/postgres/command.h"
#include "serve/postgres/types.h"

namespace vitalake::serve {

// Of each column, whether its values are quoted in any case. kNotFound: FORCE_QUOTE names none of
// them.
Result<std::vector<bool>> ForcedQuotes(const PgCopyOptions& options,
                                       const std::vector<PgColumn>& columns);
// Appends what stands before the rows: a signature, a header; nothing for most.
void AppendCopyBegin(const PgCopyOptions& options, const std::vector<PgColumn>& columns,
                     std::string& out);
void AppendCopyRow(const PgCopyOptions& options, const std::vector<bool>& forced,
                   const engine::QueryResult& row, std::string& out);
// What stands behind them.
void AppendCopyEnd(const PgCopyOptions& options, std::string& out);

}  // namespace vitalake::serve
