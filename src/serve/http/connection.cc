// Steps of a request: 1. wait for its first byte; 2. header; 3. route, and whether the client may
// ask; 4. body, piece by piece; 5. handler; 6. answer, whole or in pieces; then the next one, or
// the connection is closed, having read on for a while so that the answer is not lost with bytes
// nobody took. From 5 on the connection is read, too: that is how it is noticed that the client
// goes away.
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <utility>

#include "base/log.h"
#include "serve/http/body_queue_internal.h"
#include "serve/http/byte_stream.h"
#include "serve/http/connection_internal.h"
#include "serve/http/fields.h"
#include "serve/http/gzip.h"
#include "serve/http/problem.h"

namespace vitalake::serve {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

constexpr size_t kPieceBytes = 64 << 10;
// Read on and thrown away before a connection with unread bytes is closed.
constexpr int64_t kLingerBytes = 64 << 20;
constexpr std::chrono::seconds kLingerTime{5};
// Smaller answers are not worth the coding.
constexpr size_t kGzipBytes = 1024;
constexpr int kRetrySeconds = 1;

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

std::string Joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

// A body on its way to its connection: where it does not arrive there, its producer hears of it.
class Offered {
 public:
  explicit Offered(std::shared_ptr<BodyQueue> queue) : queue_(std::move(queue)) {}
  Offered(Offered&&) = default;
  ~Offered() {
    if (queue_) queue_->Leave();
  }
  std::shared_ptr<BodyQueue> Take() { return std::exchange(queue_, nullptr); }

 private:
  std::shared_ptr<BodyQueue> queue_;
};

class Connection final : public HttpConnection, public std::enable_shared_from_this<Connection> {
 public:
  Connection(asio::ip::tcp::socket socket, std::shared_ptr<HttpShared> shared)
      : shared_(std::move(shared)),
        stream_(std::move(socket), shared_->tls),
        patience_(stream_.get_executor()) {
    shared_->connections.insert(this);
    error_code ignored;
    (void)stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  }
  ~Connection() override {
    HoldBody(0);
    if (body_) body_->Leave();
    shared_->connections.erase(this);
    if (shared_->connections.empty() && shared_->emptied) shared_->emptied();
  }

  void Start() override {
    if (!stream_.is_tls()) return Next();
    stream_.ExpiresAfter(shared_->options.header_time);
    stream_.Handshake([self = Self()](error_code failed) {
      failed ? self->HandshakeFailed(failed) : self->Next();
    });
  }

  void Refuse() override {
    if (stream_.is_tls()) return Close();  // a handshake is more work than an answer is worth
    begun_ = shared_->clock.Steady();
    keep_alive_ = false;
    SendProblem(503, "Too many connections; try again later", Retry());
  }

  void Finish() override {
    finishing_ = true;
    if (idle_ || lingering_) return Close();
    if (body_ && body_->limits().at_drain == StreamLimits::AtDrain::kEnd) body_->EndAtDrain();
  }

  void Close() override { stream_.Close(); }

 private:
  using Parser = http::request_parser<http::string_body>;

  std::shared_ptr<Connection> Self() { return shared_from_this(); }

  void Next() {
    stream_.ExpiresAfter(shared_->options.header_time);
    ReadHeader();
  }

  // Who speaks plain HTTP to a port of TLS is told so; there is nothing to tell anybody else.
  void HandshakeFailed(error_code failed) {
    if (failed.category() != asio::error::get_ssl_category() ||
        ERR_GET_REASON(static_cast<unsigned long>(failed.value())) != SSL_R_HTTP_REQUEST) {
      return;
    }
    const Response told =
        ProblemResponse({400, "This port speaks TLS: the address begins with https://", {}});
    chunk_ = fmt::format(
        "HTTP/1.1 400 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
        StatusPhrase(400), told.content_type, told.body.size(), told.body);
    stream_.ExpiresAfter(shared_->options.write_time);
    stream_.WriteRaw(asio::buffer(chunk_), [self = Self()](error_code, size_t) { self->ReadOn(); });
  }

