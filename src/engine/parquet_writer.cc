#include "engine/parquet_writer.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "engine/column_appender.h"
#include "engine/file_stats_internal.h"
#include "engine/parquet_fields_internal.h"

namespace vitalake::engine {
namespace {

constexpr size_t kWriteBytes = 1 << 20;

// How a column of a type is declared: ConvertedType for readers that know no logical types.
struct Declaration {
  TypeId type;
  std::string_view sql;
  ParquetType physical;
  int64_t converted = -1;
  int16_t logical = 0;  // field of the union LogicalType; 0: none
};

constexpr Declaration kDeclarations[] = {
    {TypeId::kBoolean, "BOOLEAN", ParquetType::kBoolean},
    {TypeId::kTinyInt, "TINYINT", ParquetType::kInt32, converted::kInt8, logical::kInteger},
    {TypeId::kSmallInt, "SMALLINT", ParquetType::kInt32, converted::kInt16, logical::kInteger},
    {TypeId::kInteger, "INTEGER", ParquetType::kInt32, converted::kInt32, logical::kInteger},
    {TypeId::kBigInt, "BIGINT", ParquetType::kInt64, converted::kInt64, logical::kInteger},
    {TypeId::kFloat, "FLOAT", ParquetType::kFloat},
    {TypeId::kDouble, "DOUBLE", ParquetType::kDouble},
    {TypeId::kVarchar, "VARCHAR", ParquetType::kByteArray, converted::kUtf8, logical::kString},
    {TypeId::kBlob, "BLOB", ParquetType::kByteArray},
    {TypeId::kDate, "DATE", ParquetType::kInt32, converted::kDate, logical::kDate},
    {TypeId::kTimestamp, "TIMESTAMP", ParquetType::kInt64, converted::kTimestampMicros,
     logical::kTimestamp},
    {TypeId::kTimestampTz, "TIMESTAMP WITH TIME ZONE", ParquetType::kInt64,
     converted::kTimestampMicros, logical::kTimestamp}};

const Declaration& DeclarationOf(TypeId type) {
  const auto found = std::ranges::find(kDeclarations, type, &Declaration::type);
  VL_CHECK(found != std::end(kDeclarations));
  return *found;
}

ThriftValue LogicalType(const Declaration& of) {
  ThriftValue value;
  if (of.logical == logical::kTimestamp) {
    value.Put(logical::kTimestampUtc, ThriftBool(of.type == TypeId::kTimestampTz));
    value.Put(logical::kTimestampUnit, ThriftUnion(logical::kMicros, {}));
  } else if (of.logical == logical::kInteger) {
    const int64_t bits = of.type == TypeId::kTinyInt    ? 8
                         : of.type == TypeId::kSmallInt ? 16
                         : of.type == TypeId::kInteger  ? 32
                                                        : 64;
    value.Put(logical::kIntegerBits, ThriftInt(ThriftType::kI8, bits));
    value.Put(logical::kIntegerSigned, ThriftBool(true));
  }
  return ThriftUnion(of.logical, std::move(value));
}

ThriftValue Schema(std::span<const ParquetColumn> columns) {
  constexpr int64_t kRequired = 0, kOptional = 1;
  std::vector<ThriftValue> elements(1);
  elements[0].Put(element::kRepetition, ThriftInt32(kRequired));
  elements[0].Put(element::kName, ThriftBinary("schema"));
  elements[0].Put(element::kChildren, ThriftInt32(static_cast<int64_t>(columns.size())));
  for (const ParquetColumn& column : columns) {
    const Declaration& declared = DeclarationOf(column.type);
    ThriftValue& item = elements.emplace_back();
    item.Put(element::kType, ThriftInt32(static_cast<int64_t>(declared.physical)));
    item.Put(element::kRepetition, ThriftInt32(kOptional));
    item.Put(element::kName, ThriftBinary(column.name));
    if (declared.converted >= 0) item.Put(element::kConvertedType, ThriftInt32(declared.converted));
    if (declared.logical != 0) item.Put(element::kLogicalType, LogicalType(declared));
  }
  return ThriftList(ThriftType::kStruct, std::move(elements));
}

ChunkShape ShapeOf(TypeId type) {
  ChunkShape shape;
  shape.type = DeclarationOf(type).physical;
  return shape;
}

}  // namespace

std::vector<ParquetColumn> ColumnsOfCells(std::span<const view::ColumnSpec> specs) {
  std::vector<ParquetColumn> columns;
  for (const view::ColumnSpec& spec : specs) {
    const auto type = WritableType(SqlType(spec.type));
    VL_CHECK(type);
    columns.push_back({spec.name, *type});
  }
  return columns;
}

std::optional<TypeId> WritableType(std::string_view sql_type) {
  const auto found = std::ranges::find(kDeclarations, sql_type, &Declaration::sql);
  if (found == std::end(kDeclarations)) return std::nullopt;
  return found->type;
}

RowGroup::RowGroup(std::span<const ParquetColumn> columns, bool values_repeat)
    : codec_(std::make_unique<PageCodec>()) {
  columns_.reserve(columns.size());
  for (const ParquetColumn& column : columns) {
    auto encoder = ColumnEncoder::Make(ShapeOf(column.type), values_repeat, *codec_);
    VL_CHECK(encoder);  // of every type that is declared
    columns_.push_back(std::move(*encoder));
    types_.push_back(column.type);
  }
}

void RowGroup::PutCell(size_t i, const view::Cell& cell) {
  ColumnEncoder& column = columns_[i];
  if (cell.is_null) return column.PutNulls(1);
  switch (types_[i]) {
    case TypeId::kBoolean:
      return column.PutBool(cell.boolean);
    case TypeId::kDouble:
      return column.PutDouble(cell.number);
    case TypeId::kVarchar:
      return column.PutText(cell.text);
    default:
      return column.PutInt(cell.integer);
  }
}

Result<std::vector<EncodedChunk>> RowGroup::Finish() {
  const size_t rows = this->rows();
  std::vector<EncodedChunk> chunks;
  chunks.reserve(columns_.size());
  for (ColumnEncoder& column : columns_) {
    VL_CHECK(column.rows() == rows);
    VL_TRY(chunks.emplace_back(), column.Finish());
  }
  return chunks;
}

ParquetWriter::ParquetWriter(std::filesystem::path path, std::vector<ParquetColumn> columns,
                             storage::Fd file)
    : path_(std::move(path)),
      columns_(std::move(columns)),
      file_(std::move(file)),
      bounds_(columns_.size()) {}

Result<ParquetWriter> ParquetWriter::Create(const std::filesystem::path& path,
                                            std::vector<ParquetColumn> columns) {
  constexpr mode_t kMode = 0644;
  const int number = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kMode);
  if (number < 0) return storage::FailErrno(errno, "create", path);
  ParquetWriter writer(path, std::move(columns), storage::Fd(number));
  VL_RETURN_IF_ERROR(writer.Write(kParquetMagic));
  return writer;
}

