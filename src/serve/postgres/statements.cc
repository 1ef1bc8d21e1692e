// What a session does with statements: those of the simple and of the extended protocol, and those
// that it carries out itself.
#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "serve/postgres/copy.h"
#include "serve/postgres/lexer.h"
#include "serve/postgres/session_internal.h"

namespace vitalake::serve {
namespace {

using Kind = PgCommand::Kind;

constexpr size_t kBufferBytes = 256 << 10;  // of rows, before they are sent
constexpr size_t kMostStatements = 10'000;  // prepared, of one session
constexpr size_t kMostPortals = 200;
constexpr int64_t kAllRows = std::numeric_limits<int64_t>::max();

std::unexpected<PgError> Refusal(std::string state, std::string message) {
  return std::unexpected(PgError{.state = std::move(state), .message = std::move(message)});
}

std::unexpected<PgError> BadMessage(std::string_view what) {
  return Refusal("08P01", fmt::format("invalid {} message", what));
}

// What can be kept by PREPARE and carried out by EXECUTE.
bool IsPreparable(Kind kind) {
  return kind == Kind::kQuery || kind == Kind::kExplain || kind == Kind::kShow;
}

// The oids of the types that PREPARE declares.
PgResult<std::vector<int32_t>> DeclaredTypes(const PgCommand& command) {
  std::vector<int32_t> types;
  for (const std::string& written : command.types) {
    const bool array = written.ends_with("[]");
    const std::string_view name =
        std::string_view(written).substr(0, written.size() - (array ? 2U : 0U));
    const int32_t type = PgTypeNamed(name);
    if (type == 0 && name != "unknown") {
      return Refusal("42704", fmt::format("type \"{}\" does not exist", name));
    }
    types.push_back(array ? PgArrayOf(type) : type);
  }
  return types;
}

bool EndsTransaction(Kind kind) {
  return kind == Kind::kCommit || kind == Kind::kRollback || kind == Kind::kRollbackTo;
}

}  // namespace

template <class T>
void PostgresSession::EndStep(const PgResult<T>& step) {
  if (!step) return EndWork(&step.error());
  const std::lock_guard lock(mutex_);
  working_ = false;
}

PgResult<void> PostgresSession::CheckPhase(const PgCommand& command) const {
  if (phase_ != Phase::kFailed || EndsTransaction(command.kind)) return {};
  return Refusal("25P02",
                 "current transaction is aborted, commands ignored until end of transaction block");
}

PgResult<std::shared_ptr<const PgStatement>> PostgresSession::Prepare(std::string_view text,
                                                                      std::vector<int32_t> types) {
  auto command = ParsePgCommand(text);
  if (!command) {
    PgError error = PgErrorOf(command.error(), text);
    if (command.error().kind == ErrorKind::kPermission) error.state = "25006";
    return std::unexpected(std::move(error));
  }
  VL_RETURN_IF_ERROR(CheckPhase(*command));
  switch (command->kind) {
    case Kind::kQuery:
    case Kind::kExplain:
    case Kind::kShow:
    case Kind::kCopyOut: {
      VL_TRY(PgStatement statement,
             executor_.Prepare(text, std::move(*command), std::move(types), wait_));
      return std::make_shared<const PgStatement>(std::move(statement));
    }
    default:
      return std::make_shared<const PgStatement>(
          PgStatement{.command = std::move(*command), .text = std::string(text)});
  }
}

PgResult<std::shared_ptr<const PgStatement>> PostgresSession::PrepareEnd(
    std::string_view whole, std::string_view text, std::vector<int32_t> types) {
  auto prepared = Prepare(text, std::move(types));
  if (!prepared && prepared.error().position) {
    *prepared.error().position += CharactersIn(whole.substr(0, whole.size() - text.size()));
  }
  return prepared;
}

PgExecutor::RowSink PostgresSession::DataRows(const PgPortal& portal) {
  return {.row =
              [this, &portal](const engine::QueryResult& row) {
                MessageWriter writer(out_);
                const auto& types = row.types();
                writer.Begin('D').Int16(static_cast<int16_t>(types.size()));
                for (size_t i = 0; i < types.size(); ++i) {
                  AppendPgField(row.Cell(i), types[i], portal.format(i), out_);
                }
                writer.End();
                return out_.size() >= kBufferBytes;
              },
          .flush = [this] { return Flush(); }};
}

void PostgresSession::SendRowDescription(const PgStatement& statement, const PgPortal* portal) {
  MessageWriter writer(out_);
  writer.Begin('T').Int16(static_cast<int16_t>(statement.columns.size()));
  for (size_t i = 0; i < statement.columns.size(); ++i) {
    const PgColumn& column = statement.columns[i];
    const PgFormat format = portal ? portal->format(i) : PgFormat::kText;
    writer.Text(column.name).Int32(0).Int16(0).Int32(column.oid).Int16(column.size);
    writer.Int32(column.modifier).Int16(static_cast<int16_t>(format));
  }
  writer.End();
}

PgResult<void> PostgresSession::RunPortal(PgPortal& portal, int64_t most, bool simple) {
  const PgStatement& statement = portal.statement();
  if (statement.command.kind == Kind::kCopyOut) return CopyOut(portal);
  if (!portal.has_rows()) return RunCommand(portal, simple);
  VL_TRY(const PgExecutor::Fetched fetched, executor_.Fetch(portal, most, DataRows(portal), wait_));
  rows_ += fetched.rows;
  if (!fetched.done && fetched.rows == most) {
    MessageWriter(out_).Begin('s').End();
    return {};
  }
  const bool counted = statement.command.kind == Kind::kQuery;
  SendTag(counted ? fmt::format("{} {}", statement.command.tag, fetched.rows)
                  : statement.command.tag);
  return {};
}

// ---- The simple protocol.

Status PostgresSession::SimpleQuery(std::string_view text) {
  statements_.erase("");
  portals_.erase("");
  const auto statements = SplitStatements(text);
  if (statements.empty()) MessageWriter(out_).Begin('I').End();
  // Several statements are one transaction, as far as settings go.
  if (statements.size() > 1 && phase_ == Phase::kIdle) settings_.Begin();
  bool failed = false;
  for (const std::string_view statement : statements) {
    wait_ = BeginWork();
    auto done = SimpleStatement(statement);
    EndWork(done ? nullptr : &done.error());
    if (done) continue;
    if (done.error().position) {
      // Told of the whole text that was sent.
      *done.error().position +=
          CharactersIn(text.substr(0, static_cast<size_t>(statement.data() - text.data())));
    }
    if (done.error().fatal) return Fail(ErrorKind::kIo, done.error().message);
    SendError(done.error());
    if (phase_ == Phase::kOpen) phase_ = Phase::kFailed;
    failed = true;
    break;
  }
  if (phase_ != Phase::kIdle) return {};
  portals_.clear();
  if (settings_.in_transaction()) {
    const PostgresSettings before = settings_;
    failed ? settings_.Rollback() : settings_.Commit();
    GiveChanges(before);
  }
  return {};
}

PgResult<void> PostgresSession::SimpleStatement(std::string_view text) {
  VL_TRY(const auto statement, Prepare(text, {}));
  if (!statement->types.empty()) {
    return Refusal("42P02", "there is no parameter $1");
  }
  VL_TRY(const auto portal, executor_.Bind(statement, {}, wait_));
  if (portal->has_rows() && statement->command.kind != Kind::kCopyOut) {
    SendRowDescription(*statement, nullptr);
  }
  return RunPortal(*portal, kAllRows, true);
}

// ---- The extended protocol.

PgResult<void> PostgresSession::ParseMessage(MessageReader reader) {
  const std::string name(reader.Text());
  const std::string_view text = reader.Text();
  std::vector<int32_t> types(static_cast<size_t>(std::max<int16_t>(reader.Int16(), 0)));
  for (int32_t& type : types) type = reader.Int32();
  if (!reader.Whole()) return BadMessage("Parse");
  const auto statements = SplitStatements(text);
  if (statements.size() > 1) {
    return Refusal("42601", "cannot insert multiple commands into a prepared statement");
  }
  if (!name.empty() && statements_.contains(name)) {
    return Refusal("42P05", fmt::format("prepared statement \"{}\" already exists", name));
  }
  if (statements_.size() >= kMostStatements) {
    return Refusal("54000", "too many prepared statements: close some");
  }
  wait_ = BeginWork();
  auto statement = Prepare(statements.empty() ? std::string_view{} : text, std::move(types));
  EndStep(statement);
  if (!statement) return std::unexpected(std::move(statement).error());
  statements_[name] = std::move(*statement);
  MessageWriter(out_).Begin('1').End();
  return {};
}

PgResult<std::shared_ptr<const PgStatement>> PostgresSession::FindStatement(
    const std::string& name) const {
  const auto found = statements_.find(name);
  if (found != statements_.end()) return found->second;
  return Refusal("26000", name.empty()
                              ? std::string("unnamed prepared statement does not exist")
                              : fmt::format("prepared statement \"{}\" does not exist", name));
}

PgResult<PgPortal*> PostgresSession::FindPortal(const std::string& name) {
  const auto found = portals_.find(name);
  if (found != portals_.end()) return found->second.get();
  return Refusal("34000", fmt::format("portal \"{}\" does not exist", name));
}

PgResult<void> PostgresSession::BindMessage(MessageReader reader) {
  const std::string name(reader.Text());
  VL_TRY(const auto statement, FindStatement(std::string(reader.Text())));
  VL_RETURN_IF_ERROR(CheckPhase(statement->command));
  const auto read_formats = [&] {
    std::vector<PgFormat> formats(static_cast<size_t>(std::max<int16_t>(reader.Int16(), 0)));
    for (PgFormat& format : formats) format = static_cast<PgFormat>(reader.Int16());
    return formats;
  };
  const auto good = [](const std::vector<PgFormat>& formats, size_t of) {
    return (formats.size() <= 1 || formats.size() == of) &&
           std::ranges::all_of(formats, [](PgFormat format) {
             return format == PgFormat::kText || format == PgFormat::kBinary;
           });
  };
  const std::vector<PgFormat> given = read_formats();
  const auto count = static_cast<size_t>(static_cast<uint16_t>(reader.Int16()));
  if (reader.ran_out() || !good(given, count)) return BadMessage("Bind");
  if (count != statement->types.size()) {
    return Refusal("08P01",
                   fmt::format("bind message supplies {} parameters, but prepared statement "
                               "requires {}",
                               count, statement->types.size()));
  }
  std::vector<engine::Parameter> values;
  for (size_t i = 0; i < count && !reader.ran_out(); ++i) {
    const int32_t size = reader.Int32();
    if (size == -1) {
      values.emplace_back(std::monostate{});
      continue;
    }
    const PgFormat format = given.empty() ? PgFormat::kText : given[given.size() == 1 ? 0 : i];
    auto value = ReadPgParameter(reader.Bytes(size), format, statement->types[i]);
    if (reader.ran_out()) break;
    if (!value) {
      return Refusal(value.error().kind == ErrorKind::kInvalidArgument ? "22P02"
                     : value.error().kind == ErrorKind::kUnsupported   ? "0A000"
                                                                       : "22P03",
                     value.error().message);
    }
    values.push_back(std::move(*value));
  }
  std::vector<PgFormat> wanted = read_formats();
  if (!reader.Whole()) return BadMessage("Bind");
  if (!good(wanted, statement->columns.size())) return BadMessage("Bind");
  if (!name.empty() && portals_.contains(name)) {
    return Refusal("42P03", fmt::format("cursor \"{}\" already exists", name));
  }
  portals_.erase(name);
  if (portals_.size() >= kMostPortals) return Refusal("54000", "too many portals: close some");
  wait_ = BeginWork();
  auto portal = executor_.Bind(statement, std::move(values), wait_);
  EndStep(portal);
  if (!portal) return std::unexpected(std::move(portal).error());
  (*portal)->set_formats(std::move(wanted));
  portals_[name] = std::move(*portal);
  MessageWriter(out_).Begin('2').End();
  return {};
}

PgResult<void> PostgresSession::DescribeMessage(MessageReader reader) {
  const char what = reader.Byte();
  const std::string name(reader.Text());
  if (!reader.Whole() || (what != 'S' && what != 'P')) return BadMessage("Describe");
  const PgPortal* portal = nullptr;
  std::shared_ptr<const PgStatement> prepared;
  const PgStatement* statement = nullptr;
  if (what == 'S') {
    VL_TRY(prepared, FindStatement(name));
    statement = prepared.get();
    MessageWriter writer(out_);
    writer.Begin('t').Int16(static_cast<int16_t>(statement->types.size()));
    for (const int32_t type : statement->types) writer.Int32(type);
    writer.End();
  } else {
    VL_TRY(portal, FindPortal(name));
    statement = &portal->statement();
  }
  if (statement->command.kind == Kind::kFetch) {
    VL_TRY(const PgPortal* const cursor, FindPortal(statement->command.name));
    statement = &cursor->statement();
  }
  if (statement->columns.empty() || statement->command.kind == Kind::kCopyOut) {
    MessageWriter(out_).Begin('n').End();
  } else {
    SendRowDescription(*statement, portal);
  }
  return {};
}

PgResult<void> PostgresSession::ExecuteMessage(MessageReader reader) {
  VL_TRY(PgPortal* const portal, FindPortal(std::string(reader.Text())));
  const int32_t most = reader.Int32();
  if (!reader.Whole()) return BadMessage("Execute");
  VL_RETURN_IF_ERROR(CheckPhase(portal->statement().command));
  wait_ = BeginWork();
  auto done = RunPortal(*portal, most <= 0 ? kAllRows : most, false);
  EndWork(done ? nullptr : &done.error());
  return done;
}

PgResult<void> PostgresSession::CloseMessage(MessageReader reader) {
  const char what = reader.Byte();
  const std::string name(reader.Text());
  if (!reader.Whole() || (what != 'S' && what != 'P')) return BadMessage("Close");
  if (what == 'S') {
    statements_.erase(name);
  } else {
    portals_.erase(name);
  }
  MessageWriter(out_).Begin('3').End();
  return {};
}

// ---- Statements that the session carries out itself.

PgResult<void> PostgresSession::RunCommand(const PgPortal& portal, bool simple) {
  // Some end all portals, this one too.
  const std::shared_ptr<const PgStatement> statement = portal.shared_statement();
  const PgCommand& command = statement->command;
  switch (command.kind) {
    case Kind::kSet:
    case Kind::kReset:
      VL_RETURN_IF_ERROR(SetSetting(command));
      break;
    case Kind::kBegin:
      VL_RETURN_IF_ERROR(BeginTransaction(command));
      break;
    case Kind::kCommit:
    case Kind::kRollback:
      EndTransaction(command);
      return {};
    case Kind::kSavepoint:
    case Kind::kRelease:
    case Kind::kRollbackTo:
      VL_RETURN_IF_ERROR(MarkTransaction(command));
      break;
    case Kind::kDiscard:
      if (command.name == "all") {
        portals_.clear();
        statements_.clear();
        VL_RETURN_IF_ERROR(SetSetting({.kind = Kind::kReset, .name = "all"}));
        SendTag(command.tag);
        return {};
      }
      break;
    case Kind::kDeallocate:
      VL_RETURN_IF_ERROR(Deallocate(command));
      break;
    case Kind::kDeclare:
      VL_RETURN_IF_ERROR(DeclareCursor(statement->text, command));
      break;
    case Kind::kFetch:
    case Kind::kMove:
      return FetchCursor(portal, simple);
    case Kind::kClose:
      VL_RETURN_IF_ERROR(CloseCursor(command));
      break;
    case Kind::kPrepare: {
      if (statements_.contains(command.name)) {
        return Refusal("42P05",
                       fmt::format("prepared statement \"{}\" already exists", command.name));
      }
      VL_TRY(std::vector<int32_t> types, DeclaredTypes(command));
      VL_TRY(auto prepared, PrepareEnd(statement->text, command.query, std::move(types)));
      if (!IsPreparable(prepared->command.kind)) {
        return Refusal("42601", "PREPARE takes a statement that gives rows");
      }
      statements_[command.name] = std::move(prepared);
      break;
    }
    case Kind::kExecute:
      return Execute(command, simple);
    default:
      break;
  }
  if (command.tag.empty()) {
    MessageWriter(out_).Begin('I').End();
  } else {
    SendTag(command.tag);
  }
  return {};
}

PgResult<void> PostgresSession::SetSetting(const PgCommand& command) {
  if (command.local && !settings_.in_transaction()) {
    SendNotice("25P01", "SET LOCAL can only be used in transaction blocks");
    return {};
  }
  const auto how_long =
      command.local ? PostgresSettings::For::kTransaction : PostgresSettings::For::kSession;
  const Status done = command.kind == Kind::kReset
                          ? settings_.Reset(command.name)
                          : settings_.Set(command.name, command.value, how_long);
  if (!done) {
    const Error& error = done.error();
    const bool soft = error.kind == ErrorKind::kUnsupported;
    if (!soft) {
      return Refusal(error.kind == ErrorKind::kNotFound     ? "42704"
                     : error.kind == ErrorKind::kPermission ? "55P02"
                                                            : "22023",
                     error.message);
    }
    // Clients set their machine's time zone without being asked: that must not stop them.
    if (command.name != "TimeZone" && command.name != "timezone") {
      return Refusal("0A000", error.message);
    }
    SendNotice("0A000", error.message);
  }
  const auto& reported = PostgresSettings::Reported();
  for (const std::string_view name : reported) {
    const bool concerned =
        command.name == "all" || std::ranges::equal(name, command.name, [](char a, char b) {
          return std::tolower(static_cast<unsigned char>(a)) ==
                 std::tolower(static_cast<unsigned char>(b));
        });
    if (!concerned || name == "session_authorization") continue;
    MessageWriter(out_).Begin('S').Text(name).Text(settings_.Get(name).value_or("")).End();
  }
  return {};
}

void PostgresSession::GiveChanges(const PostgresSettings& before) {
  for (const std::string_view name : PostgresSettings::Reported()) {
    const std::string value = settings_.Get(name).value_or("");
    if (value == before.Get(name).value_or("") || name == "session_authorization") continue;
    MessageWriter(out_).Begin('S').Text(name).Text(value).End();
  }
}

PgResult<void> PostgresSession::BeginTransaction(const PgCommand&) {
  if (phase_ != Phase::kIdle) SendNotice("25001", "there is already a transaction in progress");
  phase_ = Phase::kOpen;
  if (!settings_.in_transaction()) settings_.Begin();
  return {};
}

// SAVEPOINT, RELEASE and ROLLBACK TO.
PgResult<void> PostgresSession::MarkTransaction(const PgCommand& command) {
  if (phase_ == Phase::kIdle) {
    return Refusal("25P01", fmt::format("{} can only be used in transaction blocks", command.tag));
  }
  if (command.kind == Kind::kSavepoint) {
    settings_.Savepoint(command.name);
    return {};
  }
  const PostgresSettings before = settings_;
  const bool known = command.kind == Kind::kRelease ? settings_.Release(command.name)
                                                    : settings_.RollbackTo(command.name);
  if (!known) {
    return Refusal("3B001", fmt::format("savepoint \"{}\" does not exist", command.name));
  }
  GiveChanges(before);
  phase_ = Phase::kOpen;
  return {};
}

void PostgresSession::EndTransaction(const PgCommand& command) {
  if (phase_ == Phase::kIdle) SendNotice("25P01", "there is no transaction in progress");
  const bool failed = phase_ == Phase::kFailed;
  const PostgresSettings before = settings_;
  failed || command.kind == Kind::kRollback ? settings_.Rollback() : settings_.Commit();
  GiveChanges(before);
  phase_ = Phase::kIdle;
  SendTag(failed ? std::string_view("ROLLBACK") : std::string_view(command.tag));
}

PgResult<void> PostgresSession::Deallocate(const PgCommand& command) {
  if (command.name.empty()) {
    statements_.clear();
    return {};
  }
  VL_RETURN_IF_ERROR(FindStatement(command.name));
  statements_.erase(command.name);
  return {};
}

PgResult<void> PostgresSession::DeclareCursor(std::string_view text, const PgCommand& command) {
  if (phase_ == Phase::kIdle) {
    return Refusal("25P01", "DECLARE CURSOR can only be used in transaction blocks");
  }
  if (portals_.contains(command.name)) {
    return Refusal("42P03", fmt::format("cursor \"{}\" already exists", command.name));
  }
  if (portals_.size() >= kMostPortals) return Refusal("54000", "too many cursors: close some");
  VL_TRY(const auto statement, PrepareEnd(text, command.query, {}));
  if (statement->command.kind != Kind::kQuery || !statement->types.empty()) {
    return Refusal("42P11", "a cursor is for one SELECT without parameters");
  }
  VL_TRY(auto portal, executor_.Bind(statement, {}, wait_));
  if (command.value == "binary") portal->set_formats({PgFormat::kBinary});
  portals_[command.name] = std::move(portal);
  return {};
}

// Of the rows' formats, the cursor says in the simple protocol, the portal of FETCH in the other.
PgResult<void> PostgresSession::FetchCursor(const PgPortal& fetch, bool simple) {
  const PgCommand& command = fetch.statement().command;
  const auto found = portals_.find(command.name);
  if (found == portals_.end()) {
    return Refusal("34000", fmt::format("cursor \"{}\" does not exist", command.name));
  }
  PgPortal& portal = *found->second;
  if (!IsPreparable(portal.statement().command.kind)) {
    return Refusal("24000", fmt::format("\"{}\" is no cursor: it gives no rows", command.name));
  }
  if (command.kind == Kind::kMove) {
    const PgExecutor::RowSink passed{.row = [](const engine::QueryResult&) { return false; },
                                     .flush = [] { return Status{}; }};
    VL_TRY(const auto moved, executor_.Fetch(portal, command.count, passed, wait_));
    SendTag(fmt::format("MOVE {}", moved.rows));
    return {};
  }
  if (simple) SendRowDescription(portal.statement(), &portal);
  VL_TRY(const auto fetched,
         executor_.Fetch(portal, command.count, DataRows(simple ? portal : fetch), wait_));
  rows_ += fetched.rows;
  SendTag(fmt::format("FETCH {}", fetched.rows));
  return {};
}

PgResult<void> PostgresSession::CloseCursor(const PgCommand& command) {
  if (command.name.empty()) {
    portals_.clear();
    return {};
  }
  if (portals_.erase(command.name) == 0) {
    return Refusal("34000", fmt::format("cursor \"{}\" does not exist", command.name));
  }
  return {};
}

PgResult<void> PostgresSession::CopyOut(PgPortal& portal) {
  const PgStatement& statement = portal.statement();
  const PgCopyOptions& options = statement.command.copy;
  const auto forced = ForcedQuotes(options, statement.columns);
  if (!forced) return Refusal("42703", forced.error().message);
  const int16_t format = options.format == PgCopyOptions::Format::kBinary ? 1 : 0;
  MessageWriter writer(out_);
  writer.Begin('H').Byte(static_cast<char>(format));
  writer.Int16(static_cast<int16_t>(statement.columns.size()));
  for (size_t i = 0; i < statement.columns.size(); ++i) writer.Int16(format);
  writer.End();
  std::string frame;  // of the rows: what stands before them, and behind
  AppendCopyBegin(options, statement.columns, frame);
  const auto send_frame = [&] {
    if (!frame.empty()) MessageWriter(out_).Begin('d').Bytes(frame).End();
    frame.clear();
  };
  // In binary clients expect it in one piece with the first row.
  if (format == 0) send_frame();
  const PgExecutor::RowSink rows{.row =
                                     [&](const engine::QueryResult& row) {
                                       MessageWriter message(out_);
                                       message.Begin('d').Bytes(frame);
                                       frame.clear();
                                       AppendCopyRow(options, *forced, row, out_);
                                       message.End();
                                       return out_.size() >= kBufferBytes;
                                     },
                                 .flush = [this] { return Flush(); }};
  VL_TRY(const auto fetched, executor_.Fetch(portal, kAllRows, rows, wait_));
  AppendCopyEnd(options, frame);
  send_frame();
  MessageWriter(out_).Begin('c').End();
  rows_ += fetched.rows;
  SendTag(fmt::format("COPY {}", fetched.rows));
  return {};
}

// EXECUTE name(values): the values are computed, then bound as text.
PgResult<void> PostgresSession::Execute(const PgCommand& command, bool simple) {
  VL_TRY(const auto statement, FindStatement(command.name));
  if (!IsPreparable(statement->command.kind)) {
    return Refusal("0A000", fmt::format("prepared statement \"{}\" gives no rows: EXECUTE of such "
                                        "is not supported",
                                        command.name));
  }
  std::vector<std::optional<std::string>> texts;
  if (!command.query.empty()) {
    auto prepared = Prepare("SELECT " + command.query, {});
    if (!prepared) {
      prepared.error().position.reset();  // it is not of what was sent
      return std::unexpected(std::move(prepared).error());
    }
    const auto list = std::move(*prepared);
    VL_TRY(const auto portal, executor_.Bind(list, {}, wait_));
    const PgExecutor::RowSink take{.row =
                                       [&](const engine::QueryResult& row) {
                                         for (size_t i = 0; i < row.types().size(); ++i) {
                                           auto& text = texts.emplace_back();
                                           if (row.Cell(i).is_null()) continue;
                                           AppendPgText(row.Cell(i), row.types()[i],
                                                        text.emplace());
                                         }
                                         return false;
                                       },
                                   .flush = [] { return Status{}; }};
    VL_RETURN_IF_ERROR(executor_.Fetch(*portal, 1, take, wait_));
  }
  if (texts.size() != statement->types.size()) {
    return Refusal("42601", fmt::format("wrong number of parameters for prepared statement \"{}\"",
                                        command.name));
  }
  std::vector<engine::Parameter> values;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (!texts[i]) {
      values.emplace_back(std::monostate{});
      continue;
    }
    auto value = ReadPgParameter(*texts[i], PgFormat::kText, statement->types[i]);
    if (!value) return Refusal("22P02", value.error().message);
    values.push_back(std::move(*value));
  }
  VL_TRY(const auto portal, executor_.Bind(statement, std::move(values), wait_));
  if (simple && portal->has_rows()) SendRowDescription(*statement, nullptr);
  return RunPortal(*portal, kAllRows, simple);
}

}  // namespace vitalake::serve
