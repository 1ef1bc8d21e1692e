#include "engine/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <ranges>
#include <thread>

#include "base/clock.h"
#include "base/parallel.h"
#include "base/random.h"
#include "engine/held_values.h"
#include "engine/parquet_sink_internal.h"
#include "engine/query_result_internal.h"
#include "engine/row_buffer_internal.h"
#include "storage/owned_folder.h"

namespace vitalake::engine {
namespace {

using OwnedDatabase = Owned<duckdb_database, duckdb_close>;
using OwnedConfig = Owned<duckdb_config, duckdb_destroy_config>;

std::string Quote(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  out += quote;
  return out;
}

Status BindAll(duckdb_prepared_statement statement, const std::vector<Parameter>& parameters) {
  const uint64_t wanted = duckdb_nparams(statement);
  if (wanted != parameters.size()) {
    return Fail(
        ErrorKind::kInvalidArgument,
        fmt::format("the statement takes {} parameters, {} given", wanted, parameters.size()));
  }
  for (uint64_t i = 0; i < parameters.size(); ++i) {
    const auto state = std::visit(
        [&](const auto& value) {
          using T = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<T, std::monostate>) {
            return duckdb_bind_null(statement, i + 1);
          } else if constexpr (std::is_same_v<T, bool>) {
            return duckdb_bind_boolean(statement, i + 1, value);
          } else if constexpr (std::is_same_v<T, int64_t>) {
            return duckdb_bind_int64(statement, i + 1, value);
          } else if constexpr (std::is_same_v<T, double>) {
            return duckdb_bind_double(statement, i + 1, value);
          } else {
            return duckdb_bind_varchar_length(statement, i + 1, value.data(), value.size());
          }
        },
        parameters[i]);
    if (state != DuckDBSuccess) {
      return Fail(ErrorKind::kInvalidArgument, fmt::format("parameter {} cannot be bound", i + 1));
    }
  }
  return {};
}

// DuckDB names its files alike in every instance, and empties the folder when one ends.
std::filesystem::path OwnSpillFolder(const EngineOptions& options) {
  if (options.spill_folder.empty()) return {};
  return fmt::format("{}-{}", options.spill_folder.string(), SystemRandom().Uuid());
}

// Keeps statements away from files outside the folders they may reach, and the network.
std::string ConfineSql(const EngineOptions& options, const std::filesystem::path& spill) {
  std::string folders = QuoteLiteral(options.reachable_folders.front().string());
  for (const auto& folder : options.reachable_folders | std::views::drop(1)) {
    folders += ", " + QuoteLiteral(folder.string());
  }
  if (!spill.empty()) folders += ", " + QuoteLiteral(spill.string());
  return fmt::format(
      "SET GLOBAL allowed_directories = [{}]; SET GLOBAL enable_external_access = false", folders);
}

// Works on the statement until its first rows are there, or it fails: interrupted, it is worked on
// until it says so, for only then its other threads have left it. DuckDB's own loop does the same
// without sleeping, which is quicker for what nobody ends.
Status RunPending(duckdb_pending_result pending) {
  auto pause = std::chrono::microseconds(20);
  while (true) {
    switch (duckdb_pending_execute_task(pending)) {
      case DUCKDB_PENDING_RESULT_READY:
        return {};
      case DUCKDB_PENDING_ERROR:
        return std::unexpected(ErrorFromDuckDb(duckdb_pending_error(pending)));
      case DUCKDB_PENDING_NO_TASKS_AVAILABLE:
        std::this_thread::sleep_for(pause);
        pause = std::min(pause * 2, std::chrono::microseconds(1000));
        break;
      default:
        pause = std::chrono::microseconds(20);
        break;
    }
  }
}

// Of a statement that was watched: when it was interrupted, why.
std::unexpected<Error> EndedBy(const Wait& wait, Error error) {
  SystemClock clock;
  if (Status ended = wait.Check(clock, "running a query"); !ended) {
    return std::unexpected(std::move(ended).error());
  }
  return std::unexpected(std::move(error));
}

}  // namespace

