#include "serve/http/server.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <exception>
#include <future>
#include <optional>
#include <thread>

#include "base/log.h"
#include "serve/http/connection_internal.h"
#include "serve/listen_address.h"
#include "serve/server_tls.h"

namespace vitalake::serve {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// After accepting failed (no file descriptor is free).
constexpr std::chrono::milliseconds kAcceptPause{100};

}  // namespace

Status CheckHttpOptions(const HttpOptions& options) {
  if (options.certificate_file.empty() != options.key_file.empty()) {
    return Fail(ErrorKind::kInvalidArgument, "TLS needs both a certificate and its key");
  }
  VL_RETURN_IF_ERROR(CheckHttpUsers(options.users));
  return CheckExposure(options.address, !options.certificate_file.empty(), !options.users.empty(),
                       "serve.http");
}

struct HttpServer::Impl {
  Impl(const HttpOptions& given, Routes table, Clock& time,
       std::function<void(const RequestDone&)> told)
      : options(given),
        routes(std::move(table)),
        done(std::move(told)),
        acceptor(loop),
        pause(loop),
        login(given.users),
        pool(given.pool_threads, given.connections),
        shared(std::make_shared<HttpShared>(
            HttpShared{options, routes, login, nullptr, pool, time, done, {}})) {}

  Status OpenPort() {
    VL_RETURN_IF_ERROR(CheckHttpOptions(options));
    if (!options.certificate_file.empty()) VL_RETURN_IF_ERROR(LoadTls());
    VL_RETURN_IF_ERROR(Listen(acceptor, options.address));
    error_code failed;
    const tcp::endpoint bound = acceptor.local_endpoint(failed);
    if (failed) return ListenError(options.address, failed);
    const std::string host = bound.address().to_string();
    const std::string_view scheme = tls ? "https" : "http";
    url = bound.address().is_v6() ? fmt::format("{}://[{}]:{}", scheme, host, bound.port())
                                  : fmt::format("{}://{}:{}", scheme, host, bound.port());
    return {};
  }

  Status LoadTls() {
    VL_TRY(const auto loaded, ServerTls::Load(options.certificate_file, options.key_file));
    auto* const native = static_cast<SSL_CTX*>(loaded->native());
    SSL_CTX_up_ref(native);
    tls.emplace(native);
    shared->tls = &*tls;
    return {};
  }

  // A fault of one connection must not end the others.
  void Run() {
    for (;;) {
      try {
        loop.run();
        return;
      } catch (const std::exception& fault) {
        log::Fault("http: {}", fault.what());
      }
    }
  }

  void Accept() {
    acceptor.async_accept([this](error_code failed, tcp::socket socket) {
      if (!acceptor.is_open()) return;
      if (failed) {
        pause.expires_after(kAcceptPause);
        pause.async_wait([this](error_code cancelled) {
          if (!cancelled && acceptor.is_open()) Accept();
        });
        return;
      }
      const bool full = shared->connections.size() >= options.connections;
      const auto connection = MakeHttpConnection(std::move(socket), shared);
      full ? connection->Refuse() : connection->Start();
      Accept();
    });
  }

  void CloseAll() {
    error_code ignored;
    acceptor.close(ignored);
    pause.cancel();
    for (HttpConnection* const connection :
         std::vector(shared->connections.begin(), shared->connections.end())) {
      connection->Close();
    }
  }

  void End() {
    if (!thread.joinable()) return;
    asio::post(loop, [this] {
      CloseAll();
      loop.stop();
    });
    thread.join();
  }

  const HttpOptions options;
  const Routes routes;
  const std::function<void(const RequestDone&)> done;
  asio::io_context loop{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work;
  tcp::acceptor acceptor;
  asio::steady_timer pause;
  const HttpLogin login;
  std::optional<asio::ssl::context> tls;
  WorkPool pool;
  std::shared_ptr<HttpShared> shared;
  std::string url;
  std::jthread thread;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() { impl_->End(); }

Result<std::unique_ptr<HttpServer>> HttpServer::Open(const HttpOptions& options, Routes routes,
                                                     Clock& clock,
                                                     std::function<void(const RequestDone&)> done) {
  auto impl = std::make_unique<Impl>(options, std::move(routes), clock, std::move(done));
  VL_RETURN_IF_ERROR(impl->OpenPort());
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

void HttpServer::Start() {
  impl_->work.emplace(asio::make_work_guard(impl_->loop));
  impl_->Accept();
  impl_->thread = std::jthread([this] { impl_->Run(); });
}

const std::string& HttpServer::url() const { return impl_->url; }

void HttpServer::Drain(std::chrono::milliseconds patience) {
  if (!impl_->thread.joinable()) return;
  const auto gone = std::make_shared<std::promise<void>>();
  asio::post(impl_->loop, [this, gone] {
    error_code ignored;
    impl_->acceptor.close(ignored);
    HttpShared& shared = *impl_->shared;
    shared.draining = true;
    shared.emptied = [gone, told = std::make_shared<bool>(false)] {
      if (!std::exchange(*told, true)) gone->set_value();
    };
    for (HttpConnection* const connection :
         std::vector(shared.connections.begin(), shared.connections.end())) {
      connection->Finish();
    }
    if (shared.connections.empty()) shared.emptied();
  });
  gone->get_future().wait_for(patience);
  impl_->End();
}

}  // namespace vitalake::serve
