#include "engine/file_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>

#include "base/json_tree.h"
#include "base/parallel.h"

namespace vitalake::engine {
namespace {

using delta::Finding;
using delta::TypeKind;

constexpr int kMostKeys = 10;

bool IsCheckable(TypeKind kind) {
  switch (kind) {
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kStruct:
    case TypeKind::kBinary:
      return false;
    default:
      return true;
  }
}

// One thing the statistics say, as SQL: true when a file breaks it, NULL when it cannot be told.
struct Claim {
  std::string broken_sql;
  std::string message;
};

// What one file's statistics say of one column.
class ClaimMaker {
 public:
  ClaimMaker(JsonValue stats, const delta::Field& field)
      : stats_(stats), field_(field), name_(QuoteName(field.name)) {}

  std::vector<Claim> Make() {
    const JsonValue nulls = stats_.Find("nullCount").Find(field_.name);
    if (nulls.is_number()) {
      claims_.push_back({fmt::format("count(*) - count({}) <> {}", name_, nulls.text()),
                         fmt::format("nullCount of {} is {}", field_.name, nulls.text())});
    }
    if (IsCheckable(field_.type.kind())) {
      Bound("minValues", "min", "<");
      Bound("maxValues", "max", ">");
    }
    return std::move(claims_);
  }

 private:
  void Bound(std::string_view member, std::string_view aggregate, std::string_view beyond) {
    const JsonValue value = stats_.Find(member).Find(field_.name);
    if (!value || value.is_null() || value.is_object() || value.is_array()) return;
    const TypeKind kind = field_.type.kind();
    std::string bound =
        fmt::format("TRY_CAST({} AS {})", QuoteLiteral(value.text()), SqlType(field_.type));
    // Some writers cut times to milliseconds, which lowers an upper bound.
    const bool is_time = kind == TypeKind::kTimestamp || kind == TypeKind::kTimestampNtz;
    if (is_time && aggregate == "max") bound += " + INTERVAL 999 MICROSECONDS";
    const bool is_float = kind == TypeKind::kDouble || kind == TypeKind::kFloat;
    const std::string filter = is_float ? fmt::format(" FILTER (NOT isnan({}))", name_) : "";
    claims_.push_back({fmt::format("{}({}){} {} {}", aggregate, name_, filter, beyond, bound),
                       fmt::format("{} of {} is {}, a value is {}", member, field_.name,
                                   value.text(), aggregate == "min" ? "smaller" : "larger")});
    claims_.push_back({bound + " IS NULL", fmt::format("{} of {} is no {}: {}", member, field_.name,
                                                       field_.type.name(), value.text())});
  }

  JsonValue stats_;
  const delta::Field& field_;
  std::string name_;
  std::vector<Claim> claims_;
};

bool IsPartition(const delta::Snapshot& snapshot, const std::string& name) {
  const auto& names = snapshot.metadata().partition_columns;
  return std::ranges::find(names, name) != names.end();
}

bool EndsTheWork(const Error& error) {
  return error.kind == ErrorKind::kCancelled || error.kind == ErrorKind::kDeadline;
}

// Checks one file after the other on a connection of its own.
class FileChecker {
 public:
  FileChecker(const TableFiles& table, Connection connection, const Wait& wait)
      : table_(table), connection_(std::move(connection)), wait_(wait) {}

  // Errors of `wait` alone.
  Status Check(const delta::AddFile& file, std::vector<Finding>& out) {
    const auto key = delta::ResolvePath(table_.root, file.path);
    const auto object = key ? table_.store->Head(*key) : std::unexpected(key.error());
    if (!object || object->size_bytes != file.size_bytes) return {};
    JsonParser parser;
    const auto stats = parser.Parse(file.stats);
    const std::vector<Claim> claims = ClaimsOf(stats ? *stats : JsonValue());
    auto checked = Ask(file, claims, out);
    if (checked) return {};
    if (EndsTheWork(checked.error())) return checked;
    out.push_back({"file", file.path, "it cannot be read: " + checked.error().message});
    return {};
  }

 private:
  std::vector<Claim> ClaimsOf(JsonValue stats) const {
    std::vector<Claim> claims;
    if (!stats.is_object()) return claims;
    for (const delta::Field& field : table_.snapshot->schema().fields()) {
      if (IsPartition(*table_.snapshot, field.name)) continue;
      std::ranges::move(ClaimMaker(stats, field).Make(), std::back_inserter(claims));
    }
    return claims;
  }

