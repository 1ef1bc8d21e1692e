#include "serve/http/login.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ranges>

namespace vitalake::serve {
namespace {

constexpr size_t kLeastToken = 16, kLongestToken = 512;

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Digest DigestOf(std::string_view text) {
  Digest digest;
  SHA256(Bytes(text), text.size(), digest.data());
  return digest;
}

// Of texts of any length: digests of one length are compared.
bool IsSame(std::string_view a, std::string_view b) {
  return CRYPTO_memcmp(DigestOf(a).data(), DigestOf(b).data(), Digest().size()) == 0;
}

std::string Seal(const HttpUser& user, std::string_view until) {
  const std::string text = fmt::format("vitalake session until {}", until);
  Digest seal;
  HMAC(EVP_sha256(), user.token.data(), static_cast<int>(user.token.size()), Bytes(text),
       text.size(), seal.data(), nullptr);
  std::string hex;
  for (const unsigned char byte : seal) hex += fmt::format("{:02x}", byte);
  return hex;
}

bool HasScheme(std::string_view text, std::string_view scheme) {
  return text.size() > scheme.size() && text[scheme.size()] == ' ' &&
         std::ranges::equal(text.substr(0, scheme.size()), scheme, {},
                            [](unsigned char c) { return std::tolower(c); });
}

}  // namespace

Status CheckHttpUsers(const std::vector<HttpUser>& users) {
  for (const HttpUser& user : users) {
    const bool visible =
        std::ranges::all_of(user.token, [](char c) { return c > ' ' && c <= '~'; });
    if (user.token.size() >= kLeastToken && user.token.size() <= kLongestToken && visible) continue;
    return Fail(
        ErrorKind::kInvalidArgument,
        fmt::format("the token of {} must have {} to {} visible ASCII characters, like what "
                    "`openssl rand -hex 32` gives",
                    user.name, kLeastToken, kLongestToken));
  }
  return {};
}

bool HttpLogin::KnowsToken(std::string_view token) const {
  size_t found = 0;
  for (const HttpUser& user : users_) found += IsSame(user.token, token) ? 1 : 0;
  return found > 0;
}

bool HttpLogin::KnowsCookie(std::string_view value, Micros now) const {
  const size_t dot = value.find('.');
  if (dot == std::string_view::npos) return false;
  const std::string_view until = value.substr(0, dot);
  Micros seconds = 0;
  const auto [end, failed] = std::from_chars(until.data(), until.data() + until.size(), seconds);
  if (failed != std::errc() || end != until.data() + until.size()) return false;
  if (seconds <= now / 1'000'000) return false;
  size_t found = 0;
  for (const HttpUser& user : users_) {
    found += IsSame(Seal(user, until), value.substr(dot + 1)) ? 1 : 0;
  }
  return found > 0;
}

// Source: RFC 6750, 2.1; RFC 6265, 4.2.
bool HttpLogin::Admits(const Request& request, Micros now) const {
  if (!is_needed()) return true;
  if (const std::string* const given = request.Header("authorization")) {
    constexpr std::string_view kBearer = "bearer";
    if (!HasScheme(*given, kBearer)) return false;
    std::string_view token = std::string_view(*given).substr(kBearer.size());
    token.remove_prefix(std::min(token.find_first_not_of(' '), token.size()));
    return KnowsToken(token);
  }
  for (const auto& [name, value] : request.headers) {
    if (name != "cookie") continue;
    for (const auto part : std::views::split(value, ';')) {
      std::string_view pair(part.begin(), part.end());
      pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
      if (pair.starts_with(kCookieName) && pair.substr(kCookieName.size()).starts_with('=') &&
          KnowsCookie(pair.substr(kCookieName.size() + 1), now)) {
        return true;
      }
    }
  }
  return false;
}

std::optional<std::string> HttpLogin::Cookie(std::string_view token, Micros now) const {
  const std::string until = fmt::to_string((now + kCookieTime) / 1'000'000);
  std::optional<std::string> cookie;
  for (const HttpUser& user : users_) {
    if (IsSame(user.token, token)) cookie = fmt::format("{}.{}", until, Seal(user, until));
  }
  return cookie;
}

}  // namespace vitalake::serve
