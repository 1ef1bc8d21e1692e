// One client of HttpServer.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <functional>
#include <memory>
#include <unordered_set>

#include "base/clock.h"
#include "serve/http/body_queue_internal.h"
#include "serve/http/login.h"
#include "serve/http/routes.h"
#include "serve/http/server.h"
#include "serve/work_pool.h"

namespace vitalake::serve {

class HttpConnection {
 public:
  virtual ~HttpConnection() = default;
  virtual void Start() = 0;
  // Answers 503 to whatever comes, and closes.
  virtual void Refuse() = 0;
  // Closes once the request under way, if any, is answered.
  virtual void Finish() = 0;
  virtual void Close() = 0;
};

// What all connections share; of the loop's thread.
struct HttpShared {
  const HttpOptions& options;
  const Routes& routes;
  const HttpLogin& login;
  boost::asio::ssl::context* tls = nullptr;  // null: plain
  WorkPool& pool;
  Clock& clock;
  const std::function<void(const RequestDone&)>& done;
  std::function<void()> emptied;  // the last connection went
  std::unordered_set<HttpConnection*> connections = {};
  int64_t bodies_bytes = 0;
  bool draining = false;
  std::shared_ptr<StreamBudget> streams = std::make_shared<StreamBudget>(options.streams_bytes);
};

// Lives until it is closed.
std::shared_ptr<HttpConnection> MakeHttpConnection(boost::asio::ip::tcp::socket socket,
                                                   std::shared_ptr<HttpShared> shared);

}  // namespace vitalake::serve
