// Login and messages of one session; statements are in postgres/statements.cc.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "serve/postgres/login.h"
#include "serve/postgres/session_internal.h"

namespace vitalake::serve {
namespace {

constexpr size_t kMostLoginBytes = 10'000;  // of a packet or message

std::unexpected<Error> BrokenProtocol(std::string message) {
  return Fail(ErrorKind::kCorrupt, std::move(message));
}

PgError Fatal(std::string state, std::string message) {
  return {.state = std::move(state), .message = std::move(message), .fatal = true};
}

}  // namespace

PostgresSession::PostgresSession(const PostgresShared& shared, int fd, int32_t process,
                                 int32_t secret)
    : shared_(shared),
      process_(process),
      secret_(secret),
      socket_(fd),
      executor_(shared.open, shared.gate, shared.clock, settings_) {}

PostgresSession::~PostgresSession() = default;

void PostgresSession::Run() {
  Status ended = Begin();
  if (ended) ended = Serve();
  if (ended) return;
  const Error& error = ended.error();
  if (error.kind == ErrorKind::kCorrupt) {
    SendError(Fatal("08P01", error.message), "FATAL");
  } else if (error.kind == ErrorKind::kDeadline) {
    SendError(Fatal("57P05", "terminating connection: " + error.message), "FATAL");
  } else if (error.kind == ErrorKind::kCancelled) {
    SendError(Fatal("57P01", "terminating connection due to administrator command"), "FATAL");
  }
  [[maybe_unused]] const Status told = Flush();
}

void PostgresSession::Cancel() {
  const std::lock_guard lock(mutex_);
  if (working_) work_.request_stop();
}

void PostgresSession::Finish(bool at_once) {
  const std::lock_guard lock(mutex_);
  finishing_ = true;
  if (at_once) work_.request_stop();
  if (!working_ || at_once) socket_.Shutdown();
}

Wait PostgresSession::BeginWork() {
  std::chrono::milliseconds time = shared_.options.statement_time;
  if (settings_.statement_timeout().count() > 0) {
    time = std::min(time, settings_.statement_timeout());
  }
  rows_ = 0;
  began_ = shared_.clock.Steady();
  const std::lock_guard lock(mutex_);
  work_ = std::stop_source();
  working_ = true;
  return Wait::For(shared_.clock, time, work_.get_token());
}

void PostgresSession::EndWork(const PgError* refused) {
  {
    const std::lock_guard lock(mutex_);
    working_ = false;
  }
  if (!shared_.hooks.statement) return;
  PostgresOutcome outcome = PostgresOutcome::kAnswered;
  if (refused) {
    const bool ended = refused->state == "57014";
    outcome = !ended                        ? PostgresOutcome::kFailed
              : wait_.stop.stop_requested() ? PostgresOutcome::kCancelled
                                            : PostgresOutcome::kTimedOut;
  }
  shared_.hooks.statement(outcome, shared_.clock.Steady() - began_, rows_);
}

// Until `bytes` of input are there.
Status PostgresSession::Fill(size_t bytes, std::chrono::milliseconds first,
                             std::chrono::milliseconds then) {
  if (in_.empty()) VL_RETURN_IF_ERROR(socket_.Read(in_, first));
  // All the rest in one time: else a byte now and then would keep a thread for ever.
  const auto until = shared_.clock.Steady() + then;
  while (in_.size() < bytes) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - shared_.clock.Steady());
    VL_RETURN_IF_ERROR(socket_.Read(in_, std::max(left, std::chrono::milliseconds(0))));
  }
  return {};
}

Status PostgresSession::Flush() {
  if (out_.empty()) return {};
  const Status sent = socket_.Write(out_, shared_.options.write_time);
  out_.clear();
  constexpr size_t kKept = 1 << 20;
  if (out_.capacity() > kKept) out_.shrink_to_fit();
  return sent;
}

