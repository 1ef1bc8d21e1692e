// GoldSources: the silver side of one gold refresh, shared by its models.
//
// Holds the versions read, whose readings count for whom, and, for an incremental refresh, whom and
// which days the change feeds touch.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "delta/table.h"
#include "lake/gold_model.h"
#include "lake/lake.h"

namespace vitalake::lake {

// Its relations live in a schema of their own in the engine, which goes with the object; queries
// over them may run on any connection, several at once. Lake and connection must outlive it.
class GoldSources {
 public:
  // Takes the latest versions of what the models read.
  static Result<std::unique_ptr<GoldSources>> Open(Lake& lake, engine::Connection& connection,
                                                   const std::vector<GoldModel>& models,
                                                   const Wait& wait);
  ~GoldSources();

  int64_t Version(const std::string& table) const;
  // A table of this refresh in SQL, seen by every connection, gone with the object.
  std::string Relation(std::string_view name) const;

  // Finds the links between patients, and to them from readings that name them by an identifier;
  // before all below.
  Status FindLinks();
  // Collects whom the changes after `seen` (a version of every source) touch: the ids they name,
  // the persons these count for, and all patients of those persons; so every person who had or has
  // a row that differs. False when a change feed does not reach back that far.
  Result<bool> Touch(const std::map<GoldSource, int64_t>& seen);
  // Ids touched; 0 before Touch.
  int64_t touched() const { return touched_; }
  // Whether so many of the model's source rows are touched that all are as quickly read.
  Result<bool> MostIsTouched(const GoldModel& model);
  // Reads the rows of those touched once for all of `models`, as far as they name the columns,
  // from tables that several of them would read; after Touch, before their ModelSql. Very many
  // rows are left where they are.
  Status Gather(const std::vector<const GoldModel*>& models);
  // The model's SQL over all rows, or (after Touch) over the rows of those touched.
  Result<std::string> ModelSql(const GoldModel& model, bool touched_only) const;
  // The rows of a table that belong to those touched, and to their days touched when `day_column`
  // is not empty and the days are known.
  Result<std::string> TouchedRowsSql(const engine::TableFiles& table,
                                     const std::string& person_column,
                                     const std::string& day_column,
                                     engine::RelationOptions options) const;

 private:
  GoldSources(Lake& lake, engine::Connection& connection, const Wait& wait);
  Status FindPersonLinks();
  Status FindSubjects();
  Status ReadHeld();
  Result<bool> CollectNamed(const GoldSource& source, int64_t seen);
  Status Name(const std::string& rows, bool has_day);
  Status NamePatients(const std::vector<delta::ChangeFile>& changes);
  Status CollectSubjects(const GoldSource& source, const std::vector<delta::ChangeFile>& changes);
  Status NameHolders();
  std::string LinksSql() const;
  std::string ClosureSql(const std::string& named, std::string_view carried) const;
  std::string TouchedJoin(const std::string& person_column, const std::string& day_column) const;
  Status ExpandNamed();
  struct Share {
    int64_t rows = 0;
    int64_t touched = 0;
  };
  Result<Share> CountTouched(const GoldSource& source);
  Status GatherTable(const std::string& table, const std::vector<const GoldModel*>& models);
  Result<std::string> TouchedSource(const GoldSource& source) const;
  Result<std::string> TouchedOfSource(const GoldSource& source,
                                      engine::RelationOptions options) const;
  Status FindDays();
  engine::TableFiles Files(const std::string& table) const;

  Lake& lake_;
  engine::Connection& connection_;
  const Wait& wait_;
  std::string schema_;
  std::map<std::string, delta::SnapshotPtr> snapshots_;
  bool has_links_ = false;
  bool links_changed_ = false;  // then all days of those touched may differ
  bool held_is_read_ = false;
  std::vector<delta::ChangeFile> patient_changes_;
  std::set<std::string> by_identifier_;  // tables with readings that name patients so
  std::optional<std::pair<std::string, std::string>> days_;  // first and last of the table `day`
  int64_t days_touched_ = 0;
  int64_t touched_ = 0;
  std::map<GoldSource, Share> shares_;
  std::set<std::string> gathered_;  // tables whose rows of those touched are at hand
  std::string first_touched_, last_touched_;
};

}  // namespace vitalake::lake
