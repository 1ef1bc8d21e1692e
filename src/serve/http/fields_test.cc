#include "serve/http/fields.h"

#include <gtest/gtest.h>

namespace vitalake::serve {
namespace {

bool Knows(std::vector<std::string> lists, std::string_view etag) {
  Request request;
  for (std::string& list : lists) request.headers.emplace_back("if-none-match", std::move(list));
  return KnowsTag(request, etag);
}

TEST(HttpFieldsTest, DatesAreThoseOfTheStandard) {
  EXPECT_EQ(HttpDate(784111777'000'000), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(HttpDate(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(HttpDate(951827696'999'999), "Tue, 29 Feb 2000 12:34:56 GMT");
  EXPECT_EQ(HttpDate(-1), "Wed, 31 Dec 1969 23:59:59 GMT");
}

// The table of RFC 9110, 8.8.3.2, in its column for weak comparison.
TEST(HttpFieldsTest, ComparesTagsWeakly) {
  EXPECT_TRUE(Knows({R"(W/"1")"}, R"(W/"1")"));
  EXPECT_FALSE(Knows({R"(W/"1")"}, R"(W/"2")"));
  EXPECT_TRUE(Knows({R"(W/"1")"}, R"("1")"));
  EXPECT_TRUE(Knows({R"("1")"}, R"(W/"1")"));
  EXPECT_TRUE(Knows({R"("1")"}, R"("1")"));
}

TEST(HttpFieldsTest, ReadsListsOfTags) {
  EXPECT_TRUE(Knows({R"("xyzzy", "r2d2xxxx", "c3piozzzz")"}, R"("r2d2xxxx")"));
  EXPECT_TRUE(Knows({R"(W/"a" ,,	W/"b",)"}, R"("b")"));
  EXPECT_TRUE(Knows({R"("a,b", "c")"}, R"("a,b")"));
  EXPECT_FALSE(Knows({R"("a,b", "c")"}, R"("b")"));
  EXPECT_TRUE(Knows({R"("a")", R"("b")"}, R"("b")"));
  EXPECT_TRUE(Knows({R"("")"}, R"("")"));
}

TEST(HttpFieldsTest, AStarHasAnythingWhereItStandsAlone) {
  EXPECT_TRUE(Knows({" * "}, R"("a")"));
  EXPECT_FALSE(Knows({R"(*, "b")"}, R"("a")"));
  EXPECT_FALSE(Knows({R"("*")"}, R"("a")"));
}

TEST(HttpFieldsTest, WhatIsNoTagHasNothing) {
  EXPECT_FALSE(Knows({}, R"("a")"));
  EXPECT_FALSE(Knows({""}, R"("a")"));
  EXPECT_FALSE(Knows({"a"}, R"("a")"));
  EXPECT_FALSE(Knows({R"(w/"a")"}, R"("a")"));
  EXPECT_FALSE(Knows({R"("a)"}, R"("a")"));
  EXPECT_FALSE(Knows({R"("12")"}, R"("1")"));
  EXPECT_FALSE(Knows({R"("x"y, "a")"}, R"("a")"));
}

TEST(HttpFieldsTest, KnowsLoopbackByItsNames) {
  for (const std::string_view host :
       {"localhost", "LOCALHOST:8080", "127.0.0.1", "127.8.9.1:80", "[::1]", "[::1]:8080"}) {
    EXPECT_TRUE(IsLoopbackHost(host)) << host;
  }
  for (const std::string_view host :
       {"", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "10.0.0.1",
        "127.1", "[::2]", "localhost:80x", "localhost@evil.example", "127.0.0.1:80:80"}) {
    EXPECT_FALSE(IsLoopbackHost(host)) << host;
  }
}

}  // namespace
}  // namespace vitalake::serve
