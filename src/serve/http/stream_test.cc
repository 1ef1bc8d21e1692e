// Answers in pieces: order, bounds, clients that are slow or go away, the end.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <thread>

#include "serve/http/body_stream.h"
#include "serve/http/server.h"
#include "serve/http/server_fixture.h"

namespace vitalake::serve {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;
using Sent = BodyStream::Sent;

constexpr std::string_view kStreamRequest = "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n";

class HttpStreamTest : public testing::Test {
 protected:
  HttpStreamTest() {
    options_.address = "127.0.0.1:0";
    Route stream;
    stream.method = "GET";
    stream.path = "/stream";
    stream.handler = [this](const Request&, const Reply& reply) {
      begun_.set_value(
          reply.Begin({200, "text/event-stream", {{"Cache-Control", "no-store"}}}, limits_));
    };
    routes_.Add(std::move(stream));
    Route text;
    text.method = "GET";
    text.path = "/text";
    text.handler = [](const Request&, const Reply& reply) { reply({200, "text/plain", "whole"}); };
    routes_.Add(std::move(text));
  }
  // A client whose request the handler has, and the body that it is to get.
  RawClient& Connect(std::string_view request = kStreamRequest) {
    if (!server_) {
      auto opened = HttpServer::Open(options_, routes_, clock_, {});
      EXPECT_TRUE(opened.has_value());
      server_ = std::move(*opened);
      server_->Start();
    }
    client_.emplace(server_->url());
    client_->Send(request);
    body_.emplace(begun_.get_future().get());
    return *client_;
  }
  Wait For(std::chrono::milliseconds time) { return Wait::For(clock_, time); }
  // Until the client is known to be gone.
  bool IsGone() {
    std::promise<void> gone;
    const std::stop_callback tell(body_->gone_token(), [&] { gone.set_value(); });
    return gone.get_future().wait_for(10s) == std::future_status::ready;
  }

