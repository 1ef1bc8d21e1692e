#include <fmt/format.h>

#include <array>
#include <limits>

#include "delta/actions.h"
#include "delta/json_copy.h"

namespace vitalake::delta {
namespace {

// Takes members out of one action's object; the first fault stays, later calls then do nothing.
class MemberReader {
 public:
  MemberReader(std::string_view action, JsonValue object) : action_(action), object_(object) {}

  std::string Text(std::string_view name) {
    auto text = OptionalText(name);
    if (!text) Missing(name);
    return text ? *std::move(text) : std::string();
  }
  std::optional<std::string> OptionalText(std::string_view name) {
    const JsonValue value = Find(name);
    if (!value) return std::nullopt;
    if (!value.is_string()) return Wrong(name), std::nullopt;
    return std::string(value.text());
  }
  int64_t Int(std::string_view name) {
    const auto number = OptionalInt(name);
    if (!number) Missing(name);
    return number.value_or(0);
  }
  std::optional<int64_t> OptionalInt(std::string_view name) {
    const JsonValue value = Find(name);
    if (!value) return std::nullopt;
    const auto number = value.is_number() ? value.AsInt() : std::nullopt;
    if (!number) Wrong(name);
    return number;
  }
  std::optional<int32_t> OptionalInt32(std::string_view name) {
    const auto number = OptionalInt(name);
    if (!number) return std::nullopt;
    if (*number < 0 || *number > std::numeric_limits<int32_t>::max()) {
      return Wrong(name), std::nullopt;
    }
    return static_cast<int32_t>(*number);
  }
  int32_t Int32(std::string_view name) {
    const auto number = OptionalInt32(name);
    if (!number) Missing(name);
    return number.value_or(0);
  }
  std::optional<bool> OptionalBool(std::string_view name) {
    const JsonValue value = Find(name);
    if (!value) return std::nullopt;
    if (!value.is_bool()) return Wrong(name), std::nullopt;
    return value.type() == JsonType::kTrue;
  }
  // A missing map is empty. Values that are no strings are kept as JSON text.
  std::map<std::string, std::optional<std::string>> OptionalTexts(std::string_view name) {
    std::map<std::string, std::optional<std::string>> out;
    const JsonValue value = Find(name);
    if (!value) return out;
    if (!value.is_object()) return Wrong(name), out;
    for (const JsonValue member : value.children()) {
      auto& slot = out[std::string(member.key())];
      if (!member.is_null()) {
        slot = member.is_string() ? std::string(member.text()) : CopyJson(member);
      }
    }
    return out;
  }
  PartitionValues Partition(std::string_view name) {
    PartitionValues values = OptionalTexts(name);
    for (auto& [column, value] : values) {
      if (value && value->empty()) value.reset();
    }
    return values;
  }
  StringMap Map(std::string_view name) {
    StringMap out;
    for (auto& [key, value] : OptionalTexts(name)) {
      if (value) out.emplace(key, *std::move(value));
    }
    return out;
  }
  std::optional<std::vector<std::string>> OptionalList(std::string_view name) {
    const JsonValue value = Find(name);
    if (!value) return std::nullopt;
    if (!value.is_array()) return Wrong(name), std::nullopt;
    std::vector<std::string> out;
    for (const JsonValue element : value.children()) {
      if (!element.is_string()) return Wrong(name), std::nullopt;
      out.emplace_back(element.text());
    }
    return out;
  }
  // The member when it is an object.
  JsonValue OptionalObject(std::string_view name) {
    const JsonValue value = Find(name);
    if (value && !value.is_object()) Wrong(name);
    return value.is_object() ? value : JsonValue();
  }
  // For parts of an action that are objects of their own.
  void Adopt(const MemberReader& part) {
    if (fault_.empty()) fault_ = part.fault_;
  }

  Status Finish() const {
    if (fault_.empty()) return {};
    return Fail(ErrorKind::kCorrupt, fault_);
  }

 private:
  JsonValue Find(std::string_view name) const {
    const JsonValue value = object_.Find(name);
    return value && !value.is_null() ? value : JsonValue();
  }
  void Missing(std::string_view name) { Fault(name, "is missing"); }
  void Wrong(std::string_view name) { Fault(name, "has the wrong type"); }
  void Fault(std::string_view name, std::string_view what) {
    if (fault_.empty()) fault_ = fmt::format("{}.{} {}", action_, name, what);
  }

