// Results on their way out: to standard output, or to a file that appears whole or not at all.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/result.h"
#include "engine/engine.h"
#include "engine/result_format.h"

namespace vitalake::cli {

// Writes to standard output. kCancelled with kOutputClosed as its message when the reader went away
// (`vitalake ... | head`): the caller ends quietly.
Status WriteStdout(std::string_view text);
inline constexpr std::string_view kOutputClosed = "standard output was closed";
bool IsOutputClosed(const Error& error);

// Messages for people: one line on standard error.
void Say(std::string_view line);

// --format and -o of a command that returns rows.
struct RowOptions {
  std::string format;      // empty: as `file` ends, else table, or ndjson with --json
  std::string file;        // empty or "-": standard output
  int64_t table_rows = 0;  // rows a table shows; 0: all
};

// By the ending of a file's name: .parquet, .csv, .json, .ndjson, .jsonl; nullopt for any other.
std::optional<engine::ResultFormat> FormatOfName(std::string_view file);

// `json` is the global --json. kInvalidArgument for Parquet without a file.
Result<engine::ResultFormat> ChooseFormat(const RowOptions& options, bool json);

// Where the text goes: standard output, or a file beside the one named that takes its place in
// Finish. Without Finish nothing is left behind. Devices and pipes are written to directly.
class OutputTarget {
 public:
  static Result<OutputTarget> Open(const std::string& file);
  OutputTarget(OutputTarget&& other) noexcept;
  OutputTarget& operator=(OutputTarget&&) = delete;
  ~OutputTarget();

  Status Write(std::string_view text);
  // The path to write to for those that open files themselves (Parquet).
  const std::filesystem::path& path() const { return temporary_; }
  Status Finish();

 private:
  OutputTarget() = default;
  int descriptor_ = -1;  // 1 is standard output
  std::filesystem::path temporary_;
  std::filesystem::path final_;
};

// All rows of `result` as `format` (not Parquet); returns how many.
Result<int64_t> WriteRows(engine::QueryResult& result, engine::ResultFormat format,
                          const RowOptions& options);

// The rows of `select` (SQL for `connection` as it is) in the form asked for, Parquet included.
Result<int64_t> WriteSelect(engine::Connection& connection, const std::string& select,
                            const RowOptions& options, bool json, const Wait& wait);

}  // namespace vitalake::cli
