#include "serve/postgres/server.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "serve/listen_address.h"
#include "serve/postgres/session_internal.h"

namespace vitalake::serve {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// After accepting failed (no file descriptor is free).
constexpr std::chrono::milliseconds kRetryAccept{100};

// Guessing it is how others' statements would be ended.
int32_t RandomSecret() {
  int32_t secret = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&secret), sizeof secret);
  return secret;
}

}  // namespace

Status CheckPostgresOptions(const PostgresOptions& options) {
  if (options.certificate_file.empty() != options.key_file.empty()) {
    return Fail(ErrorKind::kInvalidArgument, "TLS needs both a certificate and its key");
  }
  return CheckExposure(options.address, !options.certificate_file.empty(), !options.users.empty(),
                       "serve.postgres");
}

struct PostgresServer::Impl {
  Impl(const PostgresOptions& given, OpenSession opens, Clock& time, PostgresHooks told)
      : options(given),
        open(std::move(opens)),
        hooks(std::move(told)),
        clock(time),
        gate(given.working),
        acceptor(loop),
        pause(loop),
        shared{.options = options,
               .open = open,
               .clock = clock,
               .gate = gate,
               .hooks = hooks,
               .cancel = [this](int32_t process, int32_t secret) { Cancel(process, secret); }} {}

  Status OpenPort() {
    if (!options.certificate_file.empty()) {
      VL_TRY(tls, ServerTls::Load(options.certificate_file, options.key_file));
      shared.tls = tls.get();
    }
    VL_RETURN_IF_ERROR(Listen(acceptor, options.address));
    error_code failed;
    const tcp::endpoint bound = acceptor.local_endpoint(failed);
    if (failed) return ListenError(options.address, failed);
    shared.tls_only = !bound.address().is_loopback();
    address = bound.address().is_v6()
                  ? fmt::format("[{}]:{}", bound.address().to_string(), bound.port())
                  : fmt::format("{}:{}", bound.address().to_string(), bound.port());
    return {};
  }

  void Accept() {
    acceptor.async_accept([this](error_code failed, tcp::socket socket) {
      if (!acceptor.is_open()) return;
      if (failed) {
        pause.expires_after(kRetryAccept);
        pause.async_wait([this](error_code cancelled) {
          if (!cancelled && acceptor.is_open()) Accept();
        });
        return;
      }
      Begin(socket.release());
      Accept();
    });
  }

  // A thread for the connection. Requests to cancel come as connections of their own, and are
  // served when there is no place for another session, too: hence a few more.
  void Begin(int fd) {
    constexpr size_t kMore = 16;
    const std::lock_guard lock(mutex);
    const int32_t process = ++last_process;
    auto session = std::make_shared<PostgresSession>(shared, fd, process, RandomSecret());
    if (ended || running >= options.sessions + kMore) return;  // closed without a word
    session->set_refused(running >= options.sessions);
    try {
      std::thread([this, session]() mutable { RunSession(std::move(session)); }).detach();
    } catch (const std::system_error& fault) {
      log::Warn("postgres: no thread for a session: {}", fault.what());
      return;
    }
    sessions.emplace(process, std::move(session));
    ++running;
    if (hooks.sessions) hooks.sessions(static_cast<int64_t>(running));
  }

  void RunSession(std::shared_ptr<PostgresSession> session) {
    try {
      session->Run();
    } catch (const std::exception& fault) {
      log::Fault("postgres: {}", fault.what());
    }
    {
      const std::lock_guard lock(mutex);
      sessions.erase(session->process());
    }
    // Gone before it is counted as gone: it works with what the server holds.
    session.reset();
    const std::lock_guard lock(mutex);
    --running;
    if (hooks.sessions) hooks.sessions(static_cast<int64_t>(running));
    left.notify_all();
  }

  void Cancel(int32_t process, int32_t secret) {
    std::shared_ptr<PostgresSession> session;
    {
      const std::lock_guard lock(mutex);
      const auto found = sessions.find(process);
      if (found == sessions.end() || found->second->secret() != secret) return;
      session = found->second;
    }
    session->Cancel();
  }

  void CloseAcceptor() {
    if (!thread.joinable()) return;
    asio::post(loop, [this] {
      error_code ignored;
      acceptor.close(ignored);
      pause.cancel();
      loop.stop();
    });
    thread.join();
  }

  // Ends all sessions and waits for their threads, at most `patience`; then at once.
  void End(std::chrono::milliseconds patience) {
    CloseAcceptor();
    std::unique_lock lock(mutex);
    ended = true;
    const auto finish = [&](bool at_once) {
      for (const auto& [_, session] : sessions) session->Finish(at_once);
    };
    finish(false);
    if (!left.wait_for(lock, patience, [this] { return running == 0; })) finish(true);
    left.wait(lock, [this] { return running == 0; });
  }

  const PostgresOptions options;
  const OpenSession open;
  const PostgresHooks hooks;
  Clock& clock;
  WorkGate gate;
  std::shared_ptr<ServerTls> tls;
  asio::io_context loop{1};
  tcp::acceptor acceptor;
  asio::steady_timer pause;
  PostgresShared shared;
  std::string address;
  std::jthread thread;
  std::mutex mutex;
  std::condition_variable left;  // a session has gone
  size_t running = 0;            // sessions that have a thread; guarded by mutex
  bool ended = false;            // guarded by mutex
  int32_t last_process = 0;      // guarded by mutex
  std::map<int32_t, std::shared_ptr<PostgresSession>> sessions;  // guarded by mutex
};

PostgresServer::PostgresServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

PostgresServer::~PostgresServer() { impl_->End(std::chrono::milliseconds(0)); }

Result<std::unique_ptr<PostgresServer>> PostgresServer::Open(const PostgresOptions& options,
                                                             OpenSession open, Clock& clock,
                                                             PostgresHooks hooks) {
  VL_RETURN_IF_ERROR(CheckPostgresOptions(options));
  auto impl = std::make_unique<Impl>(options, std::move(open), clock, std::move(hooks));
  VL_RETURN_IF_ERROR(impl->OpenPort());
  return std::unique_ptr<PostgresServer>(new PostgresServer(std::move(impl)));
}

void PostgresServer::Start() {
  impl_->Accept();
  impl_->thread = std::jthread([this] { impl_->loop.run(); });
}

const std::string& PostgresServer::address() const { return impl_->address; }

void PostgresServer::Drain(std::chrono::milliseconds patience) { impl_->End(patience); }

}  // namespace vitalake::serve
