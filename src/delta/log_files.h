// The files of a Delta log: their names, and what of them is there.
// Source: Delta PROTOCOL, "File Types".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "storage/object_store.h"

namespace vitalake::delta {

// "silver/patient/_delta_log/" ("_delta_log/" for the root "").
std::string LogFolder(std::string_view root);
std::string CommitKey(std::string_view root, Version version);
std::string ChecksumKey(std::string_view root, Version version);
std::string CheckpointKey(std::string_view root, Version version);
std::string LastCheckpointKey(std::string_view root);

enum class CheckpointForm {
  kSingle,     // N.checkpoint.parquet
  kMultiPart,  // N.checkpoint.I.OF.parquet
  kV2,         // N.checkpoint.<uuid>.json / .parquet
};

// One complete checkpoint: its files in order of part.
struct CheckpointFiles {
  Version version{};
  CheckpointForm form = CheckpointForm::kSingle;
  std::vector<std::string> keys{};
};

struct CommitFile {
  Version version{};
  storage::ObjectInfo object{};
};

struct LogListing {
  std::vector<CommitFile> commits{};           // ascending
  std::vector<CheckpointFiles> checkpoints{};  // newest first; of one version, simplest first

  bool empty() const { return commits.empty() && checkpoints.empty(); }
  // The newest version named by any file. Not for an empty listing.
  Version latest() const;
  // The commit of that version, or null.
  const CommitFile* Find(Version version) const;
};

// Files of versions >= `from`; incomplete multi-part checkpoints are left out.
Result<LogListing> ListLog(storage::ObjectStore& store, std::string_view root, Version from);

}  // namespace vitalake::delta
