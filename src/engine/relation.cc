// How a snapshot becomes SQL:
//  - read_parquet gets the schema by name, so no file is opened before it is read, a column that a
//    file lacks is NULL, and every file's types are brought to the table's;
//  - partition columns are constants of a file: one SELECT per distinct set of values while these
//    are few, else a join of the file names with the values.
#include "engine/relation.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_set>

#include "engine/engine.h"

namespace vitalake::engine {
namespace {

using delta::DeltaType;
using delta::TypeKind;

constexpr size_t kMaxUnions = 50;

struct DataFile {
  std::string local;  // where it can be read
  std::string path;   // AddFile::path
  const delta::PartitionValues* partition_values = nullptr;
};

bool IsPartitionColumn(const delta::Snapshot& snapshot, std::string_view name) {
  return std::ranges::find(snapshot.metadata().partition_columns, name) !=
         snapshot.metadata().partition_columns.end();
}

Result<std::vector<const delta::Field*>> ChosenFields(const delta::Snapshot& snapshot,
                                                      const std::vector<std::string>& columns) {
  std::vector<const delta::Field*> fields;
  if (columns.empty()) {
    for (const delta::Field& field : snapshot.schema().fields()) fields.push_back(&field);
  }
  for (const std::string& name : columns) {
    const delta::Field* field = snapshot.schema().FindField(name);
    if (!field) {
      return Fail(ErrorKind::kInvalidArgument, fmt::format("the table has no column {}", name));
    }
    fields.push_back(field);
  }
  return fields;
}

Result<DataFile> Locate(const TableFiles& table, const std::string& path,
                        const delta::PartitionValues& values, bool has_deletion_vector) {
  if (has_deletion_vector) {
    return Fail(
        ErrorKind::kUnsupported,
        fmt::format("file {} has a deletion vector: deletionVectors is not supported", path));
  }
  VL_TRY(const std::filesystem::path local, table.LocalFile(path));
  return DataFile{local.string(), path, &values};
}

std::string PartitionValueSql(const delta::Field& field, const delta::PartitionValues& values) {
  const auto found = values.find(field.name);
  if (found == values.end() || !found->second) {
    return fmt::format("CAST(NULL AS {})", SqlType(field.type));
  }
  return fmt::format("CAST({} AS {})", QuoteLiteral(*found->second), SqlType(field.type));
}

// Builds the SELECTs of one relation.
class RelationBuilder {
 public:
  RelationBuilder(const TableFiles& table, std::vector<const delta::Field*> fields)
      : table_(table), fields_(std::move(fields)) {}

  // Columns in front of and behind the table's own, by file; and with _file and _row in front.
  void AddPositions() { positions_ = true; }
  // Columns that the files hold besides the schema's.
  void AddFileColumn(const delta::Field& field) { extra_.push_back(&field); }

  std::string Sql(const std::vector<DataFile>& files) const {
    if (files.empty()) return EmptySql();
    const bool one_group = !HasPartitions() || files.size() == 1;
    if (one_group && CommonFolder(files)) return GroupSql(files);
    const auto groups = Groups(files);
    if (groups.size() > kMaxUnions || !CommonFolder(files)) return JoinSql(files);
    std::string sql;
    for (const auto& group : groups) sql += (sql.empty() ? "" : " UNION ALL ") + GroupSql(group);
    return sql;
  }

 private:
  bool IsPartition(const delta::Field& field) const {
    return IsPartitionColumn(*table_.snapshot, field.name);
  }
  bool HasPartitions() const {
    return std::ranges::any_of(fields_, [&](const auto* field) { return IsPartition(*field); });
  }

  static std::vector<std::vector<DataFile>> Groups(const std::vector<DataFile>& files) {
    std::map<delta::PartitionValues, std::vector<DataFile>> by_values;
    for (const DataFile& file : files) by_values[*file.partition_values].push_back(file);
    std::vector<std::vector<DataFile>> groups;
    for (auto& [values, group] : by_values) groups.push_back(std::move(group));
    return groups;
  }

