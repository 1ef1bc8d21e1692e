#include "serve/postgres/socket.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace vitalake::serve {
namespace {

constexpr size_t kReadBytes = 16 << 10;

std::unexpected<Error> Gone(std::string_view why) {
  return Fail(ErrorKind::kIo, fmt::format("the client is gone: {}", why));
}

std::unexpected<Error> GoneOfErrno() { return Gone(std::generic_category().message(errno)); }

}  // namespace

struct PostgresSocket::Tls {
  SSL* ssl = nullptr;
  ~Tls() { SSL_free(ssl); }
};

PostgresSocket::PostgresSocket(int fd) : fd_(fd) {
  fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) | O_NONBLOCK);
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd_, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

PostgresSocket::~PostgresSocket() {
  if (tls_) SSL_shutdown(tls_->ssl);
  tls_.reset();
  close(fd_);
}

void PostgresSocket::Shutdown() { shutdown(fd_, SHUT_RDWR); }

Status PostgresSocket::WaitFor(short events, Duration patience) {
  pollfd waiting{.fd = fd_, .events = events, .revents = 0};
  const int ready = poll(&waiting, 1, static_cast<int>(patience.count()));
  if (ready == 0) return Fail(ErrorKind::kDeadline, "the client was silent too long");
  if (ready < 0 && errno != EINTR) return GoneOfErrno();
  return {};
}

Status PostgresSocket::StartTls(const ServerTls& tls, Duration patience) {
  auto started = std::make_unique<Tls>();
  started->ssl = SSL_new(static_cast<SSL_CTX*>(tls.native()));
  SSL_set_fd(started->ssl, fd_);
  for (;;) {
    ERR_clear_error();
    const int done = SSL_accept(started->ssl);
    if (done == 1) break;
    const int why = SSL_get_error(started->ssl, done);
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) return Gone(TlsFault());
    VL_RETURN_IF_ERROR(WaitFor(why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, patience));
  }
  tls_ = std::move(started);
  return {};
}

Status PostgresSocket::Read(std::string& buffer, Duration patience) {
  const size_t before = buffer.size();
  buffer.resize(before + kReadBytes);
  for (;;) {
    short wait_for = POLLIN;
    ssize_t got = 0;
    if (tls_) {
      ERR_clear_error();
      got = SSL_read(tls_->ssl, buffer.data() + before, kReadBytes);
      if (got <= 0) {
        const int why = SSL_get_error(tls_->ssl, static_cast<int>(got));
        errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
        if (why == SSL_ERROR_WANT_WRITE) wait_for = POLLOUT;
        got = why == SSL_ERROR_ZERO_RETURN ? 0 : -1;
      }
    } else {
      got = recv(fd_, buffer.data() + before, kReadBytes, 0);
    }
    if (got > 0) {
      buffer.resize(before + static_cast<size_t>(got));
      return {};
    }
    Status waited = got == 0                                  ? Gone("it closed the connection")
                    : errno == EAGAIN || errno == EWOULDBLOCK ? WaitFor(wait_for, patience)
                    : errno == EINTR                          ? Status{}
                                                              : GoneOfErrno();
    if (!waited) {
      buffer.resize(before);
      return waited;
    }
  }
}

Status PostgresSocket::Write(std::string_view bytes, Duration patience) {
  while (!bytes.empty()) {
    short wait_for = POLLOUT;
    ssize_t put = 0;
    if (tls_) {
      ERR_clear_error();
      put = SSL_write(tls_->ssl, bytes.data(),
                      static_cast<int>(std::min<size_t>(bytes.size(), 1 << 20)));
      if (put <= 0) {
        const int why = SSL_get_error(tls_->ssl, static_cast<int>(put));
        errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : ECONNRESET;
        if (why == SSL_ERROR_WANT_READ) wait_for = POLLIN;
        put = -1;
      }
    } else {
      put = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    if (put > 0) {
      bytes.remove_prefix(static_cast<size_t>(put));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      VL_RETURN_IF_ERROR(WaitFor(wait_for, patience));
    } else if (errno != EINTR) {
      return GoneOfErrno();
    }
  }
  return {};
}

}  // namespace vitalake::serve
