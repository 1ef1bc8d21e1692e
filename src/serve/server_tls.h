// ServerTls: the certificate a server shows, its key, and what it agrees to: TLS 1.2 or later.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace vitalake::serve {

// What OpenSSL says of its last fault on this thread.
std::string TlsFault();

// Thread-safe.
class ServerTls {
 public:
  // PEM files: the certificate with those above it, and its key without a passphrase. Where they
  // cannot be used kInvalidArgument names the file and what helps.
  static Result<std::shared_ptr<ServerTls>> Load(const std::string& certificate_file,
                                                 const std::string& key_file);
  ~ServerTls();
  void* native() const;  // SSL_CTX*
  // When the certificate expires.
  Micros expires() const;

 private:
  struct Impl;
  explicit ServerTls(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vitalake::serve
