#include "serve/http/byte_stream.h"

#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl.hpp>
#include <optional>

namespace vitalake::serve {

namespace asio = boost::asio;
namespace beast = boost::beast;

struct ByteStream::Streams {
  explicit Streams(asio::ip::tcp::socket socket) : tcp(std::move(socket)) {}

  beast::tcp_stream tcp;
  std::optional<beast::ssl_stream<beast::tcp_stream&>> tls;
};

ByteStream::ByteStream(asio::ip::tcp::socket socket, asio::ssl::context* tls)
    : streams_(std::make_unique<Streams>(std::move(socket))) {
  if (tls != nullptr) streams_->tls.emplace(streams_->tcp, *tls);
}

ByteStream::~ByteStream() = default;

ByteStream::executor_type ByteStream::get_executor() { return streams_->tcp.get_executor(); }

bool ByteStream::is_tls() const { return streams_->tls.has_value(); }

asio::ip::tcp::socket& ByteStream::socket() { return streams_->tcp.socket(); }

void ByteStream::ExpiresAfter(std::chrono::nanoseconds time) { streams_->tcp.expires_after(time); }

void ByteStream::NeverExpires() { streams_->tcp.expires_never(); }

void ByteStream::Cancel() { streams_->tcp.cancel(); }

void ByteStream::Close() {
  error_code ignored;
  (void)socket().close(ignored);
}

void ByteStream::Handshake(std::function<void(error_code)> done) {
  streams_->tls->async_handshake(asio::ssl::stream_base::server, std::move(done));
}

void ByteStream::Shutdown(std::function<void(error_code)> done) {
  streams_->tls->async_shutdown(std::move(done));
}

void ByteStream::ReadSome(asio::mutable_buffer into, Done done) {
  is_tls() ? streams_->tls->async_read_some(into, std::move(done))
           : ReadSomeRaw(into, std::move(done));
}

void ByteStream::WriteSome(const std::vector<asio::const_buffer>& bytes, Done done) {
  is_tls() ? streams_->tls->async_write_some(bytes, std::move(done))
           : streams_->tcp.async_write_some(bytes, std::move(done));
}

void ByteStream::Write(const std::vector<asio::const_buffer>& bytes, Done done) {
  asio::async_write(*this, bytes, std::move(done));
}

void ByteStream::ReadSomeRaw(asio::mutable_buffer into, Done done) {
  streams_->tcp.async_read_some(into, std::move(done));
}

void ByteStream::WriteRaw(asio::const_buffer bytes, Done done) {
  asio::async_write(streams_->tcp, bytes, std::move(done));
}

}  // namespace vitalake::serve
