#include "serve/http/server.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "serve/http/gzip.h"
#include "serve/http/problem.h"
#include "serve/http/server_fixture.h"

namespace vitalake::serve {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using namespace std::chrono_literals;

std::string Get(std::string_view target, std::string_view more = "") {
  return fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", target, more);
}

std::string Post(std::string_view target, std::string_view body, std::string_view more = "") {
  return fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n{}\r\n{}",
                     target, body.size(), more, body);
}

constexpr std::string_view kLast = "Connection: close\r\n";

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() {
    options_.address = "127.0.0.1:0";
    Add("GET", "/text", RunsOn::kLoop, [](const Request&, const Reply& reply) {
      reply({200, "text/plain", std::string(2000, 'x')});
    });
    Add("POST", "/echo", RunsOn::kPool, [](const Request& request, const Reply& reply) {
      reply({200, "text/plain", request.body});
    });
    Add("GET", "/never", RunsOn::kLoop, [this](const Request&, const Reply& reply) {
      kept_.push_back(reply);
      asked_.set_value();
    });
    Add("GET", "/dropped", RunsOn::kPool, [](const Request&, const Reply&) {});
    Add("GET", "/throws", RunsOn::kPool,
        [](const Request&, const Reply&) { throw std::runtime_error("a secret"); });
  }
  void Add(const std::string& method, const std::string& path, RunsOn on, Handler handler) {
    Route route;
    route.method = method;
    route.path = path;
    route.runs_on = on;
    route.max_body = method == "POST" ? 100 : 0;
    route.patience = 200ms;
    route.handler = std::move(handler);
    routes_.Add(std::move(route));
  }
  HttpServer& Start() {
    auto opened = HttpServer::Open(options_, routes_, clock_, [this](const RequestDone& done) {
      done_.push_back(fmt::format("{} {} {}", done.method, done.route, done.status));
    });
    EXPECT_TRUE(opened.has_value()) << opened.error().ToString();
    server_ = std::move(*opened);
    server_->Start();
    return *server_;
  }
  // What one connection is told, until it is closed.
  std::string Ask(std::string_view bytes) {
    if (!server_) Start();
    RawClient client(server_->url());
    client.Send(bytes);
    return client.ReadAll();
  }

  SystemClock clock_;
  HttpOptions options_;
  Routes routes_;
  std::vector<Reply> kept_;
  std::promise<void> asked_;
  std::vector<std::string> done_;  // of the loop's thread
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, OtherNamesThanThoseOfLoopbackAreNotServed) {
  const auto ask = [&](std::string_view hosts) {
    return Ask(fmt::format("GET /text HTTP/1.1\r\n{}Connection: close\r\n\r\n", hosts));
  };
  EXPECT_THAT(ask("Host: 127.0.0.1:80\r\n"), testing::HasSubstr(" 200 "));
  EXPECT_THAT(ask("Host: rebound.example\r\n"), testing::HasSubstr(" 421 "));
  EXPECT_THAT(ask("Host: localhost\r\nHost: localhost\r\n"), testing::HasSubstr(" 400 "));
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  const std::string all =
      Ask(Post("/echo", "one") + Get("/text") + Post("/echo", "two") + Get("/text", kLast));
  const size_t one = all.find("\r\n\r\none"), two = all.find("\r\n\r\ntwo");
  ASSERT_NE(one, std::string::npos) << all;
  ASSERT_NE(two, std::string::npos) << all;
  EXPECT_LT(one, all.find("xxx"));
  EXPECT_LT(all.find("xxx"), two);
  EXPECT_LT(two, all.rfind("xxx"));
  server_.reset();
  EXPECT_EQ(done_, (std::vector<std::string>{"POST /echo 200", "GET /text 200", "POST /echo 200",
                                             "GET /text 200"}));
}

TEST_F(HttpServerTest, KeepsTheConnectionUntilToldNot) {
  Start();
  RawClient client(server_->url());
  client.Send(Get("/text"));
  client.ReadUntilHas(std::string(2000, 'x'));
  EXPECT_FALSE(client.closed());
  client.Send(Post("/echo", "again", kLast));
  EXPECT_THAT(client.ReadAll(), HasSubstr("again"));
  EXPECT_TRUE(client.closed());
}