std::chrono::milliseconds PostgresSession::LoginTimeLeft() const {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(login_until_ - shared_.clock.Steady());
  return std::max(left, std::chrono::milliseconds(0));
}

// A packet before the login: its length, and what it is for.
Status PostgresSession::ReadStartup(std::string& packet) {
  VL_RETURN_IF_ERROR(Fill(4, LoginTimeLeft(), LoginTimeLeft()));
  const int32_t size = MessageReader(in_).Int32();
  if (size < 8 || static_cast<size_t>(size) > kMostLoginBytes) {
    return BrokenProtocol("invalid length of startup packet");
  }
  VL_RETURN_IF_ERROR(Fill(static_cast<size_t>(size), LoginTimeLeft(), LoginTimeLeft()));
  packet = in_.substr(4, static_cast<size_t>(size) - 4);
  in_.erase(0, static_cast<size_t>(size));
  return {};
}

Status PostgresSession::Begin() {
  constexpr int kMostPackets = 4;  // requests for encryption, then the login
  login_until_ = shared_.clock.Steady() + shared_.options.login_time;
  for (int i = 0; i < kMostPackets; ++i) {
    std::string packet;
    VL_RETURN_IF_ERROR(ReadStartup(packet));
    MessageReader reader(packet);
    const int32_t code = reader.Int32();
    if (code == kPostgresTls || code == kPostgresGssapi) {
      const bool tls = code == kPostgresTls && shared_.tls && !socket_.encrypted();
      // What came before the answer was not encrypted, and must not pass for what is.
      if (!in_.empty()) return BrokenProtocol("received unencrypted data after SSL request");
      VL_RETURN_IF_ERROR(socket_.Write(tls ? "S" : "N", LoginTimeLeft()));
      if (tls) VL_RETURN_IF_ERROR(socket_.StartTls(*shared_.tls, LoginTimeLeft()));
    } else if (code == kPostgresCancel) {
      const int32_t process = reader.Int32();
      shared_.cancel(process, reader.Int32());
      return Fail(ErrorKind::kIo, "a request to cancel");
    } else if (code >> 16 != kPostgresVersion >> 16) {
      SendError(Fatal("0A000", fmt::format("unsupported frontend protocol {}.{}: server supports "
                                           "3.0",
                                           code >> 16 & 0xffff, code & 0xffff)),
                "FATAL");
      VL_RETURN_IF_ERROR(Flush());
      return Fail(ErrorKind::kIo, "another protocol");
    } else {
      if (code != kPostgresVersion) {
        MessageWriter(out_).Begin('v').Int32(kPostgresVersion).Int32(0).End();
      }
      return LogIn(reader);
    }
  }
  return BrokenProtocol("too many requests before the login");
}