Status ParquetWriter::Write(std::string_view bytes) {
  waiting_ += bytes;
  at_ += static_cast<int64_t>(bytes.size());
  return waiting_.size() < kWriteBytes ? Status() : Flush();
}

Status ParquetWriter::Flush() {
  VL_RETURN_IF_ERROR(storage::WriteFully(calls_, file_.number(), waiting_, path_));
  waiting_.clear();
  return {};
}

void ParquetWriter::Widen(size_t column, const EncodedChunk& chunk) {
  Bounds& bounds = bounds_[column];
  bounds.nulls += chunk.nulls;
  if (chunk.nulls == chunk.rows) return;
  if (!chunk.min || !chunk.max) {
    bounds.known = false;
    return;
  }
  const ParquetType type = DeclarationOf(columns_[column].type).physical;
  if (!bounds.min || ComparePlain(type, *chunk.min, *bounds.min) < 0) bounds.min = chunk.min;
  if (!bounds.max || ComparePlain(type, *chunk.max, *bounds.max) > 0) bounds.max = chunk.max;
}

// Of a chunk that begins where the file ends.
ThriftValue ParquetWriter::Metadata(size_t column, const EncodedChunk& chunk) const {
  ThriftValue made;
  made.Put(meta::kType,
           ThriftInt32(static_cast<int64_t>(DeclarationOf(columns_[column].type).physical)));
  DescribeChunk(chunk, made);
  made.Put(meta::kPath, ThriftList(ThriftType::kBinary, {ThriftBinary(columns_[column].name)}));
  made.Put(meta::kCodec, ThriftInt32(static_cast<int64_t>(ParquetCodec::kZstd)));
  made.Put(meta::kValues, ThriftInt64(chunk.rows));
  made.Put(meta::kDataPage, ThriftInt64(at_ + chunk.dictionary_bytes));
  if (chunk.dictionary_bytes > 0) made.Put(meta::kDictionaryPage, ThriftInt64(at_));
  return made;
}

