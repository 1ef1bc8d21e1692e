// The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "serve/postgres/server.h"

namespace vitalake::serve {

// What a server knows of a password, from which the password cannot be told.
struct ScramVerifier {
  std::string salt;
  int iterations = 4096;
  std::string stored_key;
  std::string server_key;

  static ScramVerifier Of(std::string_view password, std::string salt, int iterations);
  // PostgreSQL's "SCRAM-SHA-256$4096:<salt>$<StoredKey>:<ServerKey>". kInvalidArgument.
  static Result<ScramVerifier> Parse(std::string_view text);
};

// One login. Of users that are not there the exchange looks the same, and fails at its end.
class PostgresLogin {
 public:
  PostgresLogin(const std::vector<PostgresUser>& users, std::string_view name);
  // With the server's part of the nonce given, for tests.
  PostgresLogin(ScramVerifier verifier, std::string nonce);

  // The answer to the client's first message. kCorrupt, kUnsupported (channel binding).
  Result<std::string> Challenge(std::string_view client_first);
  // The answer to its last. kPermission: the password is wrong; kCorrupt.
  Result<std::string> Prove(std::string_view client_final);

 private:
  ScramVerifier verifier_;
  bool known_ = true;
  std::string nonce_;
  std::string header_;        // of the client's first message, for channel binding
  std::string client_first_;  // without it
  std::string server_first_;
};

}  // namespace vitalake::serve