std::string QuoteLiteral(std::string_view text) { return Quote(text, '\''); }
std::string QuotePath(const std::filesystem::path& path) {
  std::string pattern;
  for (const char c : path.string()) {
    if (c == '*' || c == '?' || c == '[') {
      pattern += {'[', c, ']'};
    } else {
      pattern += c;
    }
  }
  return QuoteLiteral(pattern);
}

std::string QuoteName(std::string_view name) { return Quote(name, '"'); }

struct Engine::Impl {
  std::filesystem::path spill_path;
  std::optional<storage::OwnedFolder> spill;  // goes after the database
  StatementWatcher watcher;
  std::shared_ptr<ParquetSinks> parquet_sinks = std::make_shared<ParquetSinks>();
  OwnedDatabase database;
  EngineOptions options;
  std::shared_ptr<RowBuffers> row_buffers = std::make_shared<RowBuffers>();
};

struct Connection::Impl : ConnectionState {
  Engine* engine = nullptr;

  Result<OwnedPrepared> Prepare(duckdb_extracted_statements statements, uint64_t index);
  Result<QueryResult> RunAll(const std::string& sql, const std::vector<Parameter>& parameters,
                             const Wait& wait, bool streaming, int64_t* changed);
  Result<QueryResult> RunWatched(const std::string& sql, const std::vector<Parameter>& parameters,
                                 const Wait& wait, bool streaming, int64_t* changed);
};

struct PreparedQuery::Impl {
  ConnectionState* connection = nullptr;
  OwnedPrepared prepared;
  std::vector<Column> columns;
  std::vector<ResultType> parameters;

  void Describe();
};

Engine::Engine() : impl_(std::make_unique<Impl>()) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::Open(const EngineOptions& options) {
  if (options.threads < 0 || options.memory_bytes < (16 << 20)) {
    return Fail(ErrorKind::kInvalidArgument,
                "the query engine needs at least 16 MB of memory and no negative threads");
  }
  std::unique_ptr<Engine> engine(new Engine());
  engine->impl_->options = options;
  if (options.threads == 0) engine->impl_->options.threads = MachineThreads();
  OwnedConfig config;
  duckdb_create_config(config.out());
  auto set = [&](const char* name, const std::string& value) {
    duckdb_set_config(config.get(), name, value.c_str());
  };
  set("threads", std::to_string(engine->impl_->options.threads));
  set("memory_limit", fmt::format("{}B", options.memory_bytes));
  engine->impl_->spill_path = OwnSpillFolder(options);
  set("temp_directory", engine->impl_->spill_path.string());
  engine->ClaimSpillFolder();
  if (options.spill_bytes > 0) {
    set("max_temp_directory_size", fmt::format("{}B", options.spill_bytes));
  }
  // Tables here live for one pass: a checkpoint would only compress them at the cost of the pass.
  set("checkpoint_threshold", "1TB");
  set("preserve_insertion_order", "false");
  set("autoinstall_known_extensions", "false");
  set("autoload_known_extensions", "false");
  set("allow_community_extensions", "false");
  char* error = nullptr;
  if (duckdb_open_ext(":memory:", engine->impl_->database.out(), config.get(), &error) !=
      DuckDBSuccess) {
    return Fail(ErrorKind::kIo, "the query engine does not start: " + TakeText(error));
  }
  VL_TRY(Connection connection, engine->Connect());
  VL_TRY([[maybe_unused]] auto rows, connection.Execute("SET GLOBAL TimeZone = 'UTC'"));
  if (!options.reachable_folders.empty()) {
    VL_TRY(rows, connection.Execute(ConfineSql(options, engine->impl_->spill_path)));
  }
  VL_RETURN_IF_ERROR(RegisterRowBuffers(connection, engine->impl_->row_buffers));
  VL_RETURN_IF_ERROR(RegisterParquetSinks(connection, engine->impl_->parquet_sinks));
  VL_RETURN_IF_ERROR(RegisterHeldValues(connection));
  return engine;
}

// Where nothing can be written, what fits in memory is answered all the same: no error.
void Engine::ClaimSpillFolder() {
  if (impl_->spill || impl_->spill_path.empty()) return;
  auto owned = storage::OwnedFolder::Make(impl_->spill_path);
  if (owned) impl_->spill.emplace(std::move(*owned));
}

