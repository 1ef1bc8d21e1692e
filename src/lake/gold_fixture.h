// A lake whose silver and ops tables a test sets by SQL, and what gold must be over them.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "lake/gold.h"
#include "lake/gold_model.h"
#include "lake/lake.h"
#include "lake/sql_text.h"
#include "lake/table_writer.h"

namespace vitalake::lake {

inline const std::vector<std::string> kGoldSources = {
    "silver.patient", "silver.observation", "silver.vital_sign", "ops.action", "ops.alert"};

// The wanted state of every source table lies in a temporary table of its short name ("patient"),
// all columns NULL by default; Commit brings the Delta table to it, with a change feed.
class GoldFixture : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("vitalake-[g]old*-" + random_.Uuid());
    std::filesystem::create_directories(folder_);
    lake_ = OpenLake();
    ASSERT_TRUE(lake_->CreateMissingTables().has_value());
    auto connection = lake_->engine().Connect();
    ASSERT_TRUE(connection.has_value());
    connection_ = std::make_unique<engine::Connection>(std::move(*connection));
    for (const std::string& name : kGoldSources) {
      std::string columns;
      for (const TableColumn& column : (*lake_->Spec(name))->columns) {
        columns += fmt::format("{}{} {}", columns.empty() ? "" : ", ",
                               engine::QuoteName(column.name), SqlTypeOf(column.type));
      }
      Do(fmt::format("CREATE TEMP TABLE {} ({})", Short(name), columns));
    }
  }
  void TearDown() override {
    connection_.reset();
    lake_.reset();
    std::filesystem::remove_all(folder_);
  }

  virtual bool IsUpkeepApart() const { return false; }
  std::unique_ptr<Lake> OpenLake() {
    LakeOptions options;
    options.location = (folder_ / "lake").string();
    options.threads = 2;
    options.upkeep_apart = IsUpkeepApart();
    auto lake = Lake::Open(options, clock_, random_);
    EXPECT_TRUE(lake.has_value());
    return std::move(*lake);
  }

  static std::string Short(std::string_view table) {
    return std::string(table.substr(table.find('.') + 1));
  }

  void Do(const std::string& sql) {
    const auto done = connection_->Execute(sql);
    ASSERT_TRUE(done.has_value()) << done.error().ToString() << "\n" << sql;
  }
  int64_t Count(const std::string& rows) {
    const auto count = connection_->ScalarInt("SELECT count(*) FROM (" + rows + ")");
    EXPECT_TRUE(count.has_value()) << count.error().ToString() << "\n" << rows;
    return count.value_or(-1);
  }
  std::string Scalar(const std::string& sql) {
    const auto text = connection_->Scalar(sql);
    return text ? *text : text.error().ToString();
  }

  // Rows of a table of the lake as it is now.
  std::string Table(std::string_view name) {
    auto rows = engine::RelationSql(lake_->Files(*lake_->Latest(name), name));
    EXPECT_TRUE(rows.has_value());
    return *rows;
  }

  // One commit per source table that differs from what is wanted.
  void Commit() {
    for (const std::string& name : kGoldSources) CommitTable(name);
  }
  void CommitTable(const std::string& name) {
    const delta::SnapshotPtr snapshot = *lake_->Latest(name);
    const std::string now = Table(name);
    const std::string wanted = "FROM " + Short(name);
    Do(fmt::format("CREATE OR REPLACE TEMP TABLE gone AS ({}) EXCEPT ({})", now, wanted));
    Do(fmt::format("CREATE OR REPLACE TEMP TABLE come AS ({}) EXCEPT ({})", wanted, now));
    if (Count("FROM gone") + Count("FROM come") == 0) return;
    const Lake::WorkFolder work = std::move(*lake_->MakeWorkFolder("test"));
    Rewrite rewrite;
    const bool append = Count("FROM gone") == 0;
    engine::ParquetOptions options;
    options.stats_columns = (*lake_->Spec(name))->clustered_by;
    rewrite.data =
        *engine::WriteParquet(*connection_, append ? "FROM come" : wanted, work.path(), options);
    if (!append) {
      for (const auto& file : snapshot->files()) rewrite.replaced.push_back(file->path);
      rewrite.changes =
          *engine::WriteParquet(*connection_,
                                "SELECT *, 'update_preimage' AS _change_type FROM gone UNION ALL "
                                "SELECT *, 'update_postimage' FROM come",
                                work.path(), {});
    }
    const auto version = CommitRewrite(*lake_, **lake_->OpenTable(name), snapshot, rewrite, {}, {});
    ASSERT_TRUE(version.has_value() && version->has_value());
  }

  // Whom each patient counts for, found by walking the links one by one.
  void MakePersonLink() {
    auto rows = connection_->Query(
        "SELECT coalesce(id_space, ''), id, replaced_by FROM patient "
        "WHERE replaced_by IS NOT NULL AND replaced_by <> id AND retracted_at IS NULL");
    ASSERT_TRUE(rows.has_value());
    std::map<std::pair<std::string, std::string>, std::string> next;
    while (*rows->Next()) {
      next[{std::string(rows->GetString(0)), std::string(rows->GetString(1))}] = rows->GetString(2);
    }
    auto claims = connection_->Query(
        "SELECT coalesce(id_space, ''), id, unnest(from_json(replaces, '[\"VARCHAR\"]')) "
        "FROM patient WHERE replaces IS NOT NULL AND retracted_at IS NULL ORDER BY 1, 2");
    ASSERT_TRUE(claims.has_value());
    std::map<std::pair<std::string, std::string>, std::string> claimed;
    while (*claims->Next()) {
      if (claims->GetString(1) == claims->GetString(2)) continue;
      claimed.try_emplace({std::string(claims->GetString(0)), std::string(claims->GetString(2))},
                          claims->GetString(1));
    }
    next.merge(claimed);
    Do("CREATE OR REPLACE TEMP TABLE expected_link "
       "(id_space VARCHAR, patient_id VARCHAR, person_id VARCHAR)");
    for (const auto& [patient, first] : next) {
      std::vector<std::string> walked = {patient.second};
      std::string at = first;
      while (next.contains({patient.first, at}) && std::ranges::find(walked, at) == walked.end()) {
        walked.push_back(at);
        at = next[{patient.first, at}];
      }
      if (const auto again = std::ranges::find(walked, at); again != walked.end()) {
        at = *std::min_element(again, walked.end());
      }
      Do(fmt::format("INSERT INTO expected_link VALUES ({}, {}, {})",
                     engine::QuoteLiteral(patient.first), engine::QuoteLiteral(patient.second),
                     engine::QuoteLiteral(at)));
    }
  }

  // Of whom a reading is that names its patient by an identifier: asked for one by one.
  void MakeSubjectLink() {
    Do("CREATE OR REPLACE TEMP TABLE expected_subject "
       "(id_space VARCHAR, subject_identifier VARCHAR, patient_id VARCHAR)");
    auto named = connection_->Query(
        "SELECT coalesce(id_space, ''), subject_identifier FROM observation "
        "WHERE patient_id IS NULL AND subject_identifier IS NOT NULL UNION "
        "SELECT coalesce(id_space, ''), subject_identifier FROM vital_sign "
        "WHERE patient_id IS NULL AND subject_identifier IS NOT NULL");
    ASSERT_TRUE(named.has_value());
    std::vector<std::pair<std::string, std::string>> tokens;
    while (*named->Next()) tokens.emplace_back(named->GetString(0), named->GetString(1));
    for (const auto& [space, token] : tokens) {
      const size_t bar = token.find('|');
      const std::string holds = bar == token.npos
                                    ? fmt::format("i.value = {}", engine::QuoteLiteral(token))
                                    : fmt::format("coalesce(i.system, '') = {} AND i.value = {}",
                                                  engine::QuoteLiteral(token.substr(0, bar)),
                                                  engine::QuoteLiteral(token.substr(bar + 1)));
      Do(fmt::format(
          "INSERT INTO expected_subject SELECT any_value(s), {1}, any_value(id) FROM ("
          "SELECT coalesce(p.id_space, '') AS s, p.id, coalesce(l.person_id, p.id) AS person, "
          "unnest(from_json(identifiers, '[{{\"system\":\"VARCHAR\",\"value\":\"VARCHAR\"}}]')) AS "
          "i "
          "FROM patient p LEFT JOIN expected_link l ON l.id_space = coalesce(p.id_space, '') "
          "AND l.patient_id = p.id WHERE p.retracted_at IS NULL) "
          "WHERE s = {0} AND {2} HAVING count(DISTINCT person) = 1",
          engine::QuoteLiteral(space), engine::QuoteLiteral(token), holds));
    }
  }

  // Every gold table is its model over the wanted silver rows, row for row.
  void ExpectGold(const std::string& when) {
    MakePersonLink();
    MakeSubjectLink();
    const auto models = LoadGoldModels({});
    ASSERT_TRUE(models.has_value());
    for (const GoldModel& model : *models) {
      if (model.is_view) continue;
      std::vector<std::string> relations;
      for (const GoldSource& source : model.sources) {
        const std::string rows = "FROM " + Short(source.table);
        const bool readings =
            source.table.starts_with("silver.") && source.table != "silver.patient";
        relations.push_back(
            readings
                ? fmt::format(
                      "SELECT o.* REPLACE (coalesce(o.patient_id, (SELECT any_value(s.patient_id) "
                      "FROM expected_subject s WHERE s.id_space = coalesce(o.id_space, '') AND "
                      "s.subject_identifier = o.subject_identifier)) AS patient_id) {} o",
                      rows)
                : rows);
      }
      Do(fmt::format("CREATE OR REPLACE TEMP TABLE wanted AS {}",
                     BindSources(model, relations, "FROM expected_link")));
      const std::string found = Table(model.table);
      EXPECT_EQ(Count(fmt::format("(FROM wanted) EXCEPT ALL ({})", found)), 0)
          << model.table << " lacks rows " << when;
      EXPECT_EQ(Count(fmt::format("({}) EXCEPT ALL (FROM wanted)", found)), 0)
          << model.table << " has rows too many " << when;
    }
  }

  std::vector<GoldResult> Refresh(bool full = false) {
    auto results = RefreshGold(*lake_, full);
    EXPECT_TRUE(results.has_value()) << results.error().ToString();
    return results ? std::move(*results) : std::vector<GoldResult>();
  }

  SystemClock clock_;
  SystemRandom random_;
  std::filesystem::path folder_;
  std::unique_ptr<Lake> lake_;
  std::unique_ptr<engine::Connection> connection_;

 private:
  static std::string_view SqlTypeOf(std::string_view delta) {
    return delta == "string"      ? "VARCHAR"
           : delta == "long"      ? "BIGINT"
           : delta == "timestamp" ? "TIMESTAMPTZ"
                                  : delta;
  }
};

}  // namespace vitalake::lake