  Status Ask(const delta::AddFile& file, const std::vector<Claim>& claims,
             std::vector<Finding>& out) {
    VL_TRY(const std::string rows,
           RelationSql(table_, {.files = std::vector<std::string>{file.path}}));
    std::string sql = "SELECT count(*)";
    for (const Claim& claim : claims) sql += ", " + claim.broken_sql;
    // Columns that the statistics do not tell of are read as well.
    for (const delta::Field& field : table_.snapshot->schema().fields()) {
      sql += fmt::format(", count({})", QuoteName(field.name));
    }
    VL_TRY(QueryResult answer,
           connection_.Query(fmt::format("{} FROM ({})", sql, rows), {}, wait_));
    VL_TRY([[maybe_unused]] const bool found, answer.Next());
    const int64_t count = answer.GetInt64(0);
    if (const auto told = file.NumRecords(); told && *told != count) {
      out.push_back(
          {"file", file.path, fmt::format("it has {} rows, the log says {}", count, *told)});
    }
    for (size_t i = 0; i < claims.size(); ++i) {
      if (!answer.IsNull(i + 1) && answer.GetBool(i + 1)) {
        out.push_back({"stats", file.path, claims[i].message});
      }
    }
    return {};
  }

  const TableFiles& table_;
  Connection connection_;
  const Wait& wait_;
};

}  // namespace

Result<std::vector<Finding>> CheckFiles(Engine& engine, const TableFiles& table, const Wait& wait,
                                        const std::function<void(int64_t)>& progress) {
  const auto files = table.snapshot->files();
  std::vector<std::vector<Finding>> found(files.size());
  std::vector<Status> checked(files.size());
  std::mutex mutex;
  int64_t bytes_done = 0;
  ForEachIndex(files.size(), static_cast<size_t>(engine.options().threads), [&](size_t i) {
    auto connection = engine.Connect();
    checked[i] = connection
                     ? FileChecker(table, std::move(*connection), wait).Check(*files[i], found[i])
                     : Status(std::unexpected(connection.error()));
    const std::lock_guard lock(mutex);
    bytes_done += files[i]->size_bytes;
    if (progress) progress(bytes_done);
    return checked[i].has_value();
  });
  std::vector<Finding> all;
  for (size_t i = 0; i < files.size(); ++i) {
    VL_RETURN_IF_ERROR(std::move(checked[i]));
    std::ranges::move(found[i], std::back_inserter(all));
  }
  return all;
}

Result<std::vector<Finding>> CheckKey(Engine& engine, const TableFiles& table,
                                      std::span<const std::string> key, const Wait& wait) {
  VL_TRY(Connection connection, engine.Connect());
  VL_TRY(const std::string rows, RelationSql(table));
  std::string names;
  std::string texts;
  for (const std::string& expression : key) {
    names += (names.empty() ? "" : ", ") + expression;
    texts += fmt::format("{}coalesce('''' || CAST({} AS VARCHAR) || '''', 'null')",
                         texts.empty() ? "" : " || ', ' || ", expression);
  }
  VL_TRY(QueryResult repeated,
         connection.Query(fmt::format("SELECT {}, count(*), count(*) OVER () FROM ({}) GROUP BY {} "
                                      "HAVING count(*) > 1 ORDER BY 1 LIMIT {}",
                                      texts, rows, names, kMostKeys),
                          {}, wait));
  std::vector<Finding> found;
  for (;;) {
    VL_TRY(const bool more, repeated.Next());
    if (!more) return found;
    found.push_back({"key", fmt::format("({})", repeated.GetString(0)),
                     fmt::format("{} rows have it; keys that are there more than once: {}",
                                 repeated.GetInt64(1), repeated.GetInt64(2))});
  }
}

Result<std::vector<Finding>> CheckChanges(Engine& engine, const TableFiles& table,
                                          std::span<const delta::ChangeCount> changes,
                                          const Wait& wait) {
  VL_TRY(Connection connection, engine.Connect());
  std::vector<Finding> found;
  for (const delta::ChangeCount& change : changes) {
    const std::string place = fmt::format("version {}", change.version.value);
    std::string paths;
    for (const std::string& path : change.files) {
      VL_TRY(const std::filesystem::path local, table.LocalFile(path));
      paths += (paths.empty() ? "" : ", ") + QuotePath(local);
    }
    auto rows = connection.Query(fmt::format("SELECT count(*) FILTER (_change_type = 'insert') - "
                                             "count(*) FILTER (_change_type = 'delete'), "
                                             "count(*) FILTER (_change_type = 'update_preimage') - "
                                             "count(*) FILTER (_change_type = 'update_postimage') "
                                             "FROM read_parquet([{}], hive_partitioning = false)",
                                             paths),
                                 {}, wait);
    auto more = rows ? rows->Next() : Result<bool>(std::unexpected(rows.error()));
    if (!more && EndsTheWork(more.error())) return std::unexpected(std::move(more).error());
    if (!more) {
      found.push_back({"changes", place, "they cannot be read: " + more.error().message});
    } else if (rows->GetInt64(0) != change.rows_more) {
      found.push_back(
          {"changes", place,
           fmt::format("they add {} rows, the commit {}", rows->GetInt64(0), change.rows_more)});
    } else if (rows->GetInt64(1) != 0) {
      found.push_back({"changes", place, "rows before and after an update are not in pairs"});
    }
  }
  return found;
}

}  // namespace vitalake::engine
