// HttpServer: HTTP/1.1 for the routes of one table.
//
// One thread runs the event loop and alone touches connections; handlers run there or on the
// pool (http/routes.h), and answer from any thread. Requests of one connection are answered one
// after the other, pipelined ones too. Everything is bounded: header, body and all bodies
// together, the time for each, connections, waiting work.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "serve/http/login.h"
#include "serve/http/routes.h"

namespace vitalake::serve {

struct HttpOptions {
  std::string address = "127.0.0.1:8080";  // port 0: any that is free
  size_t header_bytes = 16 << 10;          // more is a 431
  std::chrono::milliseconds header_time{
      5'000};  // from its first byte (of a new connection: from its begin)
  std::chrono::milliseconds body_time{10'000};   // from one piece of a body to the next
  std::chrono::milliseconds idle_time{60'000};   // from an answer to the next request
  std::chrono::milliseconds write_time{30'000};  // of an answer, or a piece of one
  size_t connections = 1'024;                    // more get a 503
  int64_t bodies_bytes = 64 << 20;               // of all requests that are being read or handled
  int64_t streams_bytes = 128 << 20;             // of all answers in pieces that wait to be sent
  size_t pool_threads = 4;
  std::vector<HttpUser> users = {};   // who may ask; none: anybody
  std::string certificate_file = {};  // PEM, with its key: TLS and nothing else; empty: plain
  std::string key_file = {};
};

// One request that was answered, for metrics.
struct RequestDone {
  std::string method;  // "" when it could not be read
  std::string route;   // Route::path; "" when none fits
  int status = 0;
  double seconds = 0;  // from the whole header to the answer's last byte
  bool whole = true;   // false: the connection was cut in the middle of an answer in pieces
};

// kInvalidArgument: no address; one that is not on loopback, without both TLS and users; a token
// that is of no use; a certificate without its key.
Status CheckHttpOptions(const HttpOptions& options);

// Must outlive whoever holds a Reply.
class HttpServer {
 public:
  // Listens at once; requests wait for Start. `done` is called on the loop's thread.
  // As CheckHttpOptions and ServerTls::Load say; kAlreadyExists: the port is taken. kPermission,
  // kIo.
  static Result<std::unique_ptr<HttpServer>> Open(const HttpOptions& options, Routes routes,
                                                  Clock& clock,
                                                  std::function<void(const RequestDone&)> done);
  // Ends at once.
  ~HttpServer();

  void Start();
  // "http://127.0.0.1:8080" or "https://...", with the port that was taken.
  const std::string& url() const;

  // Takes no more connections and requests, waits until those under way are answered (at most
  // `patience`), and ends. Streams of events are ended (http/body_stream.h).
  void Drain(std::chrono::milliseconds patience);

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vitalake::serve