Result<Connection> Engine::Connect() {
  Connection connection;
  if (duckdb_connect(impl_->database.get(), connection.impl_->handle.out()) != DuckDBSuccess) {
    return Fail(ErrorKind::kInternal, "the query engine gives no connection");
  }
  connection.impl_->watcher = &impl_->watcher;
  connection.impl_->engine = this;
  return connection;
}

const EngineOptions& Engine::options() const { return impl_->options; }

const std::shared_ptr<RowBuffers>& Engine::row_buffers() const { return impl_->row_buffers; }

ParquetSinks& Engine::parquet_sinks() const { return *impl_->parquet_sinks; }

Connection::Connection() : impl_(std::make_unique<Impl>()) {}
Connection::~Connection() = default;
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;

Result<OwnedPrepared> Connection::Impl::Prepare(duckdb_extracted_statements statements,
                                                uint64_t index) {
  OwnedPrepared prepared;
  if (duckdb_prepare_extracted_statement(handle.get(), statements, index, prepared.out()) !=
      DuckDBSuccess) {
    return std::unexpected(ErrorFromDuckDb(duckdb_prepare_error(prepared.get())));
  }
  return prepared;
}

Result<QueryResult> QueryResult::Impl::Run(ConnectionState& connection,
                                           duckdb_prepared_statement prepared, const Wait& wait,
                                           bool streaming) {
  OwnedPending pending;
  ++connection.statements;
  const auto state = streaming ? duckdb_pending_prepared_streaming(prepared, pending.out())
                               : duckdb_pending_prepared(prepared, pending.out());
  if (state != DuckDBSuccess) {
    return std::unexpected(ErrorFromDuckDb(duckdb_pending_error(pending.get())));
  }
  if (MayEnd(wait)) VL_RETURN_IF_ERROR(RunPending(pending.get()));
  QueryResult result;
  result.impl_->wait = wait;
  result.impl_->connection = &connection;
  result.impl_->statement = connection.statements;
  result.impl_->running = streaming;
  if (duckdb_execute_pending(pending.get(), &result.impl_->result) != DuckDBSuccess) {
    result.impl_->running = false;
    return std::unexpected(ErrorFromDuckDb(duckdb_result_error(&result.impl_->result)));
  }
  VL_RETURN_IF_ERROR(result.impl_->DescribeColumns());
  return result;
}

Result<QueryResult> Connection::Impl::RunAll(const std::string& sql,
                                             const std::vector<Parameter>& parameters,
                                             const Wait& wait, bool streaming, int64_t* changed) {
  SystemClock clock;
  VL_RETURN_IF_ERROR(wait.Check(clock, "starting a query"));
  const StatementWatch watch(*watcher, handle.get(), wait);
  auto result = RunWatched(sql, parameters, wait, streaming, changed);
  if (!result) return EndedBy(wait, std::move(result).error());
  return result;
}

Result<QueryResult> Connection::Impl::RunWatched(const std::string& sql,
                                                 const std::vector<Parameter>& parameters,
                                                 const Wait& wait, bool streaming,
                                                 int64_t* changed) {
  OwnedStatements statements;
  const uint64_t count = duckdb_extract_statements(handle.get(), sql.c_str(), statements.out());
  if (count == 0) {
    const char* error = duckdb_extract_statements_error(statements.get());
    if (error) return std::unexpected(ErrorFromDuckDb(error));
    return Fail(ErrorKind::kInvalidArgument, "there is no statement to run");
  }
  for (uint64_t i = 0; i + 1 < count; ++i) {
    VL_TRY(OwnedPrepared prepared, Prepare(statements.get(), i));
    VL_TRY([[maybe_unused]] QueryResult result,
           QueryResult::Impl::Run(*this, prepared.get(), wait, false));
  }
  VL_TRY(OwnedPrepared prepared, Prepare(statements.get(), count - 1));
  VL_RETURN_IF_ERROR(BindAll(prepared.get(), parameters));
  VL_TRY(QueryResult result, QueryResult::Impl::Run(*this, prepared.get(), wait, streaming));
  if (changed) *changed = static_cast<int64_t>(duckdb_rows_changed(&result.impl_->result));
  return result;
}