  std::string_view action_;
  JsonValue object_;
  std::string fault_;
};

std::optional<DeletionVector> ReadDeletionVector(MemberReader& in) {
  const JsonValue object = in.OptionalObject("deletionVector");
  if (!object) return std::nullopt;
  MemberReader part("deletionVector", object);
  DeletionVector out{.storage_type = part.Text("storageType"),
                     .path_or_inline = part.Text("pathOrInlineDv"),
                     .offset = part.OptionalInt32("offset"),
                     .size_bytes = part.Int32("sizeInBytes"),
                     .cardinality = part.Int("cardinality")};
  in.Adopt(part);
  return out;
}

std::string ReadPath(MemberReader& in) { return DecodePath(in.Text("path")); }

Action ReadAdd(MemberReader& in) {
  AddFile out;
  out.path = ReadPath(in);
  out.partition_values = in.Partition("partitionValues");
  out.size_bytes = in.Int("size");
  out.modification_time_ms = in.OptionalInt("modificationTime").value_or(0);
  out.data_change = in.OptionalBool("dataChange").value_or(true);
  out.stats = in.OptionalText("stats").value_or("");
  out.tags = in.OptionalTexts("tags");
  out.deletion_vector = ReadDeletionVector(in);
  out.base_row_id = in.OptionalInt("baseRowId");
  out.default_row_commit_version = in.OptionalInt("defaultRowCommitVersion");
  out.clustering_provider = in.OptionalText("clusteringProvider");
  return out;
}

Action ReadRemove(MemberReader& in) {
  RemoveFile out;
  out.path = ReadPath(in);
  out.deletion_timestamp_ms = in.OptionalInt("deletionTimestamp");
  out.data_change = in.OptionalBool("dataChange").value_or(true);
  if (in.OptionalObject("partitionValues")) out.partition_values = in.Partition("partitionValues");
  out.size_bytes = in.OptionalInt("size");
  out.stats = in.OptionalText("stats").value_or("");
  out.tags = in.OptionalTexts("tags");
  out.deletion_vector = ReadDeletionVector(in);
  out.base_row_id = in.OptionalInt("baseRowId");
  out.default_row_commit_version = in.OptionalInt("defaultRowCommitVersion");
  return out;
}

Action ReadCdc(MemberReader& in) {
  return CdcFile{.path = ReadPath(in),
                 .partition_values = in.Partition("partitionValues"),
                 .size_bytes = in.Int("size"),
                 .tags = in.OptionalTexts("tags")};
}

Action ReadMetadata(MemberReader& in) {
  Metadata out;
  out.id = in.Text("id");
  out.name = in.OptionalText("name");
  out.description = in.OptionalText("description");
  if (const JsonValue format = in.OptionalObject("format")) {
    MemberReader part("metaData.format", format);
    out.format_provider = part.OptionalText("provider").value_or("parquet");
    out.format_options = part.Map("options");
    in.Adopt(part);
  }
  out.schema_string = in.Text("schemaString");
  out.partition_columns = in.OptionalList("partitionColumns").value_or(std::vector<std::string>());
  out.created_time_ms = in.OptionalInt("createdTime");
  out.configuration = in.Map("configuration");
  return out;
}

Action ReadProtocol(MemberReader& in) {
  return Protocol{.min_reader_version = in.Int32("minReaderVersion"),
                  .min_writer_version = in.Int32("minWriterVersion"),
                  .reader_features = in.OptionalList("readerFeatures"),
                  .writer_features = in.OptionalList("writerFeatures")};
}

Action ReadTxn(MemberReader& in) {
  return Txn{.app_id = in.Text("appId"),
             .version = in.Int("version"),
             .last_updated_ms = in.OptionalInt("lastUpdated")};
}

Action ReadDomain(MemberReader& in) {
  return DomainMetadata{.domain = in.Text("domain"),
                        .configuration = in.OptionalText("configuration").value_or(""),
                        .removed = in.OptionalBool("removed").value_or(false)};
}

// Nothing in it can be wrong: it is provenance only.
CommitInfo ReadCommitInfo(JsonValue object) {
  CommitInfo out;
  out.json = CopyJson(object);
  const auto integer = [&](std::string_view name) {
    const JsonValue value = object.Find(name);
    return value.is_number() ? value.AsInt() : std::nullopt;
  };
  out.timestamp_ms = integer("timestamp");
  out.read_version = integer("readVersion");
  out.operation = object.String("operation");
  out.txn_id = object.String("txnId");
  if (const JsonValue blind = object.Find("isBlindAppend"); blind.is_bool()) {
    out.is_blind_append = blind.type() == JsonType::kTrue;
  }
  return out;
}

struct ActionKind {
  std::string_view name;
  Action (*read)(MemberReader&);  // null: commitInfo
};
constexpr std::array<ActionKind, 8> kActions = {{
    {"add", ReadAdd},
    {"remove", ReadRemove},
    {"cdc", ReadCdc},
    {"metaData", ReadMetadata},
    {"protocol", ReadProtocol},
    {"txn", ReadTxn},
    {"domainMetadata", ReadDomain},
    {"commitInfo", nullptr},
}};

const ActionKind* FindKind(std::string_view name) {
  for (const ActionKind& kind : kActions) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

}  // namespace

Result<std::optional<Action>> ParseAction(JsonValue line) {
  if (!line.is_object()) return Fail(ErrorKind::kCorrupt, "an action is not a JSON object");
  const ActionKind* kind = nullptr;
  JsonValue body;
  for (const JsonValue member : line.children()) {
    const ActionKind* const found = member.is_null() ? nullptr : FindKind(member.key());
    if (!found) continue;
    if (kind) {
      return Fail(ErrorKind::kCorrupt,
                  fmt::format("one line holds two actions: {} and {}", kind->name, found->name));
    }
    kind = found;
    body = member;
  }
  if (!kind) return std::nullopt;
  if (!body.is_object()) {
    return Fail(ErrorKind::kCorrupt, fmt::format("{} is not a JSON object", kind->name));
  }
  if (!kind->read) return Action(ReadCommitInfo(body));
  MemberReader in(kind->name, body);
  Action action = kind->read(in);
  VL_RETURN_IF_ERROR(in.Finish());
  return action;
}

Result<std::optional<Action>> ParseAction(std::string_view line) {
  JsonParser parser;
  const auto root = parser.Parse(line);
  if (!root) return Fail(root.error().kind, root.error().message);
  return ParseAction(*root);
}

}  // namespace vitalake::delta
