// POST /sql over sockets: what is sent whole, what in pieces, and clients that are slow or go away.
#include "serve/sql_routes.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <charconv>
#include <condition_variable>
#include <mutex>

#include "base/random.h"
#include "serve/http/gzip.h"
#include "serve/http/server.h"
#include "serve/http/server_fixture.h"

namespace vitalake::serve {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::chrono::seconds kLongest{30};

// Rows that no client reads to the end, nor any statement computes in its time.
constexpr std::string_view kEndless = "SELECT n FROM range(100000000000) t(n)";

std::string SqlRequestText(std::string_view query, std::string_view more = "",
                           std::string_view headers = "") {
  const std::string body = fmt::format(R"({{"query":"{}"{}}})", query, more);
  return fmt::format(
      "POST /sql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: "
      "close\r\n"
      "Content-Length: {}\r\n{}\r\n{}",
      body.size(), headers, body);
}

std::string BodyOf(const std::string& answer) {
  const size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

// The chunks of a body, joined; `rest` is what follows the last one.
std::string Joined(std::string_view chunks, std::string* rest = nullptr) {
  std::string joined;
  while (!chunks.empty()) {
    size_t size = 0;
    const auto [end, failed] =
        std::from_chars(chunks.data(), chunks.data() + chunks.size(), size, 16);
    EXPECT_EQ(failed, std::errc());
    chunks.remove_prefix(static_cast<size_t>(end - chunks.data()) + 2);
    if (size == 0) break;
    joined += chunks.substr(0, size);
    chunks.remove_prefix(std::min(chunks.size(), size + 2));
  }
  if (rest != nullptr) *rest = chunks;
  return joined;
}

class SqlRoutesTest : public testing::Test {
 protected:
  SqlRoutesTest() {
    folder_ = std::filesystem::temp_directory_path() / ("vitalake-sql-" + random_.Uuid());
    std::filesystem::create_directories(folder_);
    lake::LakeOptions options;
    options.location = (folder_ / "lake").string();
    options.threads = 1;
    auto lake = lake::Lake::Open(options, clock_, random_);
    EXPECT_TRUE(lake.has_value());
    lake_ = std::move(*lake);
    EXPECT_TRUE(lake_->CreateMissingTables().has_value());
  }
  ~SqlRoutesTest() override {
    if (desk_) desk_->Close();
    server_.reset();
    desk_.reset();
    lake_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Start() {
    auto desk = QueryDesk::Open(*lake_, options_);
    ASSERT_TRUE(desk.has_value()) << desk.error().ToString();
    desk_ = std::move(*desk);
    Routes routes;
    AddSqlRoutes(routes, *desk_, limits_);
    HttpOptions http;
    http.address = "127.0.0.1:0";
    auto server = HttpServer::Open(http, std::move(routes), clock_, [this](const RequestDone& one) {
      const std::lock_guard lock(mutex_);
      done_.push_back(one);
      told_.notify_all();
    });
    ASSERT_TRUE(server.has_value());
    server_ = std::move(*server);
    server_->Start();
  }
  std::string Ask(std::string_view query, std::string_view more = "",
                  std::string_view headers = "") {
    RawClient client(server_->url());
    client.Send(SqlRequestText(query, more, headers));
    return client.ReadAll();
  }
  // The first answer that ended, or was cut off.
  RequestDone FirstDone() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(told_.wait_for(lock, kLongest, [&] { return !done_.empty(); }));
    return done_.empty() ? RequestDone{} : done_.front();
  }

  SystemClock clock_;
  SystemRandom random_;
  std::filesystem::path folder_;
  std::unique_ptr<lake::Lake> lake_;
  QueryDeskOptions options_;
  SqlLimits limits_;
  std::unique_ptr<QueryDesk> desk_;
  std::unique_ptr<HttpServer> server_;
  std::mutex mutex_;
  std::condition_variable told_;
  std::vector<RequestDone> done_;
};

TEST_F(SqlRoutesTest, FewRowsAreSentWhole) {
  Start();
  const std::string answer = Ask("SELECT n FROM range(3) t(n)");
  EXPECT_THAT(answer, HasSubstr("Content-Length: "));
  EXPECT_THAT(answer,
              EndsWith("\"rows\":[[0],\n[1],\n[2]],\n\"row_count\":3,\"truncated\":false}\n"));
}

TEST_F(SqlRoutesTest, ManyRowsAreSentInPieces) {
  Start();
  const std::string answer =
      Ask("SELECT n FROM range(100000) t(n)", R"(,"format":"csv","limit":100000)");
  EXPECT_THAT(answer, HasSubstr("Transfer-Encoding: chunked"));
  std::string expected = "n\n";
  for (int n = 0; n < 100'000; ++n) expected += fmt::format("{}\n", n);
  std::string rest;
  EXPECT_EQ(Joined(BodyOf(answer), &rest), expected);
  EXPECT_EQ(rest, "\r\n");
  EXPECT_TRUE(FirstDone().whole);
}

TEST_F(SqlRoutesTest, PiecesArePackedForClientsThatTakeIt) {
  Start();
  const std::string plain = Ask("SELECT n FROM range(100000) t(n)", R"(,"limit":100000)");
  const std::string packed =
      Ask("SELECT n FROM range(100000) t(n)", R"(,"limit":100000)", "Accept-Encoding: gzip\r\n");
  EXPECT_THAT(packed, HasSubstr("Content-Encoding: gzip"));
  EXPECT_LT(packed.size(), plain.size() / 2);
  const auto unpacked = Gunzipped(Joined(BodyOf(packed)));
  ASSERT_TRUE(unpacked.has_value());
  EXPECT_EQ(*unpacked, Joined(BodyOf(plain)));
}

TEST_F(SqlRoutesTest, WhatWasLeftOutIsToldBehindThePieces) {
  Start();
  const std::string answer =
      Ask("SELECT n FROM range(100001) t(n)", R"(,"format":"ndjson","limit":100000)");
  EXPECT_THAT(answer, HasSubstr("Trailer: Vitalake-Truncated\r\n"));
  std::string rest;
  Joined(BodyOf(answer), &rest);
  EXPECT_EQ(rest, "Vitalake-Truncated: true\r\n\r\n");
}

TEST_F(SqlRoutesTest, FirstRowsComeBeforeTheStatementEnds) {
  options_.sessions = 1;
  Start();
  {
    RawClient client(server_->url());
    client.Send(SqlRequestText(kEndless, R"(,"limit":100000000000)"));
    EXPECT_THAT(client.ReadUntilHas("[100000],"), StartsWith("HTTP/1.1 200 OK"));
  }
  // The client is gone, and with it the statement: its only place is another's.
  EXPECT_FALSE(FirstDone().whole);
  EXPECT_THAT(Ask("SELECT 7"), HasSubstr("[[7]]"));
}

TEST_F(SqlRoutesTest, ErrorInTheMiddleLeavesTheBodyWithoutItsEnd) {
  Start();
  RawClient client(server_->url());
  client.Send(SqlRequestText(
      "SELECT CASE WHEN n < 600000 THEN n ELSE error('late') END FROM range(700000) t(n)",
      R"(,"format":"ndjson","limit":700000)"));
  const std::string& answer = client.ReadAll();
  EXPECT_TRUE(client.closed());
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK"));
  EXPECT_THAT(answer, Not(EndsWith("\r\n0\r\n\r\n")));
  EXPECT_FALSE(FirstDone().whole);
}

TEST_F(SqlRoutesTest, ErrorBeforeTheFirstPieceHasAStatus) {
  Start();
  EXPECT_THAT(Ask("SELECT CASE WHEN n < 3000 THEN n ELSE error('early') END FROM range(4000) t(n)"),
              StartsWith("HTTP/1.1 400 "));
}

TEST_F(SqlRoutesTest, ClientThatDoesNotReadHoldsNoPlaceAndIsCutOffInTime) {
  options_.sessions = 1;
  options_.long_time = std::chrono::seconds(2);
  Start();
  RawClient slow(server_->url());
  slow.Send(SqlRequestText(kEndless, R"(,"limit":100000000000)"));
  slow.ReadUntilHas("200 OK");
  EXPECT_THAT(Ask("SELECT 7"), HasSubstr("[[7]]"));
  const auto begun = clock_.Steady();
  std::unique_lock lock(mutex_);
  EXPECT_TRUE(told_.wait_for(
      lock, kLongest, [&] { return std::ranges::count(done_, false, &RequestDone::whole) == 1; }));
  EXPECT_LT(clock_.Steady() - begun, kLongest);
}

TEST_F(SqlRoutesTest, TimeThatIsUpInTheMiddleLeavesTheBodyWithoutItsEnd) {
  options_.time = std::chrono::seconds(3);
  Start();
  RawClient client(server_->url());
  client.Send(SqlRequestText(kEndless, R"(,"limit":100000000000,"format":"ndjson")"));
  EXPECT_THAT(client.ReadAll(), Not(EndsWith("\r\n0\r\n\r\n")));
  const RequestDone done = FirstDone();
  EXPECT_EQ(done.status, 200);
  EXPECT_FALSE(done.whole);
}

TEST_F(SqlRoutesTest, LargeAnswersAreCounted) {
  options_.long_answers = 1;
  Start();
  RawClient slow(server_->url());
  slow.Send(SqlRequestText(kEndless, R"(,"limit":100000000000)"));
  slow.ReadUntilHas("200 OK");
  const std::string refused = Ask(kEndless, R"(,"limit":100000000000)");
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(refused, HasSubstr("Retry-After: "));
  EXPECT_THAT(Ask("SELECT 7"), HasSubstr("[[7]]"));
}

TEST_F(SqlRoutesTest, ParquetThatGrowsPastItsBoundIsStopped) {
  limits_.parquet_bytes = 1 << 20;
  Start();
  const std::string answer = Ask("SELECT hash(n) FROM range(100000000000) t(n)",
                                 R"(,"format":"parquet","limit":100000000000)");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(Ask("SELECT 7"), HasSubstr("[[7]]"));
}

TEST_F(SqlRoutesTest, ParquetIsAFileAndNothingIsLeft) {
  Start();
  const std::string body = BodyOf(Ask("SELECT n FROM range(10) t(n)", R"(,"format":"parquet")"));
  EXPECT_THAT(body, StartsWith("PAR1"));
  EXPECT_THAT(body, EndsWith("PAR1"));
  const std::string large =
      Ask("SELECT hash(n) FROM range(200000) t(n)", R"(,"format":"parquet","limit":200000)");
  EXPECT_THAT(large, HasSubstr("Transfer-Encoding: chunked"));
  EXPECT_THAT(Joined(BodyOf(large)), EndsWith("PAR1"));
}

}  // namespace
}  // namespace vitalake::serve