  static HeaderList Retry() { return {{"Retry-After", fmt::to_string(kRetrySeconds)}}; }

  // Tells how much of the shared memory for bodies this one takes.
  void HoldBody(int64_t bytes) {
    shared_->bodies_bytes += bytes - held_;
    held_ = bytes;
  }

  void AwaitNext() {
    if (buffer_.size() > 0) return Next();
    if (finishing_ || shared_->draining) return Close();
    idle_ = true;
    stream_.ExpiresAfter(shared_->options.idle_time);
    stream_.ReadSome(buffer_.prepare(kPieceBytes),
                     [self = Self()](error_code failed, size_t count) {
                       self->idle_ = false;
                       if (failed) return;
                       self->buffer_.commit(count);
                       self->Next();
                     });
  }

  void ReadHeader() {
    parser_.emplace();
    parser_->header_limit(static_cast<uint32_t>(shared_->options.header_bytes));
    parser_->body_limit(boost::none);
    request_ = {};
    route_ = nullptr;
    head_ = false;
    begun_ = shared_->clock.Steady();
    http::async_read_header(stream_, buffer_, *parser_,
                            ByteStream::Done([self = Self()](error_code failed, size_t) {
                              failed ? self->HeaderFailed(failed) : self->Header();
                            }));
  }

  void HeaderFailed(error_code failed) {
    keep_alive_ = false;
    if (failed == http::error::end_of_stream || failed == http::error::partial_message) return;
    if (failed == http::error::header_limit) {
      return SendProblem(
          431, fmt::format("The header is longer than {} bytes", shared_->options.header_bytes));
    }
    // Time, or the connection itself, is over: nobody to tell.
    if (failed.category() != http::make_error_code(http::error::bad_method).category()) return;
    SendProblem(400, "This is not an HTTP/1.1 request: " + failed.message());
  }

  void Header() {
    const auto& header = parser_->get();
    keep_alive_ = header.keep_alive();
    request_.scheme = stream_.is_tls() ? "https" : "http";
    request_.method = std::string(header.method_string());
    head_ = request_.method == "HEAD";
    for (const auto& field : header) {
      const auto name = field.name_string(), value = field.value();
      request_.headers.emplace_back(Lower({name.data(), name.size()}),
                                    std::string(value.data(), value.size()));
    }
    const auto target = header.target();
    if (!ParseTarget({target.data(), target.size()}, request_)) {
      return Reject(400, "The request target is not a path with an optional query");
    }
    if (const std::string wrong = HostFault(); !wrong.empty()) return Reject(400, wrong);
    if (!IsMeant()) {
      return Reject(421,
                    "Without users (serve.http_users) this service answers to loopback names "
                    "alone: ask for localhost or 127.0.0.1");
    }
    const Routes::Match match = shared_->routes.Find(request_);
    if (match.route == nullptr) return WithoutRoute(match.allowed);
    route_ = match.route;
    if (route_->access == Access::kUsers &&
        !shared_->login.Admits(request_, shared_->clock.NowMicros())) {
      return Unauthorized();
    }
    const int64_t limit = route_->max_body;
    if (const auto length = parser_->content_length();
        length && *length > static_cast<uint64_t>(limit)) {
      return Reject(413, TooLarge());
    }
    if (const std::string* const expect = request_.Header("expect")) {
      if (Lower(*expect) != "100-continue") return Reject(417, "Only 100-continue can be expected");
      if (!parser_->is_done()) return Continue();
    }
    ReadBody();
  }

  // What is wrong with the Host header; empty: nothing.
  std::string HostFault() const {
    const auto hosts = std::ranges::count(request_.headers, "host", &HeaderList::value_type::first);
    if (hosts > 1) return "A request has one Host header";
    return hosts == 0 && parser_->get().version() > 10
               ? "A request of HTTP/1.1 must have a Host header"
               : "";
  }

