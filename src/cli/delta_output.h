// A query's rows as a new Delta table in a folder, no lake needed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/random.h"
#include "base/result.h"
#include "engine/engine.h"
#include "view/view.h"

namespace vitalake::cli {

// Where a new table goes: `path`, which must be new or an empty folder. The store's own folder
// `_vitalake`, beside it, is taken away again when nothing else is in it.
class NewTableFolder {
 public:
  // kAlreadyExists when something is there; kInvalidArgument when `path` names no folder.
  static Result<NewTableFolder> At(const std::filesystem::path& path);

  const std::filesystem::path& parent() const { return parent_; }
  const std::string& name() const { return name_; }

 private:
  std::filesystem::path parent_;
  std::string name_;
};

// Runs `select`, whose columns are those of `view`, and commits its rows as version 1 of the table
// that version 0 makes: one zstd Parquet file with statistics of every column. Returns the number
// of rows; without any there is version 0 alone. After an error the folder is as it was before,
// unless the message says that the outcome is not known. Errors as Connection's, Table::Create's
// and Transaction::Commit's.
Result<int64_t> WriteDeltaTable(engine::Engine& engine, engine::Connection& connection,
                                const std::string& select, const view::View& view,
                                const NewTableFolder& folder, Clock& clock, Random& random,
                                const Wait& wait);

}  // namespace vitalake::cli
