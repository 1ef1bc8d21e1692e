// Statements and portals of one PostgreSQL session, carried out by the engine.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "engine/held_plans.h"
#include "engine/held_values.h"
#include "engine/sql_session.h"
#include "serve/postgres/command.h"
#include "serve/postgres/error.h"
#include "serve/postgres/settings.h"
#include "serve/postgres/types.h"
#include "serve/work_gate.h"

namespace vitalake::serve {

template <class T>
using PgResult = std::expected<T, PgError>;

// A statement that was parsed: what its parameters and rows are.
struct PgStatement {
  PgCommand command;
  std::string text = {};               // as the client wrote it
  std::vector<int32_t> types = {};     // of parameters: oids, all known
  std::vector<PgColumn> columns = {};  // none: it gives no rows
  // Where it asks one table for one value by which rows are found.
  std::optional<engine::SqlSession::Point> point = {};
};

// A statement with its values, whose rows are read piece by piece.
class PgPortal {
 public:
  explicit PgPortal(std::shared_ptr<const PgStatement> statement)
      : statement_(std::move(statement)) {}

  const PgStatement& statement() const { return *statement_; }
  const std::shared_ptr<const PgStatement>& shared_statement() const { return statement_; }
  // Whether the engine gives its rows (else the session carries it out).
  bool has_rows() const { return !statement_->columns.empty(); }
  // Of column i.
  PgFormat format(size_t i) const {
    return formats_.empty() ? PgFormat::kText : formats_[formats_.size() == 1 ? 0 : i];
  }
  void set_formats(std::vector<PgFormat> formats) { formats_ = std::move(formats); }

 private:
  friend class PgExecutor;
  const std::shared_ptr<const PgStatement> statement_;
  std::vector<PgFormat> formats_;
  std::vector<engine::Parameter> values_;
  std::shared_ptr<bool> held_;  // while it reads the rows held for a point
  std::string held_sql_;        // the statement over them
  // Each goes before what it came from.
  std::optional<engine::Connection> connection_;
  std::optional<engine::PreparedQuery> prepared_;
  int64_t planned_ = 0;  // statements of the session, this one the last
  std::optional<engine::QueryResult> result_;
  bool done_ = false;
};

// Not thread-safe. Portals must go before it.
class PgExecutor {
 public:
  using OpenSession = std::function<Result<std::unique_ptr<engine::SqlSession>>()>;
  // `open` is called when the first statement needs it.
  PgExecutor(OpenSession open, WorkGate& gate, Clock& clock, const PostgresSettings& settings)
      : open_(std::move(open)), gate_(gate), clock_(clock), settings_(settings) {}

  // `types` as the client gave them: 0 where it leaves that to the server.
  PgResult<PgStatement> Prepare(std::string_view text, PgCommand command,
                                std::vector<int32_t> types, const Wait& wait);
  // A portal that will run the statement over the tables as they are now.
  PgResult<std::unique_ptr<PgPortal>> Bind(std::shared_ptr<const PgStatement> statement,
                                           std::vector<engine::Parameter> values, const Wait& wait);

  // What takes the rows: it writes one into a buffer, and says whether the buffer is full; then it
  // is emptied while others may work.
  struct RowSink {
    std::function<bool(const engine::QueryResult& row)> row;
    std::function<Status()> flush;
  };
  struct Fetched {
    int64_t rows = 0;
    bool done = false;  // there are no more
  };
  // The next rows, at most `most`. An error of the sink (the client is gone) comes back as
  // `fatal`.
  PgResult<Fetched> Fetch(PgPortal& portal, int64_t most, const RowSink& sink, const Wait& wait);

 private:
  using ColumnNames = std::optional<std::vector<std::string>>;
  Status EnsureSession();
  // What the engine is to run.
  PgResult<std::string> EngineText(const PgStatement& statement) const;
  Result<engine::PreparedQuery> PrepareTyped(std::string_view text,
                                             const std::vector<int32_t>& types,
                                             const std::vector<engine::Parameter>* values,
                                             engine::Connection& connection, ColumnNames* names,
                                             const Wait& wait);
  // Binds it over the rows that are held for its point; false: the tables must be asked.
  Result<bool> BindPoint(PgPortal& portal, const Wait& wait);
  PgResult<void> BindTables(PgPortal& portal, const Wait& wait);
  PgResult<void> Start(PgPortal& portal, const Wait& wait);
  void Release(PgPortal& portal);

  const OpenSession open_;
  WorkGate& gate_;
  Clock& clock_;
  const PostgresSettings& settings_;
  std::unique_ptr<engine::SqlSession> session_;
  std::vector<engine::Connection> idle_;  // go before session_
  // Of the one portal at a time that reads held rows.
  std::optional<engine::Connection> point_connection_;
  engine::HeldPlans point_plans_;
  engine::HeldValues point_values_;
  std::weak_ptr<bool> point_holder_;
};

}  // namespace vitalake::serve
