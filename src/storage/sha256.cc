#include "storage/sha256.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "base/check.h"
#include "storage/posix_file.h"

namespace vitalake::storage {

struct Sha256::Context {
  Context() : evp(EVP_MD_CTX_new()) { VL_CHECK(evp != nullptr); }
  ~Context() { EVP_MD_CTX_free(evp); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  void Begin() const { VL_CHECK(EVP_DigestInit_ex(evp, EVP_sha256(), nullptr) == 1); }

  EVP_MD_CTX* evp;
};

Sha256::Sha256() : context_(std::make_unique<Context>()) { context_->Begin(); }
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::Update(std::string_view bytes) {
  VL_CHECK(EVP_DigestUpdate(context_->evp, bytes.data(), bytes.size()) == 1);
}

std::string Sha256::FinishHex() {
  std::array<unsigned char, 32> digest{};
  VL_CHECK(EVP_DigestFinal_ex(context_->evp, digest.data(), nullptr) == 1);
  context_->Begin();
  std::string hex;
  for (const unsigned char byte : digest) fmt::format_to(std::back_inserter(hex), "{:02x}", byte);
  return hex;
}

std::string Sha256Hex(std::string_view bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return hash.FinishHex();
}

Result<std::string> Sha256OfFile(const std::filesystem::path& path) {
  constexpr size_t kPiece = 1 << 20;
  VL_TRY(const Fd fd, OpenForReading(path));
  const auto buffer = std::make_unique_for_overwrite<char[]>(kPiece);
  Sha256 hash;
  while (true) {
    VL_TRY(const size_t got, ReadFully(fd.number(), buffer.get(), kPiece, path));
    if (got == 0) return hash.FinishHex();
    hash.Update({buffer.get(), got});
  }
}

}  // namespace vitalake::storage