  // The folder all local paths share in front of the files' own paths; needed to give _file back.
  std::optional<std::string> CommonFolder(const std::vector<DataFile>& files) const {
    if (!positions_) return "";
    const auto folder_of = [](const DataFile& file) -> std::optional<std::string> {
      if (!file.local.ends_with(file.path)) return std::nullopt;
      return file.local.substr(0, file.local.size() - file.path.size());
    };
    auto first = folder_of(files.front());
    for (const DataFile& file : files) {
      if (!first || folder_of(file) != first) return std::nullopt;
    }
    return first;
  }

  std::string EmptySql() const {
    std::string sql = "SELECT ";
    const char* comma = "";
    if (positions_) {
      sql += "CAST(NULL AS VARCHAR) AS _file, CAST(NULL AS BIGINT) AS _row";
      comma = ", ";
    }
    for (const auto* list : {&fields_, &extra_}) {
      for (const delta::Field* field : *list) {
        sql += fmt::format("{}CAST(NULL AS {}) AS {}", comma, SqlType(field->type),
                           QuoteName(field->name));
        comma = ", ";
      }
    }
    return sql + " WHERE false";
  }

  // read_parquet(...) with the data columns' types; at least one column must be named.
  std::string ReadSql(const std::vector<DataFile>& files) const {
    std::string paths;
    for (const DataFile& file : files) {
      if (!paths.empty()) paths += ',';
      paths += QuotePath(file.local);
    }
    std::string schema;
    for (const delta::Field& field : table_.snapshot->schema().fields()) {
      if (!IsPartition(field)) AppendSchema(field, schema);
    }
    for (const delta::Field* field : extra_) AppendSchema(*field, schema);
    if (schema.empty()) AppendSchema({"_none", DeltaType(TypeKind::kBoolean)}, schema);
    return fmt::format("read_parquet([{}], hive_partitioning = false, schema = MAP {{{}}})", paths,
                       schema);
  }

  static void AppendSchema(const delta::Field& field, std::string& out) {
    if (!out.empty()) out += ", ";
    const std::string name = QuoteLiteral(field.name);
    fmt::format_to(std::back_inserter(out), "{}: {{name: {}, type: {}, default_value: NULL}}", name,
                   name, QuoteLiteral(SqlType(field.type)));
  }

  // Files that share their partition values.
  std::string GroupSql(const std::vector<DataFile>& files) const {
    std::string sql = "SELECT ";
    const char* comma = "";
    if (positions_) {
      sql += fmt::format("substr(filename, {}) AS _file, file_row_number AS _row",
                         CommonCharacters(*CommonFolder(files)) + 1);
      comma = ", ";
    }
    for (const delta::Field* field : fields_) {
      sql += comma;
      comma = ", ";
      if (IsPartition(*field)) {
        sql += PartitionValueSql(*field, *files.front().partition_values) + " AS ";
      }
      sql += QuoteName(field->name);
    }
    for (const delta::Field* field : extra_) {
      sql += comma + QuoteName(field->name);
      comma = ", ";
    }
    return sql + " FROM " + ReadSql(files);
  }

  static size_t CommonCharacters(std::string_view text) {
    return static_cast<size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
  }

