// A view's rows as a new Delta table in a folder, no lake needed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/random.h"
#include "base/result.h"
#include "engine/engine.h"
#include "engine/parquet_files.h"
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

// Writes rows with the columns of the view to the file named.
using WriteViewFile = std::function<Result<engine::WrittenFile>(const std::filesystem::path&)>;

// Has `write` make a file, with statistics of every column, and commits it as version 1 of the
// table that version 0 makes. Returns the number of rows; without any there is version 0 alone.
// After an error the folder is as it was before, unless the message says that the outcome is not
// known. Errors as those of `write`, Table::Create and Transaction::Commit.
Result<int64_t> WriteDeltaTable(engine::Engine& engine, const view::View& view,
                                const WriteViewFile& write, const NewTableFolder& folder,
                                Clock& clock, Random& random, const Wait& wait);

}  // namespace vitalake::cli
