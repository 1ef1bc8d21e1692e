// What killed processes leave behind in scratch space, and taking it away.
#pragma once

#include <filesystem>

namespace vitalake::lake {

// In a store's staging folder: work folders ("<purpose>-<uuid>") whose owner is gone, and single
// files of the store and of checkpoints ("put-...", "checkpoint-...") that are older than a day,
// which none of them takes. Files of other names have owners of their own (ingest's copies).
void SweepStaging(const std::filesystem::path& staging);

// Folders "<spill>-<uuid>" of query engines that are gone.
void SweepSpill(const std::filesystem::path& spill);

}  // namespace vitalake::lake