  // Without users the address is on loopback, and whoever reaches it may ask. Only the Host tells
  // when that is a web page whose own name leads here (DNS rebinding).
  bool IsMeant() const {
    const std::string* const host = request_.Header("host");
    return shared_->login.is_needed() || host == nullptr || IsLoopbackHost(*host);
  }

  std::string TooLarge() const {
    return route_->max_body == 0 ? fmt::format("{} {} takes no body", route_->method, route_->path)
                                 : fmt::format("A body may have {} bytes as sent; send it in parts",
                                               route_->max_body);
  }

  void WithoutRoute(const std::vector<std::string>& allowed) {
    if (allowed.empty()) return Reject(404, "There is nothing at this path");
    const HeaderList allow = {{"Allow", Joined(allowed)}};
    if (request_.method == "OPTIONS") {
      keep_alive_ = keep_alive_ && parser_->is_done();
      return Send({204, "", "", allow});
    }
    Reject(405, fmt::format("This path takes {}", Joined(allowed)), allow);
  }

  void Unauthorized() {
    keep_alive_ = keep_alive_ && parser_->is_done();
    Send(UnauthorizedResponse(request_.path,
                              "Send `Authorization: Bearer TOKEN`, with the token of one of "
                              "`serve.http_users`, or log in at the dashboard"));
  }

  void Continue() {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    stream_.ExpiresAfter(shared_->options.write_time);
    stream_.Write({asio::buffer(kContinue)}, [self = Self()](error_code failed, size_t) {
      if (!failed) self->ReadBody();
    });
  }

  void ReadBody() {
    const auto read = static_cast<int64_t>(parser_->get().body().size());
    HoldBody(read);
    if (read > route_->max_body) return Reject(413, TooLarge());
    if (shared_->bodies_bytes > shared_->options.bodies_bytes && !parser_->is_done()) {
      return Reject(503, "Too many large requests at once; try again later", Retry());
    }
    if (parser_->is_done()) return Dispatch();
    stream_.ExpiresAfter(shared_->options.body_time);
    http::async_read_some(stream_, buffer_, *parser_,
                          ByteStream::Done([self = Self()](error_code failed, size_t) {
                            failed ? self->BodyFailed(failed) : self->ReadBody();
                          }));
  }

  void BodyFailed(error_code failed) {
    keep_alive_ = false;
    if (failed == beast::error::timeout) {
      return;  // the stream is closed
    }
    if (failed.category() == http::make_error_code(http::error::bad_chunk).category() &&
        failed != http::error::partial_message) {
      Reject(400, "The body is not framed as HTTP/1.1 wants: " + failed.message());
    }
  }

  void Dispatch() {
    request_.body = std::move(parser_->get().body());
    stream_.NeverExpires();
    const std::string path = request_.path;
    const uint64_t turn = ++turn_;
    left_ = std::stop_source();
    const Reply reply(
        [weak = weak_from_this(), executor = stream_.get_executor(), turn](Response response) {
          asio::post(executor, [weak, turn, response = std::move(response)]() mutable {
            if (const auto self = weak.lock(); self && self->turn_ == turn) {
              self->Send(std::move(response));
            }
          });
        },
        BodyMaker(turn), left_.get_token());
    answering_ = true;
    Watch();
    // What keeps the connection alive until there is an answer.
    patience_.expires_after(route_->patience);
    patience_.async_wait([self = Self(), turn](error_code cancelled) {
      if (cancelled || self->turn_ != turn) return;
      self->SendProblem(503, "No answer in time; what was asked for may still happen", Retry());
    });
    if (route_->runs_on == RunsOn::kLoop) return Handle(*route_, std::move(request_), reply);
    const bool taken = shared_->pool.TryAdd(
        [route = route_, request = std::make_shared<Request>(std::move(request_)), reply] {
          Handle(*route, std::move(*request), reply);
        });
    if (!taken) {
      reply(ProblemResponse({503, "Too much waits already; try again later", path, Retry()}));
    }
  }