  SystemClock clock_;
  HttpOptions options_;
  StreamLimits limits_;
  Routes routes_;
  std::promise<BodyStream> begun_;
  std::unique_ptr<HttpServer> server_;
  std::optional<RawClient> client_;
  std::optional<BodyStream> body_;
};

TEST_F(HttpStreamTest, HeadComesAtOnceThenPieces) {
  RawClient& client = Connect();
  EXPECT_THAT(client.ReadUntilHas("\r\n\r\n"), HasSubstr("Transfer-Encoding: chunked"));
  std::thread([&] { EXPECT_TRUE(body_->Send("one ", For(10s)).has_value()); }).join();
  EXPECT_THAT(client.ReadUntilHas("one"), EndsWith("\r\n\r\n4\r\none \r\n"));
  EXPECT_EQ(body_->TrySend(std::string("two")), Sent::kTaken);
  body_->End();
  EXPECT_THAT(client.ReadUntilHas("0\r\n\r\n"), EndsWith("3\r\ntwo\r\n0\r\n\r\n"));
  EXPECT_EQ(body_->TrySend(std::string("late")), Sent::kGone);
}

TEST_F(HttpStreamTest, ConnectionGoesOnAfterwards) {
  RawClient& client = Connect();
  body_->End();
  client.ReadUntilHas("0\r\n\r\n");
  client.Send("GET /text HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.ReadAll(), EndsWith("whole"));
}

TEST_F(HttpStreamTest, RequestSentMeanwhileIsAnsweredBehindIt) {
  RawClient& client = Connect();
  client.Send("GET /text HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(body_->TrySend(std::string("piece")), Sent::kTaken);
  body_->End();
  const std::string all = client.ReadAll();
  EXPECT_LT(all.find("piece"), all.find("whole"));
  EXPECT_NE(all.find("whole"), std::string::npos);
}

TEST_F(HttpStreamTest, BodyWithoutItsEndIsNotWhole) {
  RawClient& client = Connect();
  EXPECT_TRUE(body_->Send("half", For(10s)).has_value());
  client.ReadUntilHas("half");
  body_.reset();
  EXPECT_THAT(client.ReadAll(), Not(HasSubstr("0\r\n\r\n")));
  EXPECT_TRUE(client.closed());
}

TEST_F(HttpStreamTest, OldClientsGetPlainBytesUntilTheEnd) {
  RawClient& client = Connect("GET /stream HTTP/1.0\r\n\r\n");
  EXPECT_EQ(body_->TrySend(std::string("plain")), Sent::kTaken);
  body_->End();
  EXPECT_THAT(client.ReadAll(), EndsWith("\r\n\r\nplain"));
  EXPECT_TRUE(client.closed());
}

TEST_F(HttpStreamTest, HeadRequestGetsNoBody) {
  RawClient& client =
      Connect("HEAD /stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(IsGone());
  EXPECT_THAT(client.ReadAll(), EndsWith("\r\n\r\n"));
}

// The system takes some megabytes for a client that does not read; then it is our bound that holds.
TEST_F(HttpStreamTest, SlowClientIsNeverBufferedWithoutLimit) {
  limits_.waiting_bytes = 300'000;
  Connect();
  const auto piece = std::make_shared<const std::string>(100'000, 'x');
  Status sent;
  while (sent) {
    sent = body_->Send(*piece, For(200ms));
    EXPECT_LE(body_->waiting_bytes(), 300'000u);
  }
  EXPECT_EQ(sent.error().kind, ErrorKind::kDeadline);
  EXPECT_EQ(body_->TrySend(piece), Sent::kFull);
  body_->CutOff();
  EXPECT_EQ(body_->waiting_bytes(), 0u);
  EXPECT_TRUE(IsGone());
  EXPECT_EQ(body_->TrySend(piece), Sent::kGone);
}

TEST_F(HttpStreamTest, SlowClientsAreBoundedTogether) {
  options_.streams_bytes = 150'000;
  limits_.waiting_bytes = 100 << 20;
  Connect();
  Status sent;
  while (sent) sent = body_->Send(std::string(100'000, 'x'), For(200ms));
  EXPECT_EQ(sent.error().kind, ErrorKind::kDeadline);
  EXPECT_LE(body_->waiting_bytes(), 150'000u);
}

TEST_F(HttpStreamTest, ClientThatTakesNothingIsCutOff) {
  options_.write_time = 200ms;
  Connect();
  Status sent;
  while (sent) sent = body_->Send(std::string(1 << 20, 'x'), For(10s));
  EXPECT_EQ(sent.error().kind, ErrorKind::kCancelled);
  EXPECT_TRUE(body_->gone());
}

TEST_F(HttpStreamTest, ProducerIsToldThatTheClientWent) {
  Connect();
  EXPECT_FALSE(body_->gone());
  client_.reset();
  EXPECT_TRUE(IsGone());
  EXPECT_EQ(body_->Send("more", For(10s)).error().kind, ErrorKind::kCancelled);
}

TEST_F(HttpStreamTest, HeartbeatsComeWhereNothingElseDoes) {
  limits_.heartbeat_every = 20ms;
  limits_.heartbeat = ":\n\n";
  RawClient& client = Connect();
  client.ReadUntilHas("3\r\n:\n\n\r\n3\r\n:\n\n\r\n");
  EXPECT_EQ(body_->TrySend(std::string("data: 1\n\n")), Sent::kTaken);
  EXPECT_THAT(client.ReadUntilHas("data: 1"), HasSubstr("9\r\ndata: 1\n\n\r\n"));
}

TEST_F(HttpStreamTest, DrainEndsEventsCleanly) {
  limits_.at_drain = StreamLimits::AtDrain::kEnd;
  RawClient& client = Connect();
  EXPECT_EQ(body_->TrySend(std::string("last")), Sent::kTaken);
  const auto begin = clock_.Steady();
  server_->Drain(10s);
  EXPECT_LT(clock_.Steady() - begin, 5s);
  EXPECT_THAT(client.ReadAll(), EndsWith("4\r\nlast\r\n0\r\n\r\n"));
  EXPECT_TRUE(body_->gone());
}

TEST_F(HttpStreamTest, DrainAwaitsOtherBodies) {
  RawClient& client = Connect();
  std::jthread producing([&] {
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(body_->Send(fmt::format("{} ", i), For(10s)));
    body_->End();
  });
  server_->Drain(10s);
  producing.join();
  EXPECT_THAT(client.ReadAll(), EndsWith("0\r\n\r\n"));
  server_.reset();
  EXPECT_EQ(body_->TrySend(std::string("nobody")), Sent::kGone);
}

TEST_F(HttpStreamTest, BodyMayOutliveTheServer) {
  Connect();
  server_.reset();
  EXPECT_TRUE(body_->gone());
  EXPECT_EQ(body_->TrySend(std::string("nobody")), Sent::kGone);
  body_->End();
  body_.reset();
}

}  // namespace
}  // namespace vitalake::serve
