#include "serve/postgres/login.h"

#include <gtest/gtest.h>

namespace vitalake::serve {
namespace {

// The exchange of RFC 7677, section 3.
constexpr std::string_view kClientFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view kServerFirst =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr std::string_view kClientFinal =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
constexpr std::string_view kServerFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
constexpr std::string_view kServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const std::string kSalt = "\x5b\x6d\x99\x68\x9d\x12\x35\x8e\xec\xa0\x4b\x14\x12\x36\xfa\x81";

TEST(PostgresLoginTest, FollowsTheExampleOfTheStandard) {
  PostgresLogin login(ScramVerifier::Of("pencil", kSalt, 4096), std::string(kServerNonce));
  EXPECT_EQ(login.Challenge(kClientFirst).value(), kServerFirst);
  EXPECT_EQ(login.Prove(kClientFinal).value(), kServerFinal);
}

TEST(PostgresLoginTest, RefusesAnotherPassword) {
  PostgresLogin login(ScramVerifier::Of("pen", kSalt, 4096), std::string(kServerNonce));
  ASSERT_TRUE(login.Challenge(kClientFirst));
  EXPECT_EQ(login.Prove(kClientFinal).error().kind, ErrorKind::kPermission);
}

TEST(PostgresLoginTest, RefusesAnotherNonceAndChannelBinding) {
  PostgresLogin login(ScramVerifier::Of("pencil", kSalt, 4096), "other");
  ASSERT_TRUE(login.Challenge(kClientFirst));
  EXPECT_FALSE(login.Prove(kClientFinal));
  PostgresLogin binding(ScramVerifier::Of("pencil", kSalt, 4096), "other");
  EXPECT_FALSE(binding.Challenge("p=tls-server-end-point,,n=user,r=abc"));
  EXPECT_FALSE(binding.Challenge("garbage"));
}

TEST(PostgresLoginTest, UnknownUsersGetAChallengeToo) {
  PostgresLogin login(std::vector<PostgresUser>{{"anna", "secret"}}, "nobody");
  EXPECT_TRUE(login.Challenge(kClientFirst));
  EXPECT_FALSE(login.Prove(kClientFinal));
}

// As `SELECT rolpassword FROM pg_authid` of PostgreSQL shows it.
TEST(PostgresLoginTest, ReadsVerifiers) {
  const std::string text =
      "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
      ":wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
  const ScramVerifier parsed = ScramVerifier::Parse(text).value();
  const ScramVerifier made = ScramVerifier::Of("pencil", kSalt, 4096);
  EXPECT_EQ(parsed.salt, made.salt);
  EXPECT_EQ(parsed.stored_key, made.stored_key);
  EXPECT_EQ(parsed.server_key, made.server_key);
  EXPECT_FALSE(ScramVerifier::Parse("SCRAM-SHA-256$x"));
  EXPECT_FALSE(ScramVerifier::Parse("md5abc"));
}

}  // namespace
}  // namespace vitalake::serve
