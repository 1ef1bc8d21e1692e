#include "engine/cell_file.h"

namespace vitalake::engine {
namespace {

constexpr size_t kCellGroupRows = 20'480;

}  // namespace

Result<CellFile> CellFile::Create(const std::filesystem::path& path,
                                  std::span<const view::ColumnSpec> columns) {
  std::vector<ParquetColumn> of_file = ColumnsOfCells(columns);
  RowGroup group(of_file, true);
  VL_TRY(ParquetWriter writer, ParquetWriter::Create(path, std::move(of_file)));
  return CellFile(std::move(group), std::move(writer));
}

Status CellFile::Put(std::span<const view::Cell> row, std::span<const view::Cell> rest) {
  for (size_t i = 0; i < row.size(); ++i) group_.PutCell(i, row[i]);
  for (size_t i = 0; i < rest.size(); ++i) group_.PutCell(row.size() + i, rest[i]);
  return group_.rows() < kCellGroupRows ? Status() : EndGroup();
}

Status CellFile::EndGroup() {
  VL_TRY(auto chunks, group_.Finish());
  return writer_.Add(std::move(chunks));
}

Result<WrittenFile> CellFile::Finish(std::span<const std::string> stats_columns) {
  if (group_.rows() > 0) VL_RETURN_IF_ERROR(EndGroup());
  return writer_.Finish(stats_columns);
}

}  // namespace vitalake::engine