Result<int64_t> Connection::Execute(const std::string& sql, const Wait& wait) {
  int64_t changed = 0;
  VL_TRY([[maybe_unused]] QueryResult result, impl_->RunAll(sql, {}, wait, false, &changed));
  return changed;
}

Result<QueryResult> Connection::Query(const std::string& sql,
                                      const std::vector<Parameter>& parameters, const Wait& wait) {
  return impl_->RunAll(sql, parameters, wait, false, nullptr);
}

Result<QueryResult> Connection::Stream(const std::string& sql,
                                       const std::vector<Parameter>& parameters, const Wait& wait) {
  return impl_->RunAll(sql, parameters, wait, true, nullptr);
}

PreparedQuery::PreparedQuery() : impl_(std::make_unique<Impl>()) {}
PreparedQuery::~PreparedQuery() = default;
PreparedQuery::PreparedQuery(PreparedQuery&&) noexcept = default;
PreparedQuery& PreparedQuery::operator=(PreparedQuery&&) noexcept = default;

const std::vector<PreparedQuery::Column>& PreparedQuery::columns() const { return impl_->columns; }
const std::vector<ResultType>& PreparedQuery::parameters() const { return impl_->parameters; }

void PreparedQuery::Impl::Describe() {
  for (uint64_t i = 0; i < duckdb_nparams(prepared.get()); ++i) {
    const OwnedType type(duckdb_param_logical_type(prepared.get(), i + 1));
    parameters.push_back(type ? TypeInfo::Of(type.get()).Public() : ResultType{});
  }
  for (uint64_t i = 0; i < duckdb_prepared_statement_column_count(prepared.get()); ++i) {
    const OwnedType type(duckdb_prepared_statement_column_logical_type(prepared.get(), i));
    const char* const name = duckdb_prepared_statement_column_name(prepared.get(), i);
    columns.push_back({name ? name : "", type ? TypeInfo::Of(type.get()).Public() : ResultType{}});
    duckdb_free(const_cast<char*>(name));
  }
}

Result<QueryResult> PreparedQuery::Stream(const std::vector<Parameter>& parameters,
                                          const Wait& wait) {
  VL_RETURN_IF_ERROR(BindAll(impl_->prepared.get(), parameters));
  ConnectionState& connection = *impl_->connection;
  const StatementWatch watch(*connection.watcher, connection.handle.get(), wait);
  auto result = QueryResult::Impl::Run(connection, impl_->prepared.get(), wait, true);
  if (!result) return EndedBy(wait, std::move(result).error());
  return result;
}

Result<PreparedQuery> Connection::Prepare(const std::string& sql, const Wait& wait) {
  PreparedQuery query;
  query.impl_->connection = impl_.get();
  const StatementWatch watch(*impl_->watcher, impl_->handle.get(), wait);
  ++impl_->statements;
  if (duckdb_prepare(impl_->handle.get(), sql.c_str(), query.impl_->prepared.out()) !=
      DuckDBSuccess) {
    return EndedBy(wait, ErrorFromDuckDb(duckdb_prepare_error(query.impl_->prepared.get())));
  }
  query.impl_->Describe();
  return query;
}

Result<std::string> Connection::Scalar(const std::string& sql,
                                       const std::vector<Parameter>& parameters, const Wait& wait) {
  VL_TRY(QueryResult result, Query(sql, parameters, wait));
  VL_TRY(const bool found, result.Next());
  if (!found) return Fail(ErrorKind::kNotFound, "the query gave no row");
  return result.Text(0);
}

Result<int64_t> Connection::ScalarInt(const std::string& sql,
                                      const std::vector<Parameter>& parameters, const Wait& wait) {
  VL_TRY(QueryResult result, Query("SELECT CAST((" + sql + ") AS BIGINT)", parameters, wait));
  VL_TRY(const bool found, result.Next());
  if (!found) return Fail(ErrorKind::kNotFound, "the query gave no row");
  return result.GetInt64(0);
}

Engine& Connection::engine() const { return *impl_->engine; }

void* Connection::native() const { return impl_->handle.get(); }

}  // namespace vitalake::engine
