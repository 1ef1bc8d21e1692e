#include "serve/postgres/login.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <charconv>

namespace vitalake::serve {
namespace {

constexpr int kIterations = 4096;
constexpr size_t kSaltBytes = 16, kNonceBytes = 18;
constexpr std::string_view kVerifierMark = "SCRAM-SHA-256$";

std::string RandomBytes(size_t count) {
  std::string bytes(count, '\0');
  RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count));
  return bytes;
}

const unsigned char* Raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::string Hmac(std::string_view key, std::string_view text) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), Raw(text), text.size(),
       reinterpret_cast<unsigned char*>(out.data()), nullptr);
  return out;
}

std::string Sha256Of(std::string_view text) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  SHA256(Raw(text), text.size(), reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

std::string ToBase64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), Raw(bytes),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(size));
  return out;
}

Result<std::string> FromBase64(std::string_view text) {
  std::string out(text.size() / 4 * 3, '\0');
  if (text.size() % 4 != 0 || EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                              Raw(text), static_cast<int>(text.size())) < 0) {
    return Fail(ErrorKind::kCorrupt, "not base64");
  }
  if (text.ends_with("==")) out.pop_back();
  if (text.ends_with("=")) out.pop_back();
  return out;
}

// The value of an attribute like "r=" in "n=user,r=nonce".
std::string_view Attribute(std::string_view message, char name) {
  while (!message.empty()) {
    const size_t end = std::min(message.find(','), message.size());
    if (end >= 2 && message[0] == name && message[1] == '=') return message.substr(2, end - 2);
    message.remove_prefix(std::min(end + 1, message.size()));
  }
  return {};
}

}  // namespace

ScramVerifier ScramVerifier::Of(std::string_view password, std::string salt, int iterations) {
  std::string salted(SHA256_DIGEST_LENGTH, '\0');
  PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), Raw(salt),
                    static_cast<int>(salt.size()), iterations, EVP_sha256(),
                    static_cast<int>(salted.size()),
                    reinterpret_cast<unsigned char*>(salted.data()));
  return {.salt = std::move(salt),
          .iterations = iterations,
          .stored_key = Sha256Of(Hmac(salted, "Client Key")),
          .server_key = Hmac(salted, "Server Key")};
}

Result<ScramVerifier> ScramVerifier::Parse(std::string_view text) {
  const auto bad =
      Fail(ErrorKind::kInvalidArgument,
           "not of the form SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>");
  if (!text.starts_with(kVerifierMark)) return bad;
  text.remove_prefix(kVerifierMark.size());
  const size_t salt = text.find(':');
  const size_t stored = text.find('$');
  const size_t server = text.rfind(':');
  if (salt == text.npos || stored == text.npos || server == text.npos || !(salt < stored) ||
      !(stored < server)) {
    return bad;
  }
  ScramVerifier verifier;
  const auto count = std::from_chars(text.data(), text.data() + salt, verifier.iterations);
  if (count.ptr != text.data() + salt || verifier.iterations < 1) return bad;
  auto salt_bytes = FromBase64(text.substr(salt + 1, stored - salt - 1));
  auto stored_bytes = FromBase64(text.substr(stored + 1, server - stored - 1));
  auto server_bytes = FromBase64(text.substr(server + 1));
  if (!salt_bytes || !stored_bytes || !server_bytes ||
      stored_bytes->size() != SHA256_DIGEST_LENGTH ||
      server_bytes->size() != SHA256_DIGEST_LENGTH) {
    return bad;
  }
  verifier.salt = std::move(*salt_bytes);
  verifier.stored_key = std::move(*stored_bytes);
  verifier.server_key = std::move(*server_bytes);
  return verifier;
}

PostgresLogin::PostgresLogin(const std::vector<PostgresUser>& users, std::string_view name)
    : nonce_(ToBase64(RandomBytes(kNonceBytes))) {
  const auto user = std::ranges::find(users, name, &PostgresUser::name);
  known_ = user != users.end();
  if (known_ && user->password.starts_with(kVerifierMark)) {
    auto parsed = ScramVerifier::Parse(user->password);
    known_ = parsed.has_value();
    if (parsed) verifier_ = std::move(*parsed);
    if (parsed) return;
  }
  verifier_ = ScramVerifier::Of(known_ ? user->password : RandomBytes(kSaltBytes),
                                RandomBytes(kSaltBytes), kIterations);
}

PostgresLogin::PostgresLogin(ScramVerifier verifier, std::string nonce)
    : verifier_(std::move(verifier)), nonce_(std::move(nonce)) {}

Result<std::string> PostgresLogin::Challenge(std::string_view client_first) {
  // "n,," or "y,,": no channel binding; "p=...": asked for, though it was not offered.
  const size_t name_end = client_first.find(',');
  const size_t header_end = client_first.find(',', name_end + 1);
  if (name_end == client_first.npos || header_end == client_first.npos) {
    return Fail(ErrorKind::kCorrupt, "not a SCRAM message");
  }
  if (client_first[0] != 'n' && client_first[0] != 'y') {
    return Fail(ErrorKind::kUnsupported, "channel binding is not supported");
  }
  header_ = client_first.substr(0, header_end + 1);
  client_first_ = client_first.substr(header_end + 1);
  const std::string_view nonce = Attribute(client_first_, 'r');
  if (nonce.empty()) return Fail(ErrorKind::kCorrupt, "a SCRAM message without a nonce");
  nonce_ = std::string(nonce) + nonce_;
  server_first_ =
      fmt::format("r={},s={},i={}", nonce_, ToBase64(verifier_.salt), verifier_.iterations);
  return server_first_;
}

Result<std::string> PostgresLogin::Prove(std::string_view client_final) {
  const auto wrong = Fail(ErrorKind::kPermission, "the password is wrong");
  const size_t proof_at = client_final.rfind(",p=");
  if (proof_at == client_final.npos) return Fail(ErrorKind::kCorrupt, "a message without proof");
  const std::string_view without_proof = client_final.substr(0, proof_at);
  const auto proof = FromBase64(client_final.substr(proof_at + 3));
  if (!proof || proof->size() != SHA256_DIGEST_LENGTH) return wrong;
  if (Attribute(without_proof, 'r') != nonce_ ||
      Attribute(without_proof, 'c') != ToBase64(header_)) {
    return wrong;
  }
  const std::string signed_text =
      fmt::format("{},{},{}", client_first_, server_first_, without_proof);
  std::string client_key = Hmac(verifier_.stored_key, signed_text);
  for (size_t i = 0; i < client_key.size(); ++i) {
    client_key[i] = static_cast<char>(client_key[i] ^ (*proof)[i]);
  }
  const std::string stored = Sha256Of(client_key);
  if (CRYPTO_memcmp(stored.data(), verifier_.stored_key.data(), stored.size()) != 0 || !known_) {
    return wrong;
  }
  return "v=" + ToBase64(Hmac(verifier_.server_key, signed_text));
}

}  // namespace vitalake::serve