  // The read that is under way from the handler's begin to the answer's end. What comes is the next
  // request; that nothing will come any more is how a client leaves.
  void Watch() {
    if (buffer_.size() > shared_->options.header_bytes) {  // far ahead: the rest waits
      if (body_) ClientGone();
      return;
    }
    watching_ = true;
    stream_.NeverExpires();
    stream_.ReadSome(buffer_.prepare(kPieceBytes),
                     [self = Self()](error_code failed, size_t count) {
                       self->watching_ = false;
                       if (!failed) self->buffer_.commit(count);
                       if (!self->answering_) return self->AfterAnswer();
                       failed ? self->ClientLeft() : self->Watch();
                     });
  }

  // It may still read what it asked for.
  void ClientLeft() {
    keep_alive_ = false;
    left_.request_stop();
    if (body_) ClientGone();
  }

  void AnswerDone() {
    answering_ = false;
    if (!watching_) return AfterAnswer();
    stream_.Cancel();  // the read ends, and AfterAnswer follows
  }

  void AfterAnswer() {
    if (!stream_.socket().is_open()) return;
    if (finishing_ || shared_->draining) keep_alive_ = false;
    keep_alive_ ? AwaitNext() : Linger();
  }

  static void Handle(const Route& route, Request request, const Reply& reply) {
    const std::string path = request.path;
    try {
      route.handler(std::move(request), reply);
    } catch (const std::exception& fault) {
      log::Fault("http: {} {}: {}", route.method, route.path, fault.what());
      reply(ProblemResponse({500, "A fault of the server; its log says more", path, {}}));
    }
  }

  // An answer before the body was read, which is of no use any more.
  void Reject(int status, const std::string& detail, HeaderList headers = {}) {
    keep_alive_ = keep_alive_ && parser_->is_done();
    SendProblem(status, detail, std::move(headers));
  }

  void SendProblem(int status, const std::string& detail, HeaderList headers = {}) {
    Send(ProblemResponse({status, detail, request_.path, std::move(headers)}));
  }

  void SetHead(int status, const std::string& content_type, const HeaderList& headers) {
    ++turn_;  // a later answer to the same request is ignored
    patience_.cancel();
    HoldBody(0);
    if (finishing_ || shared_->draining) keep_alive_ = false;
    answer_ = {};
    answer_.version(parser_ ? parser_->get().version() : 11);
    answer_.result(static_cast<unsigned>(status));
    answer_.reason(std::string(StatusPhrase(status)));
    answer_.set(http::field::date, HttpDate(shared_->clock.NowMicros()));
    for (const auto& [name, value] : headers) answer_.set(name, value);
    if (!content_type.empty()) {
      answer_.set(http::field::content_type, content_type);
      answer_.set("X-Content-Type-Options", "nosniff");
    }
  }

  void Send(Response response) {
    SetHead(response.status, response.content_type, response.headers);
    const std::string* const accepted = AcceptedCodings();
    const bool is_coded = answer_.find(http::field::content_encoding) != answer_.end();
    if (response.body.size() >= kGzipBytes && !is_coded) {
      answer_.set(http::field::vary, "Accept-Encoding");
      if (accepted != nullptr && TakesGzip(*accepted)) {
        response.body = Gzipped(response.body);
        answer_.set(http::field::content_encoding, "gzip");
      }
    }
    answer_.keep_alive(keep_alive_);
    if (response.status != 204) answer_.content_length(response.body.size());
    if (!head_) answer_.body() = std::move(response.body);
    Write();
  }

  const std::string* AcceptedCodings() {
    if (!parser_) return nullptr;
    const auto found = parser_->get().find(http::field::accept_encoding);
    if (found == parser_->get().end()) return nullptr;
    accepted_.assign(found->value().data(), found->value().size());
    return &accepted_;
  }

  void Write() {
    stream_.ExpiresAfter(shared_->options.write_time);
    serializer_.emplace(answer_);
    const ByteStream::Done written = [self = Self()](error_code failed, size_t) {
      self->Tell();
      if (failed) self->Close();
      self->AnswerDone();
    };
    // A HEAD's answer states a length and has no body.
    head_ ? http::async_write_header(stream_, *serializer_, written)
          : http::async_write(stream_, *serializer_, written);
  }