  // Any files: their own values are looked up by file name.
  std::string JoinSql(const std::vector<DataFile>& files) const {
    std::string sql = "SELECT ";
    const char* comma = "";
    if (positions_) {
      sql += "f._path AS _file, r.file_row_number AS _row";
      comma = ", ";
    }
    std::vector<const delta::Field*> partitions;
    for (const delta::Field* field : fields_) {
      if (IsPartition(*field)) {
        sql += fmt::format("{}f.v{} AS {}", comma, partitions.size(), QuoteName(field->name));
        partitions.push_back(field);
      } else {
        sql += fmt::format("{}r.{}", comma, QuoteName(field->name));
      }
      comma = ", ";
    }
    for (const delta::Field* field : extra_) {
      sql += fmt::format("{}r.{}", comma, QuoteName(field->name));
      comma = ", ";
    }
    std::string values;
    for (const DataFile& file : files) {
      values += fmt::format("{}({}, {}", values.empty() ? "" : ", ", QuoteLiteral(file.local),
                            QuoteLiteral(file.path));
      for (const delta::Field* field : partitions) {
        values += ", " + PartitionValueSql(*field, *file.partition_values);
      }
      values += ')';
    }
    std::string names = "_local, _path";
    for (size_t i = 0; i < partitions.size(); ++i) names += fmt::format(", v{}", i);
    return fmt::format("{} FROM {} r JOIN (VALUES {}) f({}) ON r.filename = f._local", sql,
                       ReadSql(files), values, names);
  }

