// One client of the PostgreSQL server.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>

#include "serve/postgres/executor.h"
#include "serve/postgres/message.h"
#include "serve/postgres/server.h"
#include "serve/postgres/socket.h"

namespace vitalake::serve {

// What all sessions work with. Outlives them.
struct PostgresShared {
  const PostgresOptions& options;
  const PostgresServer::OpenSession& open;
  Clock& clock;
  WorkGate& gate;
  const PostgresHooks& hooks;
  const ServerTls* tls = nullptr;
  bool tls_only = false;  // off loopback
  // Asks for the end of what the session with this key is doing.
  std::function<void(int32_t process, int32_t secret)> cancel;
};

// Run by one thread; Cancel and Finish are for others.
class PostgresSession {
 public:
  PostgresSession(const PostgresShared& shared, int fd, int32_t process, int32_t secret);
  ~PostgresSession();

  // Until the client leaves, breaks the protocol, or Finish.
  void Run();
  // There are too many: only a request to cancel is served. Before Run.
  void set_refused(bool refused) { refused_ = refused; }

  // Ends the running statement.
  void Cancel();
  // Ends the session after the statement that is under way; `at_once`: that one, too.
  void Finish(bool at_once);

  int32_t process() const { return process_; }
  int32_t secret() const { return secret_; }

 private:
  struct Message {
    char type = 0;
    std::string body;
  };
  enum class Phase { kIdle, kOpen, kFailed };  // of the transaction

  // Login.
  std::chrono::milliseconds LoginTimeLeft() const;
  Status ReadStartup(std::string& packet);
  Status Begin();
  Status LogIn(MessageReader& packet);
  Status Authenticate(const std::string& user);
  void GiveSettings();

  // Messages.
  Status Fill(size_t bytes, std::chrono::milliseconds first, std::chrono::milliseconds then);
  // Its first byte within `first`, the others within `then`; `most` bytes.
  Result<Message> ReadMessage(size_t most, std::chrono::milliseconds first,
                              std::chrono::milliseconds then);
  Status Flush();
  Status Serve();
  Status Handle(const Message& message);
  void SendError(const PgError& error, std::string_view severity = "ERROR");
  void SendNotice(std::string_view state, std::string_view message);
  void SendReady();
  void SendTag(std::string_view tag);

  // The simple protocol.
  // kIo: the client is gone.
  Status SimpleQuery(std::string_view text);
  PgResult<void> SimpleStatement(std::string_view text);

  // The extended protocol.
  PgResult<void> ParseMessage(MessageReader reader);
  PgResult<void> BindMessage(MessageReader reader);
  PgResult<void> DescribeMessage(MessageReader reader);
  PgResult<void> ExecuteMessage(MessageReader reader);
  PgResult<void> CloseMessage(MessageReader reader);
  void SendRowDescription(const PgStatement& statement, const PgPortal* portal);

  // Both.
  PgResult<std::shared_ptr<const PgStatement>> Prepare(std::string_view text,
                                                       std::vector<int32_t> types);
  // The statement that is the end of another; places in errors are those of the whole.
  PgResult<std::shared_ptr<const PgStatement>> PrepareEnd(std::string_view whole,
                                                          std::string_view text,
                                                          std::vector<int32_t> types);
  PgResult<void> CheckPhase(const PgCommand& command) const;
  PgResult<void> RunPortal(PgPortal& portal, int64_t most, bool simple);
  PgResult<void> RunCommand(const PgPortal& portal, bool simple);
  PgResult<void> SetSetting(const PgCommand& command);
  // Tells the client of what it is to be told of and is not as before.
  void GiveChanges(const PostgresSettings& before);
  PgResult<void> MarkTransaction(const PgCommand& command);
  PgResult<void> BeginTransaction(const PgCommand& command);
  void EndTransaction(const PgCommand& command);
  PgResult<void> Deallocate(const PgCommand& command);
  PgResult<void> DeclareCursor(std::string_view text, const PgCommand& command);
  PgResult<void> FetchCursor(const PgPortal& fetch, bool simple);
  PgResult<void> CloseCursor(const PgCommand& command);
  PgResult<void> CopyOut(PgPortal& portal);
  PgResult<void> Execute(const PgCommand& command, bool simple);
  PgExecutor::RowSink DataRows(const PgPortal& portal);
  PgResult<PgPortal*> FindPortal(const std::string& name);
  PgResult<std::shared_ptr<const PgStatement>> FindStatement(const std::string& name) const;

  // Begins a statement's time; until EndWork, Cancel ends it.
  Wait BeginWork();
  // `refused`: null when the statement was answered.
  void EndWork(const PgError* refused);
  // Of a step on the way to a statement's answer: told only when it was refused.
  template <class T>
  void EndStep(const PgResult<T>& step);

  const PostgresShared& shared_;
  const int32_t process_;
  const int32_t secret_;
  bool refused_ = false;
  std::chrono::nanoseconds login_until_{};
  PostgresSocket socket_;
  std::string in_;   // read and not yet used
  std::string out_;  // written and not yet sent
  PostgresSettings settings_;
  std::string user_;
  Phase phase_ = Phase::kIdle;
  bool skipping_ = false;  // after an error, to the next Sync

  std::mutex mutex_;
  std::stop_source work_;             // guarded by mutex_
  bool working_ = false;              // guarded by mutex_
  bool finishing_ = false;            // guarded by mutex_
  Wait wait_;                         // of the running statement
  std::chrono::nanoseconds began_{};  // likewise
  int64_t rows_ = 0;                  // that it has given

  PgExecutor executor_;
  std::map<std::string, std::shared_ptr<const PgStatement>> statements_;
  std::map<std::string, std::unique_ptr<PgPortal>> portals_;  // go before executor_
};

}  // namespace vitalake::serve
