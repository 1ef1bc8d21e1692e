// PostgresServer: SQL over the PostgreSQL protocol 3.0, read-only.
//
// One thread accepts connections; each session has a thread of its own, which only waits while its
// client is silent or slow. Everything is bounded: sessions, the size of messages, the time for
// each, statements that work at once; what they may hold is bounded by the engine they run in.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "engine/sql_session.h"

namespace vitalake::serve {

// Who may log in.
struct PostgresUser {
  std::string name;
  std::string password;
};

struct PostgresOptions {
  std::string address = "127.0.0.1:5439";  // port 0: any that is free
  std::string database = "lake";
  std::vector<PostgresUser> users;  // none: anybody, and on loopback only
  std::string certificate_file;     // PEM; empty: no TLS
  std::string key_file;
  size_t sessions = 256;                           // more are refused
  size_t working = 4;                              // statements that work at once
  size_t message_bytes = 16 << 20;                 // of one message; more ends the session
  std::chrono::milliseconds login_time{15'000};    // from the connection to the end of the login
  std::chrono::milliseconds message_time{30'000};  // from the first byte of a message to its last
  std::chrono::milliseconds idle_time{3'600'000};  // from one message to the next
  std::chrono::milliseconds write_time{300'000};   // a client that takes no byte so long is gone
  std::chrono::milliseconds statement_time{300'000};  // at most, whatever the client sets
};

enum class PostgresOutcome { kAnswered, kFailed, kCancelled, kTimedOut };

// What the server tells of its work; called from the sessions' threads.
struct PostgresHooks {
  // How many sessions there are now.
  std::function<void(int64_t open)> sessions = {};
  // A statement was answered, its rows sent, or refused. A portal that is read in pieces counts
  // with each of them.
  std::function<void(PostgresOutcome outcome, std::chrono::nanoseconds time, int64_t rows)>
      statement = {};
};

// kInvalidArgument: no address; not on loopback, and users or TLS are missing.
Status CheckPostgresOptions(const PostgresOptions& options);

class PostgresServer {
 public:
  using OpenSession = std::function<Result<std::unique_ptr<engine::SqlSession>>()>;

  // Listens at once; clients wait for Start. `open` is called from the sessions' threads.
  // As CheckPostgresOptions says; kAlreadyExists: the port is taken. kPermission, kIo.
  static Result<std::unique_ptr<PostgresServer>> Open(const PostgresOptions& options,
                                                      OpenSession open, Clock& clock,
                                                      PostgresHooks hooks);
  // Ends at once.
  ~PostgresServer();

  void Start();
  // "127.0.0.1:5439", with the port that was taken.
  const std::string& address() const;

  // Takes no more connections, waits until the statements under way are answered (at most
  // `patience`), and ends all sessions.
  void Drain(std::chrono::milliseconds patience);

 private:
  struct Impl;
  explicit PostgresServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vitalake::serve
