#include "serve/listen_address.h"

#include <fmt/format.h>

#include <charconv>

namespace vitalake::serve {

using boost::asio::ip::tcp;
using boost::system::error_code;

Result<tcp::endpoint> ParseListenAddress(const std::string& text) {
  const size_t colon = text.rfind(':');
  std::string host = text.substr(0, colon);
  uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const char* const from = colon == std::string::npos ? end : text.data() + colon + 1;
  const auto number = std::from_chars(from, end, port);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  error_code failed;
  const auto address = boost::asio::ip::make_address(host, failed);
  if (failed || number.ec != std::errc() || number.ptr != end) {
    return Fail(ErrorKind::kInvalidArgument,
                fmt::format("{} is not an address to listen at, like 127.0.0.1:8080", text));
  }
  return tcp::endpoint(address, port);
}

std::unexpected<Error> ListenError(const std::string& address, const error_code& failed) {
  const std::string text = fmt::format("cannot listen at {}: {}", address, failed.message());
  if (failed == boost::asio::error::address_in_use) {
    return Fail(ErrorKind::kAlreadyExists,
                text + "; stop the other program, or give another port (0: any that is free)");
  }
  if (failed == boost::asio::error::access_denied) {
    return Fail(ErrorKind::kPermission, text + "; ports below 1024 need the right to them");
  }
  return Fail(ErrorKind::kIo, text);
}

Status Listen(tcp::acceptor& acceptor, const std::string& address) {
  constexpr int kBacklog = 1024;
  VL_TRY(const tcp::endpoint endpoint, ParseListenAddress(address));
  error_code failed;
  acceptor.open(endpoint.protocol(), failed);
  if (!failed) acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) acceptor.bind(endpoint, failed);
  if (!failed) acceptor.listen(kBacklog, failed);
  if (failed) return ListenError(address, failed);
  return {};
}

Status CheckExposure(const std::string& address, bool has_tls, bool has_users,
                     std::string_view section) {
  VL_TRY(const tcp::endpoint endpoint, ParseListenAddress(address));
  if (endpoint.address().is_loopback() || (has_tls && has_users)) return {};
  std::string missing = has_tls ? "" : fmt::format("{}_tls", section);
  if (!has_users) missing += fmt::format("{}{}_users", has_tls ? "" : " and ", section);
  return Fail(
      ErrorKind::kInvalidArgument,
      fmt::format("{} is not on loopback, and there only TLS and users may be: configure {}, "
                  "or use 127.0.0.1:{}",
                  address, missing, endpoint.port()));
}

}  // namespace vitalake::serve
