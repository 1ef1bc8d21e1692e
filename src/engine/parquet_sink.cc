#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "engine/parquet_sink_internal.h"

namespace vitalake::engine {
namespace {

// A column of a chunk.
struct Values {
  const void* data;
  const uint64_t* valid;  // a bit per row; null: all are there
};

// Puts the values `from` .. `to`; `put` takes one that is there.
template <class T, class Put>
void PutValues(const Values& values, size_t from, size_t to, ColumnEncoder& encoder, Put put) {
  const T* const data = static_cast<const T*>(values.data);
  if (values.valid == nullptr) {
    for (size_t i = from; i < to; ++i) put(data[i]);
    return;
  }
  size_t nulls = 0;
  for (size_t i = from; i < to; ++i) {
    const uint64_t word = values.valid[i / 64];
    if (word == 0 && i % 64 == 0 && i + 64 <= to) {
      nulls += 64;
      i += 63;
    } else if (word >> (i % 64) & 1) {
      encoder.PutNulls(std::exchange(nulls, 0));
      put(data[i]);
    } else {
      ++nulls;
    }
  }
  encoder.PutNulls(nulls);
}

template <class T>
void PutInts(const Values& values, size_t from, size_t to, ColumnEncoder& encoder) {
  PutValues<T>(values, from, to, encoder, [&](T value) { encoder.PutInt(value); });
}

void PutColumn(TypeId type, const Values& values, size_t from, size_t to, ColumnEncoder& encoder) {
  switch (type) {
    case TypeId::kBoolean:
      return PutValues<bool>(values, from, to, encoder, [&](bool v) { encoder.PutBool(v); });
    case TypeId::kTinyInt:
      return PutInts<int8_t>(values, from, to, encoder);
    case TypeId::kSmallInt:
      return PutInts<int16_t>(values, from, to, encoder);
    case TypeId::kInteger:
    case TypeId::kDate:
      return PutInts<int32_t>(values, from, to, encoder);
    case TypeId::kBigInt:
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      return PutInts<int64_t>(values, from, to, encoder);
    case TypeId::kFloat:
      return PutValues<float>(values, from, to, encoder, [&](float v) { encoder.PutFloat(v); });
    case TypeId::kDouble:
      return PutValues<double>(values, from, to, encoder, [&](double v) { encoder.PutDouble(v); });
    default:
      return PutValues<duckdb_string_t>(
          values, from, to, encoder, [&](const duckdb_string_t& v) { encoder.PutText(TextOf(v)); });
  }
}

template <class T>
void DeleteAs(void* pointer) {
  delete static_cast<T*>(pointer);
}

void Init(duckdb_copy_function_global_init_info info) {
  auto& sinks = *static_cast<std::shared_ptr<ParquetSinks>*>(
      duckdb_copy_function_global_init_get_extra_info(info));
  const char* const path = duckdb_copy_function_global_init_get_file_path(info);
  ParquetSink* const sink = sinks->Find(path ? path : "");
  if (sink == nullptr) {
    duckdb_copy_function_global_init_set_error(
        info,
        fmt::format("the format {} is for this program's own files; write parquet", kSinkFormat)
            .c_str());
    return;
  }
  duckdb_copy_function_global_init_set_global_state(info, sink, [](void*) {});
}

void Sink(duckdb_copy_function_sink_info info, duckdb_data_chunk chunk) {
  auto& sink = *static_cast<ParquetSink*>(duckdb_copy_function_sink_get_global_state(info));
  const Status done = sink.Take(chunk);
  if (!done) duckdb_copy_function_sink_set_error(info, done.error().ToString().c_str());
}

}  // namespace

ParquetSink::ParquetSink(std::vector<ParquetColumn> columns, const std::filesystem::path& folder,
                         const std::string& mark, const ParquetOptions& options)
    : columns_(std::move(columns)),
      folder_(folder),
      mark_(mark),
      options_(options),
      group_rows_(
          static_cast<size_t>(options.max_rows_per_file > 0
                                  ? std::min(options.row_group_rows, options.max_rows_per_file)
                                  : options.row_group_rows)),
      group_(columns_, options.values_repeat) {}

std::filesystem::path ParquetSink::FilePath(size_t n) const {
  return folder_ / fmt::format("{}-{}-{}.parquet", options_.name_prefix, n, mark_);
}

Status ParquetSink::Take(duckdb_data_chunk chunk) {
  const size_t rows = duckdb_data_chunk_get_size(chunk);
  VL_CHECK(duckdb_data_chunk_get_column_count(chunk) == columns_.size());
  std::vector<Values> values;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, i);
    values.push_back({duckdb_vector_get_data(vector), duckdb_vector_get_validity(vector)});
  }
  for (size_t from = 0; from < rows;) {
    const size_t to = std::min(rows, from + group_rows_ - group_.rows());
    for (size_t i = 0; i < columns_.size(); ++i) {
      PutColumn(columns_[i].type, values[i], from, to, group_.column(i));
    }
    from = to;
    if (group_.rows() == group_rows_) VL_RETURN_IF_ERROR(EndGroup());
  }
  return {};
}

Status ParquetSink::EndGroup() {
  if (!writer_) {
    VL_TRY(writer_, ParquetWriter::Create(FilePath(files_.size()), columns_));
  }
  VL_TRY(auto chunks, group_.Finish());
  VL_RETURN_IF_ERROR(writer_->Add(std::move(chunks)));
  const int64_t most = options_.max_rows_per_file;
  return most > 0 && writer_->rows() >= most ? EndFile() : Status();
}

Status ParquetSink::EndFile() {
  VL_TRY(files_.emplace_back(), writer_->Finish(options_.stats_columns));
  writer_.reset();
  return {};
}

Result<std::vector<WrittenFile>> ParquetSink::Finish() {
  if (group_.rows() > 0) VL_RETURN_IF_ERROR(EndGroup());
  if (writer_) VL_RETURN_IF_ERROR(EndFile());
  return std::move(files_);
}

void ParquetSinks::Add(ParquetSink* sink) {
  const std::lock_guard lock(mutex_);
  sinks_.emplace(sink->FilePath(0).string(), sink);
}

void ParquetSinks::Remove(ParquetSink* sink) {
  const std::lock_guard lock(mutex_);
  sinks_.erase(sink->FilePath(0).string());
}

ParquetSink* ParquetSinks::Find(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto found = sinks_.find(path);
  return found == sinks_.end() ? nullptr : found->second;
}

Status RegisterParquetSinks(Connection& connection, std::shared_ptr<ParquetSinks> sinks) {
  OwnedCopyFunction function(duckdb_create_copy_function());
  duckdb_copy_function_set_name(function.get(), kSinkFormat);
  duckdb_copy_function_set_extra_info(function.get(),
                                      new std::shared_ptr<ParquetSinks>(std::move(sinks)),
                                      DeleteAs<std::shared_ptr<ParquetSinks>>);
  duckdb_copy_function_set_bind(function.get(), [](duckdb_copy_function_bind_info) {});
  duckdb_copy_function_set_global_init(function.get(), Init);
  duckdb_copy_function_set_sink(function.get(), Sink);
  duckdb_copy_function_set_finalize(function.get(), [](duckdb_copy_function_finalize_info) {});
  if (duckdb_register_copy_function(Native(connection), function.get()) != DuckDBSuccess) {
    return Fail(ErrorKind::kInternal, fmt::format("{} cannot be registered", kSinkFormat));
  }
  return {};
}

}  // namespace vitalake::engine