Status PostgresSession::LogIn(MessageReader& packet) {
  std::string database;
  if (refused_) {
    SendError(Fatal("53300", "sorry, too many clients already"), "FATAL");
    VL_RETURN_IF_ERROR(Flush());
    return Fail(ErrorKind::kIo, "too many sessions");
  }
  while (!packet.rest().empty()) {
    const std::string name(packet.Text());
    if (name.empty()) break;
    const std::string value(packet.Text());
    if (name == "user") {
      user_ = value;
    } else if (name == "database") {
      database = value;
    } else if (name == "options") {
      for (const auto& [key, text] : StartupOptions(value)) {
        [[maybe_unused]] const Status taken = settings_.Set(key, text);
      }
    } else if (name == "replication") {
      if (value != "false" && value != "off" && value != "0") {
        SendError(Fatal("0A000", "replication is not supported"), "FATAL");
        return Fail(ErrorKind::kIo, "replication");
      }
    } else if (!name.starts_with("_pq_.")) {
      // A time zone or encoding that is not supported stays as it is told below.
      [[maybe_unused]] const Status taken = settings_.Set(name, value);
    }
  }
  if (packet.ran_out()) return BrokenProtocol("invalid startup packet layout");
  if (user_.empty()) {
    SendError(Fatal("28000", "no PostgreSQL user name specified in startup packet"), "FATAL");
    return Fail(ErrorKind::kIo, "no user");
  }
  if (shared_.tls_only && !socket_.encrypted()) {
    PgError error = Fatal("28000", "connections to this server are made with TLS");
    error.hint = "Connect with sslmode=require, or a stricter one.";
    SendError(error, "FATAL");
    return Fail(ErrorKind::kIo, "no TLS");
  }
  VL_RETURN_IF_ERROR(Authenticate(user_));
  // Clients that are told no database name the user's.
  if (!database.empty() && database != shared_.options.database && database != user_) {
    PgError error = Fatal("3D000", fmt::format("database \"{}\" does not exist", database));
    error.hint = fmt::format("The database is named \"{}\".", shared_.options.database);
    SendError(error, "FATAL");
    return Fail(ErrorKind::kIo, "another database");
  }
  settings_.KeepAsDefaults();
  MessageWriter(out_).Begin('R').Int32(0).End();
  GiveSettings();
  MessageWriter(out_).Begin('K').Int32(process_).Int32(secret_).End();
  SendReady();
  return Flush();
}

void PostgresSession::GiveSettings() {
  for (const std::string_view name : PostgresSettings::Reported()) {
    const std::string value =
        name == "session_authorization" ? user_ : settings_.Get(name).value_or("");
    MessageWriter(out_).Begin('S').Text(name).Text(value).End();
  }
}

Status PostgresSession::Authenticate(const std::string& user) {
  if (shared_.options.users.empty()) return {};
  PostgresLogin login(shared_.options.users, user);
  const auto refuse = [&]() -> Status {
    SendError(Fatal("28P01", fmt::format("password authentication failed for user \"{}\"", user)),
              "FATAL");
    return Fail(ErrorKind::kIo, "no login");
  };
  const auto answer = [this] {
    return ReadMessage(kMostLoginBytes, LoginTimeLeft(), LoginTimeLeft());
  };
  MessageWriter(out_).Begin('R').Int32(10).Text("SCRAM-SHA-256").Byte('\0').End();
  VL_RETURN_IF_ERROR(Flush());
  VL_TRY(const Message first, answer());
  if (first.type != 'p') return BrokenProtocol("expected a SASL response");
  MessageReader reader(first.body);
  const std::string_view mechanism = reader.Text();
  const int32_t size = reader.Int32();
  const std::string_view begin = size < 0 ? std::string_view{} : reader.Bytes(size);
  if (mechanism != "SCRAM-SHA-256" || !reader.Whole()) {
    return BrokenProtocol("the client chose another SASL mechanism");
  }
  const auto challenge = login.Challenge(begin);
  if (!challenge) return refuse();
  MessageWriter(out_).Begin('R').Int32(11).Bytes(*challenge).End();
  VL_RETURN_IF_ERROR(Flush());
  VL_TRY(const Message second, answer());
  if (second.type != 'p') return BrokenProtocol("expected a SASL response");
  const auto proven = login.Prove(second.body);
  if (!proven) return refuse();
  MessageWriter(out_).Begin('R').Int32(12).Bytes(*proven).End();
  return {};
}

Result<PostgresSession::Message> PostgresSession::ReadMessage(size_t most,
                                                              std::chrono::milliseconds first,
                                                              std::chrono::milliseconds then) {
  constexpr size_t kHead = 5;
  VL_RETURN_IF_ERROR(Fill(kHead, first, then));
  MessageReader head(in_);
  Message message;
  message.type = head.Byte();
  const int32_t size = head.Int32();
  if (size < 4 || static_cast<size_t>(size) > most) {
    return BrokenProtocol(fmt::format("invalid message length {}", size));
  }
  const size_t whole = static_cast<size_t>(size) + 1;
  VL_RETURN_IF_ERROR(Fill(whole, then, then));
  message.body = in_.substr(kHead, whole - kHead);
  in_.erase(0, whole);
  return message;
}

