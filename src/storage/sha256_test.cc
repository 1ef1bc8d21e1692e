#include "storage/sha256.h"

#include <gtest/gtest.h>

#include "storage/test_folder.h"

namespace vitalake::storage {
namespace {

// Source: FIPS 180-4 example values (NIST, "SHA-256 examples") for "", "abc" and 10^6 times "a".
constexpr std::string_view kOfEmpty =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr std::string_view kOfAbc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr std::string_view kOfMillionA =
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Sha256Test, KnownDigests) {
  EXPECT_EQ(Sha256Hex(""), kOfEmpty);
  EXPECT_EQ(Sha256Hex("abc"), kOfAbc);
}

TEST(Sha256Test, PiecesAreOneStream) {
  Sha256 hash;
  for (int i = 0; i < 1000; ++i) hash.Update(std::string(1000, 'a'));
  EXPECT_EQ(hash.FinishHex(), kOfMillionA);
  hash.Update("a");
  hash.Update("bc");
  EXPECT_EQ(hash.FinishHex(), kOfAbc);
}

TEST(Sha256Test, OfFiles) {
  const TestFolder folder;
  WriteTestFile(folder.path() / "million", std::string(1'000'000, 'a'));
  WriteTestFile(folder.path() / "empty", "");
  EXPECT_EQ(Sha256OfFile(folder.path() / "million").value(), kOfMillionA);
  EXPECT_EQ(Sha256OfFile(folder.path() / "empty").value(), kOfEmpty);
  EXPECT_EQ(Sha256OfFile(folder.path() / "none").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(Sha256OfFile(folder.path()).error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace vitalake::storage