  const TableFiles& table_;
  std::vector<const delta::Field*> fields_;
  std::vector<const delta::Field*> extra_;
  bool positions_ = false;
};

std::string_view PrimitiveSqlType(TypeKind kind) {
  switch (kind) {
    case TypeKind::kLong:
      return "BIGINT";
    case TypeKind::kInteger:
      return "INTEGER";
    case TypeKind::kShort:
      return "SMALLINT";
    case TypeKind::kByte:
      return "TINYINT";
    case TypeKind::kFloat:
      return "FLOAT";
    case TypeKind::kDouble:
      return "DOUBLE";
    case TypeKind::kBoolean:
      return "BOOLEAN";
    case TypeKind::kBinary:
      return "BLOB";
    case TypeKind::kDate:
      return "DATE";
    case TypeKind::kTimestamp:
      return "TIMESTAMP WITH TIME ZONE";
    case TypeKind::kTimestampNtz:
      return "TIMESTAMP";
    default:
      return "VARCHAR";
  }
}

std::string_view ChangeTypeOf(delta::ChangeKind kind) {
  return kind == delta::ChangeKind::kDelete ? "delete" : "insert";
}

}  // namespace

Result<std::filesystem::path> TableFiles::LocalFile(std::string_view path) const {
  VL_TRY(const std::string key, delta::ResolvePath(root, path));
  return store->LocalPath(key);
}

std::string SqlType(const DeltaType& type) {
  switch (type.kind()) {
    case TypeKind::kDecimal:
      return fmt::format("DECIMAL({},{})", type.precision(), type.scale());
    case TypeKind::kArray:
      return SqlType(type.element()) + "[]";
    case TypeKind::kMap:
      return fmt::format("MAP({}, {})", SqlType(type.key()), SqlType(type.value()));
    case TypeKind::kStruct: {
      std::string sql;
      for (const delta::Field& field : type.fields()) {
        sql += fmt::format("{}{} {}", sql.empty() ? "STRUCT(" : ", ", QuoteName(field.name),
                           SqlType(field.type));
      }
      return sql + ")";
    }
    default:
      return std::string(PrimitiveSqlType(type.kind()));
  }
}

Result<std::string> RelationSql(const TableFiles& table, const RelationOptions& options) {
  VL_TRY(auto fields, ChosenFields(*table.snapshot, options.columns));
  RelationBuilder builder(table, std::move(fields));
  if (options.with_positions) builder.AddPositions();
  std::optional<std::unordered_set<std::string>> wanted;
  if (options.files) wanted.emplace(options.files->begin(), options.files->end());
  if (!options.bounds.empty()) {
    std::unordered_set<std::string> left;
    for (std::string& path : PruneFiles(*table.snapshot, options.bounds)) {
      if (!wanted || wanted->contains(path)) left.insert(std::move(path));
    }
    wanted = std::move(left);
  }
  std::vector<DataFile> files;
  for (const delta::AddFilePtr& file : table.snapshot->files()) {
    if (wanted && !wanted->contains(file->path)) continue;
    VL_TRY(DataFile located,
           Locate(table, file->path, file->partition_values, file->deletion_vector.has_value()));
    files.push_back(std::move(located));
  }
  return builder.Sql(files);
}

Result<std::string> ChangesSql(const TableFiles& table, std::span<const delta::ChangeFile> files,
                               const std::vector<std::string>& columns) {
  VL_TRY(const auto fields, ChosenFields(*table.snapshot, columns));
  const delta::Field change_type{"_change_type", DeltaType(TypeKind::kString)};
  const auto envelope = [](std::string_view type, int64_t version, Micros timestamp,
                           const std::string& rows) {
    return fmt::format(
        "SELECT *{}, {}::BIGINT AS _commit_version, make_timestamptz({}) AS"
        " _commit_timestamp FROM ({})",
        type.empty() ? "" : fmt::format(", '{}' AS _change_type", type), version, timestamp, rows);
  };
  // Files of one version and kind are read together.
  std::string sql;
  for (size_t i = 0; i < files.size();) {
    const delta::ChangeFile& first = files[i];
    std::vector<DataFile> group;
    for (; i < files.size() && files[i].version == first.version && files[i].kind == first.kind;
         ++i) {
      VL_TRY(DataFile located, Locate(table, files[i].path, files[i].partition_values,
                                      files[i].deletion_vector.has_value()));
      group.push_back(std::move(located));
    }
    RelationBuilder builder(table, fields);
    const bool typed = first.kind == delta::ChangeKind::kCdc;
    if (typed) builder.AddFileColumn(change_type);
    sql += (sql.empty() ? "" : " UNION ALL ") + envelope(typed ? "" : ChangeTypeOf(first.kind),
                                                         first.version.value, first.timestamp,
                                                         builder.Sql(group));
  }
  if (!sql.empty()) return sql;
  return envelope("insert", 0, 0, RelationBuilder(table, fields).Sql({})) + " WHERE false";
}

namespace {

bool IsGone(const TableFiles& files, std::string_view path) {
  const auto local = files.LocalFile(path);
  return !local && local.error().kind == ErrorKind::kNotFound;
}

bool IsWhole(const TableFiles& files) {
  return std::ranges::none_of(files.snapshot->files(),
                              [&](const auto& file) { return IsGone(files, file->path); });
}

}  // namespace

Status CheckVersion(delta::Table& table, const TableFiles& files, std::string_view name) {
  VL_TRY(const delta::SnapshotPtr latest, table.Latest());
  const Version asked = files.snapshot->version();
  if (asked == latest->version() || IsWhole(files)) return {};
  // Vacuum takes the files of all versions before a time: the first that is whole is found by
  // halves.
  int64_t gone = asked.value, whole = latest->version().value;
  while (whole - gone > 1) {
    const int64_t middle = gone + (whole - gone) / 2;
    TableFiles between = files;
    VL_TRY(between.snapshot, table.At(Version{middle}));
    (IsWhole(between) ? whole : gone) = middle;
  }
  const bool only = whole == latest->version().value;
  return Fail(
      ErrorKind::kNotFound,
      fmt::format("version {} of {} cannot be read any more: a vacuum removed its files; "
                  "version {} {}",
                  asked.value, name, whole, only ? "can, the newest" : "can, and all after it"));
}

Status CheckChanges(const TableFiles& files, std::span<const delta::ChangeFile> changes,
                    std::string_view name) {
  const delta::ChangeFile* last_gone = nullptr;
  for (const delta::ChangeFile& change : changes) {
    if (IsGone(files, change.path)) last_gone = &change;
  }
  if (last_gone == nullptr) return {};
  return Fail(ErrorKind::kNotFound,
              fmt::format("the changes of {} up to version {} cannot be read any more: a vacuum "
                          "removed their files; those from version {} on can",
                          name, last_gone->version.value, last_gone->version.value + 1));
}

}  // namespace vitalake::engine
