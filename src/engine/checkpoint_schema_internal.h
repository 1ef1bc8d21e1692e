// The columns of a V1 checkpoint, as DuckDB's json_transform wants them. For this module alone.
// Source: Delta PROTOCOL, "Checkpoint Schema".
#pragma once

#include <string_view>

namespace vitalake::engine {

struct CheckpointColumn {
  std::string_view name;       // the action
  std::string_view structure;  // of json_transform
};

inline constexpr std::string_view kDeletionVectorStructure =
    R"j("deletionVector":{"storageType":"VARCHAR","pathOrInlineDv":"VARCHAR","offset":"INTEGER",)j"
    R"j("sizeInBytes":"INTEGER","cardinality":"BIGINT"})j";

// "$DV" stands for kDeletionVectorStructure.
inline constexpr CheckpointColumn kCheckpointColumns[] = {
    {"txn", R"j({"appId":"VARCHAR","version":"BIGINT","lastUpdated":"BIGINT"})j"},
    {"add", R"j({"path":"VARCHAR","partitionValues":"MAP(VARCHAR, VARCHAR)","size":"BIGINT",)j"
            R"j("modificationTime":"BIGINT","dataChange":"BOOLEAN","stats":"VARCHAR",)j"
            R"j("tags":"MAP(VARCHAR, VARCHAR)",$DV,"baseRowId":"BIGINT",)j"
            R"j("defaultRowCommitVersion":"BIGINT","clusteringProvider":"VARCHAR"})j"},
    {"remove", R"j({"path":"VARCHAR","deletionTimestamp":"BIGINT","dataChange":"BOOLEAN",)j"
               R"j("extendedFileMetadata":"BOOLEAN","partitionValues":"MAP(VARCHAR, VARCHAR)",)j"
               R"j("size":"BIGINT","stats":"VARCHAR","tags":"MAP(VARCHAR, VARCHAR)",$DV,)j"
               R"j("baseRowId":"BIGINT","defaultRowCommitVersion":"BIGINT"})j"},
    {"metaData", R"j({"id":"VARCHAR","name":"VARCHAR","description":"VARCHAR",)j"
                 R"j("format":{"provider":"VARCHAR","options":"MAP(VARCHAR, VARCHAR)"},)j"
                 R"j("schemaString":"VARCHAR","partitionColumns":["VARCHAR"],)j"
                 R"j("createdTime":"BIGINT","configuration":"MAP(VARCHAR, VARCHAR)"})j"},
    {"protocol", R"j({"minReaderVersion":"INTEGER","minWriterVersion":"INTEGER",)j"
                 R"j("readerFeatures":["VARCHAR"],"writerFeatures":["VARCHAR"]})j"},
    {"domainMetadata", R"j({"domain":"VARCHAR","configuration":"VARCHAR","removed":"BOOLEAN"})j"},
};

}  // namespace vitalake::engine
