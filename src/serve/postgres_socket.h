// PostgresSocket: one client's connection, read and written with a limit of time, with or without
// TLS.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vitalake::serve {

// The certificate a server shows, and its key; thread-safe.
class PostgresTls {
 public:
  // PEM files. kInvalidArgument: they cannot be used.
  static Result<std::shared_ptr<PostgresTls>> Load(const std::string& certificate_file,
                                                   const std::string& key_file);
  ~PostgresTls();
  void* native() const;

 private:
  struct Impl;
  explicit PostgresTls(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

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
  Status StartTls(const PostgresTls& tls, Duration patience);
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
