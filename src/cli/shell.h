// The interactive SQL shell: statements over several lines, history, backslash commands.
#pragma once

#include "base/result.h"
#include "cli/command.h"
#include "engine/sql_session.h"

namespace vitalake::cli {

// Reads statements from standard input until \q or its end, and gives out their rows. On a terminal
// an error is told and the shell goes on; from a pipe the first error ends it. Ctrl-C cancels the
// running statement, or throws the typed lines away.
Result<int> RunShell(Context& context, lake::Lake& lake, engine::SqlSession& session,
                     const RowOptions& options);

}  // namespace vitalake::cli