  // -- an answer in pieces --

  Reply::BeginBody BodyMaker(uint64_t turn) {
    return [weak = weak_from_this(), executor = stream_.get_executor(), turn,
            &clock = shared_->clock,
            budget = shared_->streams](StreamHead head, StreamLimits limits) {
      auto queue = std::make_shared<BodyQueue>(std::move(limits), clock, budget, [weak, executor] {
        asio::post(executor, [weak] {
          if (const auto self = weak.lock()) self->SendPieces();
        });
      });
      asio::post(executor,
                 [weak, turn, offered = Offered(queue), head = std::move(head)]() mutable {
                   const auto self = weak.lock();
                   if (self && self->turn_ == turn) self->BeginBody(head, offered.Take());
                 });
      return queue;
    };
  }

  void BeginBody(const StreamHead& head, const std::shared_ptr<BodyQueue>& queue) {
    SetHead(head.status, head.content_type, head.headers);
    chunked_ = answer_.version() > 10;
    if (!chunked_) keep_alive_ = false;  // its end is the end of the connection
    answer_.keep_alive(keep_alive_);
    answer_.chunked(chunked_);
    if (!head_) {
      body_ = queue;
    } else {
      queue->Leave();
    }
    if (IsEndless()) Tell();
    if (IsEndless() && (finishing_ || shared_->draining)) body_->EndAtDrain();
    stream_.ExpiresAfter(shared_->options.write_time);
    serializer_.emplace(answer_);
    writing_ = true;
    http::async_write_header(stream_, *serializer_,
                             ByteStream::Done([self = Self()](error_code failed, size_t) {
                               self->writing_ = false;
                               if (failed) return self->ClientGone();
                               if (!self->body_) return self->BodyDone();
                               if (self->left_.stop_requested()) return self->ClientGone();
                               self->SendPieces();
                             }));
  }

  // Of events: measured and counted when it begins.
  bool IsEndless() const {
    return body_ && body_->limits().at_drain == StreamLimits::AtDrain::kEnd;
  }

  void SendPieces() {
    if (!body_) return;
    if (body_->is_cut_off()) return ClientGone();  // whatever is being written
    if (writing_) return;
    BodyQueue::Taken taken = body_->Take(kPieceBytes);
    if (taken.pieces.empty() && !taken.ended) return AwaitHeartbeat();
    if (taken.ended) end_ = EndOfBody(taken.trailers);
    WritePieces(std::move(taken.pieces), taken.ended);
  }

  // Source: RFC 9112, 7.1.2.
  static std::string EndOfBody(const HeaderList& trailers) {
    std::string end = "0\r\n";
    for (const auto& [name, value] : trailers) end += fmt::format("{}: {}\r\n", name, value);
    return end + "\r\n";
  }

  // Source: RFC 9112, 7.1.
  void WritePieces(std::vector<SharedPiece> pieces, bool last) {
    static constexpr std::string_view kLine = "\r\n";
    pieces_ = std::move(pieces);
    size_t bytes = 0;
    for (const SharedPiece& piece : pieces_) bytes += piece->size();
    chunk_ = fmt::format("{:x}\r\n", bytes);
    std::vector<asio::const_buffer> buffers;
    if (chunked_ && bytes > 0) buffers.emplace_back(asio::buffer(chunk_));
    for (const SharedPiece& piece : pieces_) buffers.emplace_back(asio::buffer(*piece));
    if (chunked_ && bytes > 0) buffers.emplace_back(asio::buffer(kLine));
    if (chunked_ && last) buffers.emplace_back(asio::buffer(end_));
    stream_.ExpiresAfter(shared_->options.write_time);
    writing_ = true;
    stream_.Write(buffers, [self = Self(), last](error_code failed, size_t) {
      self->writing_ = false;
      if (failed) return self->ClientGone();
      last ? self->BodyDone() : self->SendPieces();
    });
  }

