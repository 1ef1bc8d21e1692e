// A ParquetIo for tests of the log: its "Parquet" is the action lines themselves between a head
// line and a foot line with their count, so that a cut or torn file is noticed, as with Parquet.
#pragma once

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <string>

#include "base/json_tree.h"
#include "base/json_writer.h"
#include "delta/json_copy.h"
#include "delta/parquet_io.h"

namespace vitalake::delta {

class NdjsonParquet final : public ParquetIo {
 public:
  Status ReadActions(const std::filesystem::path& file, const std::vector<std::string>& columns,
                     const std::function<Status(std::string_view json)>& action) override {
    std::ifstream in(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto corrupt = [&] {
      return Fail(ErrorKind::kCorrupt, fmt::format("{} is not a checkpoint", file.string()));
    };
    if (!text.starts_with("PAR1\n")) return corrupt();
    int64_t rows = 0;
    for (size_t from = 5; from < text.size();) {
      const size_t end = text.find('\n', from);
      if (end == std::string::npos) return corrupt();
      const std::string_view line(text.data() + from, end - from);
      from = end + 1;
      if (line == fmt::format("PAR1 {}", rows)) return from == text.size() ? Status() : corrupt();
      ++rows;
      VL_TRY(const std::string row, Project(line, columns));
      VL_RETURN_IF_ERROR(action(row));
    }
    return corrupt();
  }

  Result<int64_t> WriteCheckpoint(const std::filesystem::path& file,
                                  const std::function<Result<std::string_view>()>& next) override {
    std::string text = "PAR1\n";
    int64_t rows = 0;
    while (true) {
      VL_TRY(const std::string_view line, next());
      if (line.empty()) break;
      text += line;
      text += '\n';
      ++rows;
    }
    if (lose_last_row) text.erase(text.rfind('\n', text.size() - 2) + 1), --rows;
    text += fmt::format("PAR1 {}\n", rows);
    std::ofstream(file, std::ios::binary) << text;
    return static_cast<int64_t>(text.size());
  }

  // A writer that believes a short read: drops the last action and says nothing.
  bool lose_last_row = false;

 private:
  static Result<std::string> Project(std::string_view line,
                                     const std::vector<std::string>& columns) {
    JsonParser parser;
    const auto root = parser.Parse(line);
    if (!root) return Fail(ErrorKind::kCorrupt, root.error().message);
    JsonWriter out;
    out.BeginObject();
    for (const std::string& column : columns) {
      if (const JsonValue value = root->Find(column)) CopyJson(out.Key(column), value);
    }
    out.EndObject();
    return out.Take();
  }
};

}  // namespace vitalake::delta
