// PostgresSocket: one client's connection, read and written with a limit of time, with or without
// TLS.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "serve/server_tls.h"

namespace vitalake::serve {

// Not thread-safe, but Shutdown is. kIo: the client is gone; kDeadline: it was silent too long, or
// took nothing.
class PostgresSocket {
 public:
  using Duration = std::chrono::milliseconds;

  explicit PostgresSocket(int fd);
  ~PostgresSocket();
  PostgresSocket(const PostgresSocket&) = delete;
  PostgresSocket& operator=(const PostgresSocket&) = delete;

  // Goes on encrypted.
  Status StartTls(const ServerTls& tls, Duration patience);
  bool encrypted() const { return tls_ != nullptr; }

  // Appends what there is, at least one byte; waits for it at most `patience`.
  Status Read(std::string& buffer, Duration patience);
  // Writes all of it; waits at most `patience` each time the client takes nothing.
  Status Write(std::string_view bytes, Duration patience);

  // Ends reads and writes of another thread.
  void Shutdown();

 private:
  struct Tls;
  Status WaitFor(short events, Duration patience);

  const int fd_;
  std::unique_ptr<Tls> tls_;
};

}  // namespace vitalake::serve