  void AwaitHeartbeat() {
    const StreamLimits& limits = body_->limits();
    if (limits.heartbeat_every.count() == 0) return;
    patience_.expires_after(limits.heartbeat_every);
    patience_.async_wait([self = Self(), turn = turn_](error_code cancelled) {
      if (cancelled || self->turn_ != turn || !self->body_ || self->writing_) return;
      self->WritePieces({std::make_shared<const std::string>(self->body_->limits().heartbeat)},
                        false);
    });
  }

  void ClientGone() {
    patience_.cancel();
    if (!body_) return;
    const bool told = IsEndless();
    std::exchange(body_, nullptr)->Leave();
    keep_alive_ = false;
    if (!told) Tell(Whole::kNo);
    answering_ = false;
    // Without chunks the end of the connection is the end of the body: it is broken off instead.
    error_code ignored;
    if (!chunked_) (void)stream_.socket().set_option(asio::socket_base::linger(true, 0), ignored);
    Close();
  }

  void BodyDone() {
    patience_.cancel();
    if (!IsEndless()) Tell();
    if (body_) std::exchange(body_, nullptr)->Leave();
    AnswerDone();
  }

  enum class Whole { kYes, kNo };

  void Tell(Whole whole = Whole::kYes) {
    if (!shared_->done) return;
    const auto seconds = std::chrono::duration<double>(shared_->clock.Steady() - begun_).count();
    const std::string method = parser_ ? std::string(parser_->get().method_string()) : "";
    shared_->done({method, route_ == nullptr ? "" : route_->path,
                   static_cast<int>(answer_.result_int()), seconds, whole == Whole::kYes});
  }

  void Linger() {
    const bool all_read = parser_ && parser_->is_done() && buffer_.size() == 0;
    if (!stream_.is_tls()) return all_read ? Close() : ReadOn();
    lingering_ = true;
    stream_.ExpiresAfter(kLingerTime);
    // Says that this was all; what the client still sends is of no use.
    stream_.Shutdown(
        [self = Self(), all_read](error_code) { all_read ? self->Close() : self->ReadOn(); });
  }

  // Closing with unread bytes would make the system throw the answer away.
  void ReadOn() {
    error_code ignored;
    (void)stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    stream_.ExpiresAfter(kLingerTime);
    buffer_.clear();
    lingering_ = true;
    ThrowAway(0);
  }

  void ThrowAway(int64_t sofar) {
    if (sofar > kLingerBytes) return Close();
    stream_.ReadSomeRaw(buffer_.prepare(kPieceBytes),
                        [self = Self(), sofar](error_code failed, size_t count) {
                          if (failed) return self->Close();
                          self->ThrowAway(sofar + static_cast<int64_t>(count));
                        });
  }

  std::shared_ptr<HttpShared> shared_;
  ByteStream stream_;
  asio::steady_timer patience_;
  beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  Request request_;
  const Route* route_ = nullptr;
  http::response<http::string_body> answer_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  std::string accepted_;
  std::shared_ptr<BodyQueue> body_;  // of an answer in pieces, while it is sent
  std::vector<SharedPiece> pieces_;  // being written, behind chunk_
  std::string chunk_;
  std::string end_;
  std::chrono::nanoseconds begun_{0};
  int64_t held_ = 0;
  std::stop_source left_;
  uint64_t turn_ = 0;  // grows with each request and each answer
  bool head_ = false;
  bool keep_alive_ = false;
  bool idle_ = false;
  bool lingering_ = false;
  bool finishing_ = false;
  bool chunked_ = false;
  bool writing_ = false;    // head or pieces
  bool watching_ = false;   // Watch's read
  bool answering_ = false;  // from the handler's begin to the answer's last byte
};

}  // namespace

std::shared_ptr<HttpConnection> MakeHttpConnection(asio::ip::tcp::socket socket,
                                                   std::shared_ptr<HttpShared> shared) {
  return std::make_shared<Connection>(std::move(socket), std::move(shared));
}

}  // namespace vitalake::serve