Status PostgresSession::Serve() {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (finishing_) return Fail(ErrorKind::kCancelled, "the server ends");
    }
    const PostgresOptions& options = shared_.options;
    auto message = ReadMessage(options.message_bytes, options.idle_time, options.message_time);
    if (!message) {
      const std::lock_guard lock(mutex_);
      if (finishing_) return Fail(ErrorKind::kCancelled, "the server ends");
      return std::unexpected(std::move(message).error());
    }
    if (message->type == 'X') return {};
    VL_RETURN_IF_ERROR(Handle(*message));
    constexpr size_t kMostHeld = 256 << 10;  // answers of a pipeline without Sync
    if (out_.size() > kMostHeld) VL_RETURN_IF_ERROR(Flush());
  }
}

Status PostgresSession::Handle(const Message& message) {
  const MessageReader reader(message.body);
  PgResult<void> done;
  switch (message.type) {
    case 'Q': {
      MessageReader query = reader;
      const std::string_view text = query.Text();
      if (!query.Whole()) return BrokenProtocol("invalid Query message");
      skipping_ = false;
      VL_RETURN_IF_ERROR(SimpleQuery(text));
      SendReady();
      return Flush();
    }
    case 'S':
      skipping_ = false;
      // Outside of a transaction what was bound ends here.
      if (phase_ == Phase::kIdle) portals_.clear();
      SendReady();
      return Flush();
    case 'H':
      return Flush();
    case 'd':
    case 'c':
    case 'f':
      return {};  // of a COPY that failed: to be passed over
    case 'P':
      if (!skipping_) done = ParseMessage(reader);
      break;
    case 'B':
      if (!skipping_) done = BindMessage(reader);
      break;
    case 'D':
      if (!skipping_) done = DescribeMessage(reader);
      break;
    case 'E':
      if (!skipping_) done = ExecuteMessage(reader);
      break;
    case 'C':
      if (!skipping_) done = CloseMessage(reader);
      break;
    case 'F':
      if (!skipping_) {
        done = std::unexpected(
            PgError{.state = "0A000", .message = "function calls by oid are not supported"});
      }
      break;
    default:
      return BrokenProtocol(
          fmt::format("invalid frontend message type {}",
                      static_cast<int>(static_cast<unsigned char>(message.type))));
  }
  if (done) return {};
  SendError(done.error());
  if (done.error().fatal) return Fail(ErrorKind::kIo, done.error().message);
  if (phase_ == Phase::kOpen) phase_ = Phase::kFailed;
  skipping_ = true;
  return {};
}

void PostgresSession::SendError(const PgError& error, std::string_view severity) {
  MessageWriter writer(out_);
  writer.Begin('E').Byte('S').Text(severity).Byte('V').Text(severity);
  writer.Byte('C').Text(error.state).Byte('M').Text(error.message);
  if (!error.hint.empty()) writer.Byte('H').Text(error.hint);
  if (error.position) writer.Byte('P').Text(fmt::to_string(*error.position));
  writer.Byte('\0').End();
}

void PostgresSession::SendNotice(std::string_view state, std::string_view message) {
  MessageWriter writer(out_);
  writer.Begin('N').Byte('S').Text("WARNING").Byte('V').Text("WARNING");
  writer.Byte('C').Text(state).Byte('M').Text(message).Byte('\0').End();
}

void PostgresSession::SendReady() {
  const char phase = phase_ == Phase::kIdle ? 'I' : phase_ == Phase::kOpen ? 'T' : 'E';
  MessageWriter(out_).Begin('Z').Byte(phase).End();
}

void PostgresSession::SendTag(std::string_view tag) {
  MessageWriter(out_).Begin('C').Text(tag).End();
}

}  // namespace vitalake::serve
