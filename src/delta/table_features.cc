#include "delta/table_features.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace vitalake::delta {
namespace {

constexpr int32_t kReaderFeaturesVersion = 3;
constexpr int32_t kWriterFeaturesVersion = 7;

bool MapsColumns(const Metadata& metadata) {
  const auto mode = metadata.configuration.find("delta.columnMapping.mode");
  return mode != metadata.configuration.end() && mode->second != "none";
}

bool HasConstraints(const Metadata& metadata) {
  const auto at = metadata.configuration.lower_bound("delta.constraints.");
  return at != metadata.configuration.end() && at->first.starts_with("delta.constraints.");
}

// Whether some column's metadata has a member whose name begins so.
bool ColumnsHave(const Metadata& metadata, std::string_view member) {
  return metadata.schema_string.contains(fmt::format("\"{}", member));
}

// Whether a reader that does not know the feature could read this table wrongly.
bool BindsReader(std::string_view feature, const Metadata& metadata) {
  if (feature == "vacuumProtocolCheck") return false;  // binds only who deletes files
  if (feature == "columnMapping") return MapsColumns(metadata);
  return true;
}

struct WriterFeature {
  std::string_view name;
  int32_t since;  // first writer version that implies it; 0: only when listed
  // Whether it asks something of us that we do not do.
  bool (*binds)(const Metadata&);
};
bool Never(const Metadata&) { return false; }
constexpr std::array<WriterFeature, 10> kWriterFeatures = {{
    {"appendOnly", 2, Never},
    {"invariants", 2, [](const Metadata& m) { return ColumnsHave(m, "delta.invariants\""); }},
    {"checkConstraints", 3, HasConstraints},
    {"changeDataFeed", 4, Never},
    {"generatedColumns", 4,
     [](const Metadata& m) { return ColumnsHave(m, "delta.generationExpression\""); }},
    {"columnMapping", 5, MapsColumns},
    {"identityColumns", 6, [](const Metadata& m) { return ColumnsHave(m, "delta.identity."); }},
    {"allowColumnDefaults", 0,
     [](const Metadata& m) { return ColumnsHave(m, "CURRENT_DEFAULT\""); }},
    {"domainMetadata", 0, Never},
    {"vacuumProtocolCheck", 0, Never},
}};

bool BindsWriter(std::string_view feature, const Metadata& metadata) {
  const auto known = std::ranges::find(kWriterFeatures, feature, &WriterFeature::name);
  return known == kWriterFeatures.end() || known->binds(metadata);
}

Status Refuse(std::string_view what, const std::vector<std::string>& lacking) {
  if (lacking.empty()) return {};
  return Fail(ErrorKind::kUnsupported, fmt::format("the table needs {} that are not supported: {}",
                                                   what, fmt::join(lacking, ", ")));
}

Status RefuseVersion(std::string_view what, int32_t version, int32_t newest) {
  return Fail(ErrorKind::kUnsupported,
              fmt::format("the table needs Delta {} version {}; supported are 1 to {}", what,
                          version, newest));
}

}  // namespace

Protocol OwnProtocol() {
  return {.min_reader_version = 1,
          .min_writer_version = kWriterFeaturesVersion,
          .writer_features = {{"appendOnly", "invariants", "changeDataFeed"}}};
}

Status CheckReadable(const Protocol& protocol, const Metadata& metadata) {
  const int32_t version = protocol.min_reader_version;
  if (version < 1 || version > kReaderFeaturesVersion) {
    return RefuseVersion("reader", version, kReaderFeaturesVersion);
  }
  std::vector<std::string> lacking;
  if (version == kReaderFeaturesVersion && protocol.reader_features) {
    for (const std::string& feature : *protocol.reader_features) {
      if (BindsReader(feature, metadata)) lacking.push_back(feature);
    }
  } else if (version == 2 && MapsColumns(metadata)) {
    lacking.push_back("columnMapping");
  }
  VL_RETURN_IF_ERROR(Refuse("reader features", lacking));
  if (metadata.format_provider != "parquet") {
    return Fail(ErrorKind::kUnsupported,
                fmt::format("the data format {} is not supported", metadata.format_provider));
  }
  return {};
}

Status CheckWritable(const Protocol& protocol, const Metadata& metadata) {
  VL_RETURN_IF_ERROR(CheckReadable(protocol, metadata));
  const int32_t version = protocol.min_writer_version;
  if (version < 1 || version > kWriterFeaturesVersion) {
    return RefuseVersion("writer", version, kWriterFeaturesVersion);
  }
  std::vector<std::string> lacking;
  if (version == kWriterFeaturesVersion) {
    for (const std::string& feature :
         protocol.writer_features.value_or(std::vector<std::string>())) {
      if (BindsWriter(feature, metadata)) lacking.push_back(feature);
    }
  } else {
    for (const WriterFeature& feature : kWriterFeatures) {
      const bool implied = feature.since > 0 && version >= feature.since;
      if (implied && feature.binds(metadata)) lacking.emplace_back(feature.name);
    }
  }
  return Refuse("writer features", lacking);
}

}  // namespace vitalake::delta
