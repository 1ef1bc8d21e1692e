// SHA-256 of received bytes: the identity of a file from outside.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vitalake::storage {

// Hashes a stream of bytes piece by piece. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void Update(std::string_view bytes);
  // 64 lower-case hex digits of everything so far; afterwards the hash begins anew.
  std::string FinishHex();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

std::string Sha256Hex(std::string_view bytes);

// Of a local file, read in 1 MB pieces. kNotFound, kPermission, kIo.
Result<std::string> Sha256OfFile(const std::filesystem::path& path);

}  // namespace vitalake::storage
