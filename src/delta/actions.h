// Actions: the lines of a Delta log, as values, and their JSON form.
//
// Unknown actions and unknown fields are ignored when read, and so are not written back.
// Times of the log are milliseconds since 1970 and keep that unit here (suffix _ms).
// Source: Delta PROTOCOL, "Actions".
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json_tree.h"
#include "base/result.h"

namespace vitalake::delta {

// Column -> value as text (protocol's "Partition Value Serialization"); nullopt is null. An empty
// text read from a log means null as well and is turned into nullopt.
using PartitionValues = std::map<std::string, std::optional<std::string>>;
using StringMap = std::map<std::string, std::string>;
using Tags = std::map<std::string, std::optional<std::string>>;

struct DeletionVector {
  std::string storage_type{};  // "u", "i" or "p"
  std::string path_or_inline{};
  std::optional<int32_t> offset{};
  int32_t size_bytes = 0;
  int64_t cardinality = 0;

  // Tells the deletion vectors of one file apart.
  std::string UniqueId() const;
  bool operator==(const DeletionVector&) const = default;
};

// Paths are decoded (no %20), relative to the table's folder with '/' between parts, or absolute:
// "/a/b" (also for file:/a/b and file:///a/b) or "scheme://host/a". See ResolvePath.
struct AddFile {
  std::string path{};
  PartitionValues partition_values{};
  int64_t size_bytes = 0;
  int64_t modification_time_ms = 0;
  bool data_change = true;
  std::string stats{};  // JSON text as in the log; empty when there is none
  Tags tags{};
  std::optional<DeletionVector> deletion_vector{};
  std::optional<int64_t> base_row_id{};
  std::optional<int64_t> default_row_commit_version{};
  std::optional<std::string> clustering_provider{};

  // stats.numRecords less the rows of the deletion vector; nullopt when stats do not tell.
  std::optional<int64_t> NumRecords() const;
  bool operator==(const AddFile&) const = default;
};
using AddFilePtr = std::shared_ptr<const AddFile>;

struct RemoveFile {
  std::string path{};
  std::optional<int64_t> deletion_timestamp_ms{};
  bool data_change = true;
  std::optional<PartitionValues> partition_values{};  // nullopt: not told by the writer
  std::optional<int64_t> size_bytes{};
  std::string stats{};
  Tags tags{};
  std::optional<DeletionVector> deletion_vector{};
  std::optional<int64_t> base_row_id{};
  std::optional<int64_t> default_row_commit_version{};

  // The removal of `file`, everything known about it kept.
  static RemoveFile Of(const AddFile& file, int64_t deletion_timestamp_ms, bool data_change = true);
  bool operator==(const RemoveFile&) const = default;
};

// A file of change rows, below "_change_data/". Its dataChange is false by definition.
struct CdcFile {
  std::string path{};
  PartitionValues partition_values{};
  int64_t size_bytes = 0;
  Tags tags{};
  bool operator==(const CdcFile&) const = default;
};

struct Metadata {
  std::string id{};
  std::optional<std::string> name{};
  std::optional<std::string> description{};
  std::string format_provider = "parquet";
  StringMap format_options{};
  std::string schema_string{};
  std::vector<std::string> partition_columns{};
  std::optional<int64_t> created_time_ms{};
  StringMap configuration{};  // table properties
  bool operator==(const Metadata&) const = default;
};

struct Protocol {
  int32_t min_reader_version = 1;
  int32_t min_writer_version = 2;
  std::optional<std::vector<std::string>> reader_features{};  // present from reader version 3
  std::optional<std::vector<std::string>> writer_features{};  // present from writer version 7
  bool operator==(const Protocol&) const = default;
};

struct Txn {
  std::string app_id{};
  int64_t version = 0;
  std::optional<int64_t> last_updated_ms{};
  bool operator==(const Txn&) const = default;
};

struct DomainMetadata {
  std::string domain{};
  std::string configuration{};
  bool removed = false;
  bool operator==(const DomainMetadata&) const = default;
};

// Free-form provenance; only the parsed members have a meaning here.
struct CommitInfo {
  std::string json{};  // the whole object, as written
  std::optional<int64_t> timestamp_ms{};
  std::string operation{};
  std::string txn_id{};  // the commit's own id; empty when the writer gave none
  std::optional<bool> is_blind_append{};
  std::optional<int64_t> read_version{};
  bool operator==(const CommitInfo&) const = default;
};

using Action =
    std::variant<AddFile, RemoveFile, CdcFile, Metadata, Protocol, Txn, DomainMetadata, CommitInfo>;

// The action of one parsed log line or checkpoint row; nullopt when it is none that we know.
// CommitInfo::json is written anew from the tree. kCorrupt when the line is no object or holds two
// actions, when a member without which the action means nothing (path and size of an added file,
// appId and version of a txn, id and schemaString of metaData ...) is missing, or when any member
// has the wrong type. A null member counts as missing; a missing dataChange as true.
Result<std::optional<Action>> ParseAction(JsonValue line);
// The same from text.
Result<std::optional<Action>> ParseAction(std::string_view line);

// One line of NDJSON, without the line feed. Paths are percent-encoded.
std::string WriteAction(const Action& action);

// The object inside an action alone ({"minReaderVersion":1,...}), as `.crc` files want it.
std::string ToJson(const Metadata& metadata);
std::string ToJson(const Protocol& protocol);
std::string ToJson(const Txn& txn);
std::string ToJson(const DomainMetadata& domain);

// Path of an action (percent-encoded URI) -> path as AddFile::path holds it, and back.
std::string DecodePath(std::string_view encoded);
std::string EncodePath(std::string_view path);

// Key in the store of a file of the table at `root` ("silver/patient"). kUnsupported for absolute
// paths (data outside the table's folder), kCorrupt for ".." and the like.
Result<std::string> ResolvePath(std::string_view root, std::string_view path);

}  // namespace vitalake::delta
