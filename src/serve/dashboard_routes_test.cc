#include "serve/dashboard_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "serve/http/gzip.h"

namespace vitalake::embedded {
std::span<const EmbeddedFile> dashboard();
}

namespace vitalake::serve {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr size_t kMostBytes = 250 << 10;  // gzipped, all files together

std::vector<DashboardFile> Built() {
  auto files = ReadDashboard(embedded::dashboard());
  EXPECT_TRUE(files.has_value());
  return files.value_or(std::vector<DashboardFile>{});
}

std::string SentHeader(const Response& response, std::string_view name) {
  const auto found =
      std::ranges::find(response.headers, name, &std::pair<std::string, std::string>::first);
  return found == response.headers.end() ? "" : found->second;
}

Request Asking(HeaderList headers) {
  Request request;
  request.method = "GET";
  request.headers = std::move(headers);
  return request;
}

TEST(Dashboard, IsSmallAndNamesItsOwnFilesOnly) {
  const auto files = Built();
  size_t bytes = 0;
  for (const auto& file : files) bytes += file.gzipped.size();
  EXPECT_LE(bytes, kMostBytes);
  const auto page = std::ranges::find(files, "/", &DashboardFile::path);
  ASSERT_NE(page, files.end());
  EXPECT_THAT(page->plain, Not(HasSubstr("//")));  // of a URL elsewhere
  EXPECT_THAT(page->plain, Not(HasSubstr("<style")));
  for (const auto& file : files) {
    if (file.path.ends_with(".js") || file.path.ends_with(".css")) {
      EXPECT_THAT(page->plain, HasSubstr(file.path));
    }
  }
}

TEST(Dashboard, SendsGzipWhereItIsTaken) {
  const auto files = Built();
  ASSERT_FALSE(files.empty());
  const Response packed = DashboardResponse(files[0], Asking({{"accept-encoding", "br, gzip"}}));
  EXPECT_EQ(SentHeader(packed, "Content-Encoding"), "gzip");
  EXPECT_EQ(Gunzipped(packed.body).value_or(""), files[0].plain);
  const Response plain = DashboardResponse(files[0], Asking({}));
  EXPECT_EQ(SentHeader(plain, "Content-Encoding"), "");
  EXPECT_EQ(plain.body, files[0].plain);
}

TEST(Dashboard, AnswersThatNothingChanged) {
  const auto files = Built();
  ASSERT_FALSE(files.empty());
  const std::string& tag = files[0].etag;
  for (const std::string& known : {tag, "W/" + tag, "\"other\", " + tag, std::string("*")}) {
    const Response response = DashboardResponse(files[0], Asking({{"if-none-match", known}}));
    EXPECT_EQ(response.status, 304) << known;
    EXPECT_EQ(response.body, "");
  }
  EXPECT_EQ(DashboardResponse(files[0], Asking({{"if-none-match", "\"other\""}})).status, 200);
}

TEST(Dashboard, KeepsEverythingButThePage) {
  for (const auto& file : Built()) {
    const Response response = DashboardResponse(file, Asking({}));
    if (file.is_document) {
      EXPECT_EQ(SentHeader(response, "Cache-Control"), "no-cache");
      EXPECT_THAT(SentHeader(response, "Content-Security-Policy"), HasSubstr("default-src 'none'"));
      EXPECT_THAT(SentHeader(response, "Content-Security-Policy"), Not(HasSubstr("unsafe")));
    } else {
      EXPECT_THAT(SentHeader(response, "Cache-Control"), HasSubstr("immutable"));
    }
  }
}

TEST(Dashboard, RefusesABrokenBundle) {
  const EmbeddedFile files[] = {{"assets.txt", "/ index.html.gz text/html\n"},
                                {"index.html.gz", "no gzip"}};
  EXPECT_EQ(ReadDashboard(files).error().kind, ErrorKind::kCorrupt);
  EXPECT_EQ(ReadDashboard(std::span(files, 0)).error().kind, ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace vitalake::serve
