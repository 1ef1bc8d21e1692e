#include "delta/actions.h"

#include <fmt/format.h>

#include "base/json_writer.h"

namespace vitalake::delta {
namespace {

template <class Map>
void WriteTexts(JsonWriter& out, std::string_view name, const Map& texts) {
  out.Key(name).BeginObject();
  for (const auto& [key, value] : texts) out.Key(key).String(value);
  out.EndObject();
}

void WriteTexts(JsonWriter& out, std::string_view name, const Tags& texts) {
  out.Key(name).BeginObject();
  for (const auto& [key, value] : texts) {
    out.Key(key);
    value ? out.String(*value) : out.Null();
  }
  out.EndObject();
}

void WriteList(JsonWriter& out, std::string_view name, const std::vector<std::string>& texts) {
  out.Key(name).BeginArray();
  for (const std::string& text : texts) out.String(text);
  out.EndArray();
}

void WriteOptional(JsonWriter& out, std::string_view name, const std::optional<int64_t>& value) {
  if (value) out.Key(name).Int(*value);
}

void WriteOptional(JsonWriter& out, std::string_view name,
                   const std::optional<std::string>& value) {
  if (value) out.Key(name).String(*value);
}

// What `add` and `remove` share at their end.
template <class File>
void WriteFileEnd(JsonWriter& out, const File& file) {
  if (!file.stats.empty()) out.Key("stats").String(file.stats);
  if (!file.tags.empty()) WriteTexts(out, "tags", file.tags);
  if (const auto& vector = file.deletion_vector) {
    out.Key("deletionVector").BeginObject();
    out.Key("storageType").String(vector->storage_type);
    out.Key("pathOrInlineDv").String(vector->path_or_inline);
    if (vector->offset) out.Key("offset").Int(*vector->offset);
    out.Key("sizeInBytes").Int(vector->size_bytes);
    out.Key("cardinality").Int(vector->cardinality).EndObject();
  }
  WriteOptional(out, "baseRowId", file.base_row_id);
  WriteOptional(out, "defaultRowCommitVersion", file.default_row_commit_version);
}

// Each writes the object inside the action.
struct BodyWriter {
  JsonWriter& out;

  void operator()(const AddFile& file) const {
    out.BeginObject().Key("path").String(EncodePath(file.path));
    WriteTexts(out, "partitionValues", file.partition_values);
    out.Key("size").Int(file.size_bytes);
    out.Key("modificationTime").Int(file.modification_time_ms);
    out.Key("dataChange").Bool(file.data_change);
    WriteFileEnd(out, file);
    WriteOptional(out, "clusteringProvider", file.clustering_provider);
    out.EndObject();
  }
  void operator()(const RemoveFile& file) const {
    out.BeginObject().Key("path").String(EncodePath(file.path));
    WriteOptional(out, "deletionTimestamp", file.deletion_timestamp_ms);
    out.Key("dataChange").Bool(file.data_change);
    if (file.partition_values && file.size_bytes) {
      out.Key("extendedFileMetadata").Bool(true);
      WriteTexts(out, "partitionValues", *file.partition_values);
      out.Key("size").Int(*file.size_bytes);
    }
    WriteFileEnd(out, file);
    out.EndObject();
  }
  void operator()(const CdcFile& file) const {
    out.BeginObject().Key("path").String(EncodePath(file.path));
    WriteTexts(out, "partitionValues", file.partition_values);
    out.Key("size").Int(file.size_bytes).Key("dataChange").Bool(false);
    if (!file.tags.empty()) WriteTexts(out, "tags", file.tags);
    out.EndObject();
  }
  void operator()(const Metadata& metadata) const {
    out.BeginObject().Key("id").String(metadata.id);
    WriteOptional(out, "name", metadata.name);
    WriteOptional(out, "description", metadata.description);
    out.Key("format").BeginObject().Key("provider").String(metadata.format_provider);
    WriteTexts(out, "options", metadata.format_options);
    out.EndObject().Key("schemaString").String(metadata.schema_string);
    WriteList(out, "partitionColumns", metadata.partition_columns);
    WriteTexts(out, "configuration", metadata.configuration);
    WriteOptional(out, "createdTime", metadata.created_time_ms);
    out.EndObject();
  }
  void operator()(const Protocol& protocol) const {
    out.BeginObject().Key("minReaderVersion").Int(protocol.min_reader_version);
    out.Key("minWriterVersion").Int(protocol.min_writer_version);
    if (protocol.reader_features) WriteList(out, "readerFeatures", *protocol.reader_features);
    if (protocol.writer_features) WriteList(out, "writerFeatures", *protocol.writer_features);
    out.EndObject();
  }
  void operator()(const Txn& txn) const {
    out.BeginObject().Key("appId").String(txn.app_id).Key("version").Int(txn.version);
    WriteOptional(out, "lastUpdated", txn.last_updated_ms);
    out.EndObject();
  }
  void operator()(const DomainMetadata& domain) const {
    out.BeginObject().Key("domain").String(domain.domain);
    out.Key("configuration").String(domain.configuration);
    out.Key("removed").Bool(domain.removed).EndObject();
  }
  void operator()(const CommitInfo& info) const { out.Raw(info.json); }
};

struct Namer {
  std::string_view operator()(const AddFile&) const { return "add"; }
  std::string_view operator()(const RemoveFile&) const { return "remove"; }
  std::string_view operator()(const CdcFile&) const { return "cdc"; }
  std::string_view operator()(const Metadata&) const { return "metaData"; }
  std::string_view operator()(const Protocol&) const { return "protocol"; }
  std::string_view operator()(const Txn&) const { return "txn"; }
  std::string_view operator()(const DomainMetadata&) const { return "domainMetadata"; }
  std::string_view operator()(const CommitInfo&) const { return "commitInfo"; }
};

template <class T>
std::string Body(const T& action) {
  JsonWriter out;
  BodyWriter{out}(action);
  return out.Take();
}

}  // namespace

std::string DeletionVector::UniqueId() const {
  return offset ? fmt::format("{}{}@{}", storage_type, path_or_inline, *offset)
                : storage_type + path_or_inline;
}

std::optional<int64_t> AddFile::NumRecords() const {
  if (stats.empty()) return std::nullopt;
  JsonParser parser;
  const auto root = parser.Parse(stats);
  const JsonValue count = root ? root->Find("numRecords") : JsonValue();
  const auto rows = count.is_number() ? count.AsInt() : std::nullopt;
  if (!rows) return std::nullopt;
  return *rows - (deletion_vector ? deletion_vector->cardinality : 0);
}

RemoveFile RemoveFile::Of(const AddFile& file, int64_t deletion_timestamp_ms, bool data_change) {
  return {.path = file.path,
          .deletion_timestamp_ms = deletion_timestamp_ms,
          .data_change = data_change,
          .partition_values = file.partition_values,
          .size_bytes = file.size_bytes,
          .stats = file.stats,
          .tags = file.tags,
          .deletion_vector = file.deletion_vector,
          .base_row_id = file.base_row_id,
          .default_row_commit_version = file.default_row_commit_version};
}

std::string WriteAction(const Action& action) {
  JsonWriter out;
  out.BeginObject().Key(std::visit(Namer(), action));
  std::visit(BodyWriter{out}, action);
  out.EndObject();
  return out.Take();
}

std::string ToJson(const Metadata& metadata) { return Body(metadata); }
std::string ToJson(const Protocol& protocol) { return Body(protocol); }
std::string ToJson(const Txn& txn) { return Body(txn); }
std::string ToJson(const DomainMetadata& domain) { return Body(domain); }

}  // namespace vitalake::delta
