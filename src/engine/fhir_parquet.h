// A view over FHIR files straight into a Parquet file: the same rows as read_fhir gives, without a
// statement.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "engine/fhir_scan.h"
#include "engine/parquet_files.h"
#include "view/view.h"

namespace vitalake::engine {

// Writes the rows of `view` for the files of `patterns` (ExpandPaths) to `target`, by so many
// threads; rows come in no order. The file is complete then, but not durable; after an error it is
// not there. Statistics are given for all columns. Memory: a row group and a block a thread.
Result<WrittenFile> WriteFhirParquet(const std::vector<std::string>& patterns,
                                     std::shared_ptr<const view::View> view,
                                     const FhirScanOptions& options,
                                     const std::filesystem::path& target, int threads,
                                     const Wait& wait = {});

}  // namespace vitalake::engine