Status ParquetWriter::Add(std::vector<EncodedChunk> chunks) {
  VL_CHECK(chunks.size() == columns_.size());
  const int64_t begin = at_;
  int64_t uncompressed = 0;
  std::vector<ThriftValue> columns;
  columns.reserve(chunks.size());
  for (size_t i = 0; i < chunks.size(); ++i) {
    Widen(i, chunks[i]);
    uncompressed += chunks[i].uncompressed_bytes;
    ThriftValue& column = columns.emplace_back();
    column.Put(chunk::kFileOffset, ThriftInt64(0));
    column.Put(chunk::kMetadata, Metadata(i, chunks[i]));
    VL_RETURN_IF_ERROR(Write(chunks[i].bytes));
    chunks[i].bytes = {};
  }
  const int64_t rows = chunks.empty() ? 0 : chunks.front().rows;
  ThriftValue& made = groups_.emplace_back();
  made.Put(group::kColumns, ThriftList(ThriftType::kStruct, std::move(columns)));
  made.Put(group::kTotalBytes, ThriftInt64(uncompressed));
  made.Put(group::kRows, ThriftInt64(rows));
  made.Put(group::kFileOffset, ThriftInt64(begin));
  made.Put(group::kCompressedBytes, ThriftInt64(at_ - begin));
  made.Put(group::kOrdinal, ThriftInt(ThriftType::kI16, static_cast<int64_t>(groups_.size()) - 1));
  rows_ += rows;
  return {};
}

ThriftValue ParquetWriter::Footer() {
  ThriftValue made;
  made.Put(footer::kVersion, ThriftInt32(1));
  made.Put(footer::kSchema, Schema(columns_));
  made.Put(footer::kRows, ThriftInt64(rows_));
  made.Put(footer::kRowGroups, ThriftList(ThriftType::kStruct, std::move(groups_)));
  made.Put(footer::kCreatedBy, ThriftBinary("Vitalake"));
  // Without it readers do not trust the bounds of texts.
  constexpr int16_t kTypeDefinedOrder = 1;
  made.Put(
      footer::kColumnOrders,
      ThriftList(ThriftType::kStruct,
                 std::vector<ThriftValue>(columns_.size(), ThriftUnion(kTypeDefinedOrder, {}))));
  return made;
}

Result<WrittenFile> ParquetWriter::Finish(std::span<const std::string> stats_columns) {
  VL_RETURN_IF_ERROR(Write(EndOfParquet(Footer())));
  VL_RETURN_IF_ERROR(Flush());
  VL_RETURN_IF_ERROR(file_.Close(path_));
  std::vector<ColumnBounds> bounds;
  for (const std::string& name : stats_columns) {
    const auto found = std::ranges::find(columns_, name, &ParquetColumn::name);
    if (found == columns_.end()) continue;
    const Bounds& known = bounds_[static_cast<size_t>(found - columns_.begin())];
    const std::optional<std::string> none;
    bounds.push_back(BoundsOf(name, found->type, known.known ? known.min : none,
                              known.known ? known.max : none, known.nulls));
  }
  WrittenFile file;
  file.path = path_;
  file.size_bytes = at_;
  file.rows = rows_;
  file.stats_json = DeltaStats(rows_, bounds);
  return file;
}

}  // namespace vitalake::engine