TEST_F(HttpServerTest, ErrorsAreProblemDetails) {
  const std::string missing = Ask(Get("/nowhere", kLast));
  EXPECT_THAT(missing, StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(missing, HasSubstr("Content-Type: application/problem+json\r\n"));
  EXPECT_THAT(missing, HasSubstr(R"({"type":"about:blank","title":"Not Found","status":404,)"));
  EXPECT_THAT(missing, HasSubstr(R"("instance":"/nowhere"})"));
  const std::string fhir = Ask(Get("/fhir/x", kLast));
  EXPECT_THAT(fhir, HasSubstr("application/fhir+json"));
  EXPECT_THAT(fhir, HasSubstr(R"({"resourceType":"OperationOutcome","issue":[{"severity":"error",)"
                              R"("code":"not-found",)"));
  const std::string method = Ask(Post("/text", "", kLast));
  EXPECT_THAT(method, StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(method, HasSubstr("Allow: GET, HEAD, OPTIONS\r\n"));
  EXPECT_THAT(Ask("OPTIONS /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
              testing::AllOf(StartsWith("HTTP/1.1 204 "), HasSubstr("Allow: OPTIONS, POST\r\n")));
  EXPECT_THAT(Ask("no HTTP at all\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(Ask("GET /text HTTP/1.1\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 400 "));  // no Host
  EXPECT_THAT(Ask(Get("/%zz", kLast)), StartsWith("HTTP/1.1 400 "));
}

TEST_F(HttpServerTest, FaultsOfHandlersAreAnsweredWithoutTheirText) {
  const std::string thrown = Ask(Get("/throws", kLast));
  EXPECT_THAT(thrown, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(thrown, Not(HasSubstr("secret")));
  EXPECT_THAT(Ask(Get("/dropped", kLast)), StartsWith("HTTP/1.1 500 "));
}

TEST_F(HttpServerTest, HeadHasTheLengthAndNoBody) {
  const std::string head =
      Ask("HEAD /text HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("Content-Length: 2000\r\n"));
  EXPECT_THAT(head, testing::EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, LimitsHeaderAndBody) {
  options_.header_bytes = 1000;
  EXPECT_THAT(Ask(Get("/text", fmt::format("X: {}\r\n", std::string(2000, 'y')))),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(Ask(Post("/echo", std::string(101, 'b'))), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(Ask(Post("/echo", std::string(100, 'b'), kLast)), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(Ask("GET /text HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx"),
              StartsWith("HTTP/1.1 413 "));
  const std::string chunk = fmt::format("3c\r\n{}\r\n", std::string(60, 'c'));
  const std::string chunked =
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: "
      "close\r\n\r\n";
  EXPECT_THAT(Ask(chunked + chunk + "0\r\n\r\n"), testing::EndsWith(std::string(60, 'c')));
  EXPECT_THAT(Ask(chunked + chunk + chunk + "0\r\n\r\n"), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(Ask(chunked + "no chunk\r\n"), StartsWith("HTTP/1.1 400 "));
  options_.bodies_bytes = 50;
  server_.reset();
  EXPECT_THAT(Ask(chunked + chunk), StartsWith("HTTP/1.1 503 "));
}

TEST_F(HttpServerTest, ClosesSlowClients) {
  options_.header_time = options_.body_time = options_.idle_time = 100ms;
  Start();
  RawClient silent(server_->url()), header(server_->url()), body(server_->url()),
      idle(server_->url());
  header.Send("GET /text HTT");
  body.Send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nab");
  idle.Send(Get("/text"));
  for (RawClient* const client : {&silent, &header, &body, &idle}) {
    client->ReadAll();
    EXPECT_TRUE(client->closed());
  }
}

TEST_F(HttpServerTest, AsksForTheBodyWhenTheClientWaits) {
  Start();
  RawClient client(server_->url());
  client.Send(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n"
      "Connection: close\r\n\r\n");
  EXPECT_EQ(client.ReadUntilHas("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("body");
  EXPECT_THAT(client.ReadAll(), testing::EndsWith("\r\n\r\nbody"));
}

TEST_F(HttpServerTest, AnswersInTimeWhenAHandlerDoesNot) {
  const std::string late = Ask(Get("/never", kLast));
  EXPECT_THAT(late, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(late, HasSubstr("Retry-After: 1\r\n"));
  kept_.at(0)({200, "text/plain", "too late"});  // changes nothing
}

TEST_F(HttpServerTest, TooManyConnectionsAreRefused) {
  options_.connections = 1;
  Start();
  RawClient first(server_->url());
  first.Send(Get("/text"));
  first.ReadUntilHas("xxx");
  EXPECT_THAT(Ask(""), StartsWith("HTTP/1.1 503 "));
}

TEST_F(HttpServerTest, CompressesForWhoeverTakesIt) {
  const std::string all = Ask(Get("/text", "Accept-Encoding: br, gzip\r\nConnection: close\r\n"));
  EXPECT_THAT(all, HasSubstr("Content-Encoding: gzip\r\n"));
  EXPECT_THAT(all, HasSubstr("\r\n\r\n\x1f\x8b"));
  EXPECT_LT(all.size(), 500u);
  EXPECT_THAT(Ask(Get("/text", kLast)), Not(HasSubstr("Content-Encoding")));
  EXPECT_TRUE(TakesGzip("deflate, *;q=0.5"));
  EXPECT_TRUE(TakesGzip("gzip;q=0.1"));
  EXPECT_FALSE(TakesGzip("gzip;q=0, *"));
  EXPECT_FALSE(TakesGzip("br;q=1.0, identity"));
  EXPECT_FALSE(TakesGzip(""));
}

TEST_F(HttpServerTest, DrainsWhatIsUnderWay) {
  Start();
  RawClient waiting(server_->url()), idle(server_->url());
  idle.Send(Get("/text"));
  idle.ReadUntilHas("xxx");
  waiting.Send(Get("/never"));
  asked_.get_future().wait();
  auto drained = std::async(std::launch::async, [&] { server_->Drain(10s); });
  idle.ReadAll();
  EXPECT_TRUE(idle.closed());
  kept_.at(0)({200, "text/plain", "in the end"});
  EXPECT_THAT(waiting.ReadAll(),
              testing::AllOf(HasSubstr("Connection: close\r\n"), HasSubstr("in the end")));
  drained.get();
}

TEST_F(HttpServerTest, SaysWhenThePortIsTaken) {
  Start();
  options_.address = server_->url().substr(std::string_view("http://").size());
  const auto again = HttpServer::Open(options_, {}, clock_, {});
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().kind, ErrorKind::kAlreadyExists);
  EXPECT_THAT(again.error().message, HasSubstr("give another port"));
}

Status Check(std::string address, std::string certificate = {}, std::string key = {},
             std::vector<HttpUser> users = {}) {
  HttpOptions options;
  options.address = std::move(address);
  options.certificate_file = std::move(certificate);
  options.key_file = std::move(key);
  options.users = std::move(users);
  return CheckHttpOptions(options);
}

TEST(HttpAddressTest, OnlyLoopbackIsServedWithoutTlsAndUsers) {
  const std::vector<HttpUser> users = {{"anna", "0123456789abcdef"}};
  for (const char* const address : {"127.0.0.1:8080", "127.0.0.2:1", "[::1]:8080", "localhost:0"}) {
    EXPECT_TRUE(Check(address)) << address;
  }
  for (const char* const address : {"0.0.0.0:8080", "192.168.1.7:8080", "[::]:8080"}) {
    EXPECT_THAT(Check(address).error().message, HasSubstr("serve.http_tls and serve.http_users"));
    EXPECT_THAT(Check(address, "", "", users).error().message, HasSubstr("serve.http_tls, or"));
    EXPECT_THAT(Check(address, "c", "k").error().message, HasSubstr("configure serve.http_users"));
    EXPECT_TRUE(Check(address, "c", "k", users)) << address;
  }
  for (const char* const address : {"8080", "example.org:80", "127.0.0.1:port", "127.0.0.1:", ""}) {
    EXPECT_FALSE(Check(address)) << address;
  }
  EXPECT_FALSE(Check("127.0.0.1:8080", "c", ""));
  EXPECT_FALSE(Check("127.0.0.1:8080", "", "k"));
}

}  // namespace
}  // namespace vitalake::serve
