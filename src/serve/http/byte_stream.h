// The bytes of one client, plain or under TLS: one type, so that what reads and writes HTTP is
// compiled once, and what TLS is made of in one place.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace vitalake::serve {

// An AsyncReadStream and AsyncWriteStream of Boost.Asio for composed operations whose handlers are
// called by the loop of the socket. Not thread-safe.
class ByteStream {
 public:
  using error_code = boost::system::error_code;
  using executor_type = boost::asio::any_io_executor;
  using Done = std::function<void(error_code, size_t)>;

  // `tls`: null where the bytes are plain; lives longer.
  ByteStream(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context* tls);
  ~ByteStream();

  executor_type get_executor();
  bool is_tls() const;
  boost::asio::ip::tcp::socket& socket();

  // How long the operations begun until the next call may take together; over it, they fail with
  // beast::error::timeout and the socket is closed.
  void ExpiresAfter(std::chrono::nanoseconds time);
  void NeverExpires();
  void Cancel();
  void Close();

  // Of TLS: its begin as the server, and its end.
  void Handshake(std::function<void(error_code)> done);
  void Shutdown(std::function<void(error_code)> done);

  void ReadSome(boost::asio::mutable_buffer into, Done done);
  // All of `bytes`, whose memory lives until then.
  void Write(const std::vector<boost::asio::const_buffer>& bytes, Done done);
  // The same below TLS.
  void ReadSomeRaw(boost::asio::mutable_buffer into, Done done);
  void WriteRaw(boost::asio::const_buffer bytes, Done done);

  // As Boost.Asio and Boost.Beast call them.
  template <class Handler>
  void async_read_some(boost::asio::mutable_buffer into, Handler&& handler) {
    ReadSome(into, Copyable(std::forward<Handler>(handler)));
  }
  template <class Buffers, class Handler>
  void async_write_some(const Buffers& bytes, Handler&& handler) {
    WriteSome({boost::asio::buffer_sequence_begin(bytes), boost::asio::buffer_sequence_end(bytes)},
              Copyable(std::forward<Handler>(handler)));
  }

 private:
  struct Streams;

  void WriteSome(const std::vector<boost::asio::const_buffer>& bytes, Done done);

  // Handlers of composed operations can only be moved.
  template <class Handler>
  static Done Copyable(Handler&& handler) {
    auto held = std::make_shared<std::decay_t<Handler>>(std::forward<Handler>(handler));
    return [held](error_code failed, size_t count) { (*held)(failed, count); };
  }

  std::unique_ptr<Streams> streams_;
};

}  // namespace vitalake::serve
