#include "cli/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace vitalake::cli {
namespace {

namespace fs = std::filesystem;

Status WriteAll(int descriptor, std::string_view text, std::string_view name) {
  while (!text.empty()) {
    ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written > 0) {
      text.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EPIPE) {
      return Fail(ErrorKind::kCancelled, std::string(kOutputClosed));
    } else if (errno != EINTR) {
      ErrorKind kind = errno == ENOSPC || errno == EDQUOT ? ErrorKind::kNoSpace : ErrorKind::kIo;
      return Fail(kind, fmt::format("cannot write to {}: {}", name, std::strerror(errno)));
    }
  }
  return {};
}

bool IsSpecial(const fs::path& file) {
  struct stat info{};
  return stat(file.c_str(), &info) == 0 && !S_ISREG(info.st_mode);
}

}  // namespace

Status WriteStdout(std::string_view text) {
  return WriteAll(STDOUT_FILENO, text, "standard output");
}

bool IsOutputClosed(const Error& error) {
  return error.kind == ErrorKind::kCancelled && error.message == kOutputClosed;
}

void Say(std::string_view line) {
  std::string text(line);
  text += '\n';
  std::fwrite(text.data(), 1, text.size(), stderr);
}

std::optional<engine::ResultFormat> FormatOfName(std::string_view file) {
  using engine::ResultFormat;
  for (const auto& [ending, format] :
       {std::pair(".parquet", ResultFormat::kParquet), std::pair(".csv", ResultFormat::kCsv),
        std::pair(".json", ResultFormat::kJson), std::pair(".ndjson", ResultFormat::kNdjson),
        std::pair(".jsonl", ResultFormat::kNdjson)}) {
    if (file.ends_with(ending)) return format;
  }
  return std::nullopt;
}

Result<engine::ResultFormat> ChooseFormat(const RowOptions& options, bool json) {
  using engine::ResultFormat;
  if (options.format.empty()) {
    if (const auto named = FormatOfName(options.file)) return *named;
    return json ? ResultFormat::kNdjson : ResultFormat::kTable;
  }
  VL_TRY(ResultFormat format, engine::ParseResultFormat(options.format));
  if (format == ResultFormat::kParquet && (options.file.empty() || options.file == "-")) {
    return Fail(ErrorKind::kInvalidArgument, "--format parquet needs a file: add -o FILE");
  }
  return format;
}

Result<OutputTarget> OutputTarget::Open(const std::string& file) {
  OutputTarget target;
  if (file.empty() || file == "-") {
    target.descriptor_ = STDOUT_FILENO;
    return target;
  }
  bool special = IsSpecial(file);
  fs::path path = special ? fs::path(file) : fs::path(fmt::format("{}.{}.tmp", file, getpid()));
  int flags = special ? O_WRONLY : O_WRONLY | O_CREAT | O_TRUNC;
  target.descriptor_ = open(path.c_str(), flags | O_CLOEXEC, 0666);
  if (target.descriptor_ < 0) {
    int code = errno;
    ErrorKind kind = code == EACCES || code == EPERM ? ErrorKind::kPermission
                     : code == ENOENT                ? ErrorKind::kNotFound
                                                     : ErrorKind::kIo;
    return Fail(kind, fmt::format("cannot write to -o {}: {}", file, std::strerror(code)));
  }
  target.final_ = file;
  target.temporary_ = std::move(path);
  return target;
}

OutputTarget::OutputTarget(OutputTarget&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      temporary_(std::exchange(other.temporary_, {})),
      final_(std::exchange(other.final_, {})) {}

OutputTarget::~OutputTarget() {
  if (descriptor_ > STDOUT_FILENO) close(descriptor_);
  if (!temporary_.empty() && temporary_ != final_) {
    std::error_code ignored;
    fs::remove(temporary_, ignored);
  }
}

Status OutputTarget::Write(std::string_view text) {
  return WriteAll(descriptor_, text, final_.empty() ? "standard output" : final_.string());
}

Status OutputTarget::Finish() {
  if (descriptor_ == STDOUT_FILENO) return {};
  if (close(std::exchange(descriptor_, -1)) != 0) {
    return Fail(ErrorKind::kIo,
                fmt::format("cannot write to {}: {}", final_.string(), std::strerror(errno)));
  }
  if (temporary_ == final_) return {};
  std::error_code error;
  fs::rename(temporary_, final_, error);
  if (error) {
    return Fail(ErrorKind::kIo,
                fmt::format("cannot write to {}: {}", final_.string(), error.message()));
  }
  temporary_.clear();
  return {};
}

Result<int64_t> WriteRows(engine::QueryResult& result, engine::ResultFormat format,
                          const RowOptions& options) {
  VL_TRY(OutputTarget target, OutputTarget::Open(options.file));
  engine::FormatOptions layout;
  layout.table_max_rows = options.table_rows;
  // Pieces are gathered: one write per 64 KB, not per row.
  std::string gathered;
  auto sink = [&](std::string_view piece) -> Status {
    gathered.append(piece);
    if (gathered.size() < (64u << 10)) return {};
    return target.Write(std::exchange(gathered, {}));
  };
  VL_TRY(int64_t rows, engine::WriteResult(result, format, sink, layout));
  VL_RETURN_IF_ERROR(target.Write(gathered));
  VL_RETURN_IF_ERROR(target.Finish());
  return rows;
}

Result<int64_t> WriteSelect(engine::Connection& connection, const std::string& select,
                            const RowOptions& options, bool json, const Wait& wait) {
  VL_TRY(engine::ResultFormat format, ChooseFormat(options, json));
  if (format != engine::ResultFormat::kParquet) {
    VL_TRY(engine::QueryResult result, connection.Stream(select, {}, wait));
    return WriteRows(result, format, options);
  }
  VL_TRY(OutputTarget target, OutputTarget::Open(options.file));
  VL_TRY(int64_t rows, engine::WriteParquetResult(connection, select, target.path(), wait));
  VL_RETURN_IF_ERROR(target.Finish());
  return rows;
}

}  // namespace vitalake::cli
